"""Errors: what they say, what they are, and that they survive a process boundary."""

from __future__ import annotations

import pickle

import pytest

from kinematics.errors import BvhParseError, InputError, KinematicsError, MissingFileError, UnknownNameError
from retarget.errors import RetargetError

ERRORS = [
    KinematicsError("a"),
    InputError("b"),
    UnknownNameError("joint", "Lefthand", ["LeftHand", "Spine"]),
    MissingFileError("walk.bvh", ["walks.bvh"]),
    BvhParseError("bad", path="a.bvh", line=3, expected="a number"),
    RetargetError("c"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_pickles(error: KinematicsError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error) and str(back) == str(error) and vars(back) == vars(error)


def test_what_they_are() -> None:
    assert all(isinstance(error, KinematicsError) for error in ERRORS)
    assert all(isinstance(error, ValueError) for error in ERRORS[1:])
    assert isinstance(ERRORS[2], KeyError) and isinstance(ERRORS[3], FileNotFoundError)


def test_what_they_say() -> None:
    assert str(ERRORS[2]) == "no joint named 'Lefthand'; did you mean 'LeftHand'?"
    assert str(ERRORS[3]) == "there is no file 'walk.bvh'; did you mean 'walks.bvh'?"
    assert str(ERRORS[4]) == "a.bvh:3: bad; expected a number"
    many = UnknownNameError("joint", "???", [f"name{i}" for i in range(30)])
    assert str(many).endswith("name11, ... (30 in all)")
