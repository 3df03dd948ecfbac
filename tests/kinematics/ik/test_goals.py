from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from kinematics import ik
from kinematics.errors import InputError, UnknownNameError
from kinematics.ik.goals import Goal
from kinematics.ik.tables import limb
from kinematics.motion import Pose
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from kinematics.testing import human_skeleton

POINT = [0.1, 0.2, 0.3]
TURN = [1.0, 0.0, 0.0, 0.0]
MAKERS = {
    "position": lambda **options: ik.position(POINT, **options),
    "orientation": lambda **options: ik.orientation(TURN, **options),
    "transform": lambda **options: ik.transform(POINT, TURN, **options),
    "look_at": lambda **options: ik.look_at(POINT, **options),
    "pole": lambda **options: ik.pole(POINT, **options),
    "center_of_mass": lambda **options: ik.center_of_mass(POINT, **options),
    "posture": lambda **options: ik.posture(**options),
    "hold": lambda **options: ik.hold(**options),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_makers_say_their_kind_and_keep_what_they_are_given(kind: str) -> None:
    goal = MAKERS[kind](weight=2.5, priority=3)
    assert (goal.kind, goal.weight, goal.priority) == (kind, 2.5, 3)


def test_defaults() -> None:
    assert ik.position(POINT).weight == 1.0
    assert ik.posture().weight == 1e-3  # it takes next to nothing from goals beside it
    assert ik.position(POINT).priority == 0
    np.testing.assert_array_equal(ik.look_at(POINT).axis, [0.0, 0.0, 1.0])
    assert ik.position().point is None
    assert ik.transform().rotation is None


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf, -np.inf, "heavy", None, True])
@pytest.mark.usefixtures("unchecked_shapes")
def test_a_weight_is_a_positive_number(kind: str, weight: object) -> None:
    with pytest.raises(InputError, match=rf"the weight of ik\.{kind} must be a positive number, got"):
        MAKERS[kind](weight=weight)


@pytest.mark.parametrize("priority", [-1, 0.5, "first", None, True])
@pytest.mark.usefixtures("unchecked_shapes")
def test_a_priority_is_a_whole_number_from_0(priority: object) -> None:
    with pytest.raises(InputError, match=r"the priority of ik\.position must be 0, 1, 2, \.\.\., got"):
        ik.position(POINT, priority=priority)  # type: ignore[arg-type]


@pytest.mark.usefixtures("unchecked_shapes")
def test_numpys_whole_numbers_are_priorities() -> None:
    assert Goal("hold", priority=np.int64(2)).priority == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [ik.position, ik.look_at, ik.pole, ik.center_of_mass])
@pytest.mark.parametrize("target", [[1.0, 2.0], [1.0, 2.0, 3.0, 4.0], 1.0, np.zeros((2, 2, 3)), "here", [[1.0], [2.0, 3.0]], {}])
@pytest.mark.usefixtures("unchecked_shapes")
def test_a_point_has_three_numbers(make: object, target: object) -> None:
    with pytest.raises(
        InputError, match=r"the target of ik\.\w+ must (have shape|be numbers of shape) \(3,\) or \(frames, 3\), got"
    ):
        make(target)  # type: ignore[operator]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_targets_are_finite(bad: float) -> None:
    with pytest.raises(InputError, match=r"the target of ik\.position must be finite, got .* at index \(1,\)"):
        ik.position([0.0, bad, 0.0])
    with pytest.raises(InputError, match=r"the rotation of ik\.orientation must be finite"):
        ik.orientation([1.0, bad, 0.0, 0.0])
    with pytest.raises(InputError, match=r"finite, got .* at index \(2, 0\)"):
        ik.position(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [bad, 0.0, 0.0]]))
    with pytest.raises(InputError, match="finite"):
        ik.position(POINT, offset=[0.0, 0.0, bad])
    with pytest.raises(InputError, match="finite"):
        ik.look_at(POINT, axis=[bad, 0.0, 0.0])


@pytest.mark.parametrize("rotation", [[0.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.4]])
def test_rotations_are_unit_quaternions(rotation: list[float]) -> None:
    with pytest.raises(InputError, match=r"the rotation of ik\.orientation must be a unit quaternion wxyz, got length"):
        ik.orientation(rotation)
    with pytest.raises(InputError, match=r"the rotation of ik\.transform must be a unit quaternion"):
        ik.transform(POINT, rotation)


@pytest.mark.parametrize("rotation", [[1.0, 0.0, 0.0], [1.0], np.zeros((2, 3, 4)), "none"])
@pytest.mark.usefixtures("unchecked_shapes")
def test_rotations_have_four_numbers(rotation: object) -> None:
    with pytest.raises(InputError, match=r"\(4,\) or \(frames, 4\)"):
        ik.orientation(rotation)  # type: ignore[arg-type]


def test_a_rotation_rounded_by_a_file_is_made_unit() -> None:
    goal = ik.orientation([0.7071, 0.7071, 0.0, 0.0])
    assert goal.rotation is not None
    assert abs(np.linalg.norm(goal.rotation) - 1.0) < 1e-12


def test_a_transform_takes_both_or_neither() -> None:
    with pytest.raises(InputError, match=r"ik\.transform takes a point and a rotation, or neither"):
        ik.transform(POINT)
    with pytest.raises(InputError, match=r"ik\.transform takes a point and a rotation, or neither"):
        ik.transform(rotation=TURN)


def test_an_axis_is_made_unit_and_not_zero() -> None:
    np.testing.assert_allclose(ik.look_at(POINT, axis=[0.0, 3.0, 4.0]).axis, [0.0, 0.6, 0.8], atol=1e-15)
    with pytest.raises(InputError, match=r"the axis of ik\.look_at must not be zero"):
        ik.look_at(POINT, axis=[0.0, 0.0, 0.0])


@pytest.mark.parametrize("axes", ["", "xx", "XYZ", "w", "xyzz"])
def test_axes_are_some_of_xyz(axes: str) -> None:
    with pytest.raises(InputError, match='axes must be some of "xyz", got'):
        ik.position(POINT, axes=axes)
    with pytest.raises(InputError, match='axes must be some of "xyz", got'):
        ik.center_of_mass(POINT, axes=axes)


@pytest.mark.parametrize("weight", [-0.1, np.nan, np.inf, "much"])
@pytest.mark.usefixtures("unchecked_shapes")
def test_weights_of_a_postures_joints_are_not_negative(weight: object) -> None:
    with pytest.raises(InputError, match=r"the joints of ik\.posture have weights of 0 or more, got"):
        ik.posture(joints={"Hips": weight})  # type: ignore[dict-item]


def test_goals_copy_what_they_are_given_and_lock_it() -> None:
    point, offset, axis = np.array(POINT), np.array([1.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.0])
    goal = ik.look_at(point, offset=offset, axis=axis)
    point[:], offset[:], axis[:] = 9.0, 9.0, 9.0
    np.testing.assert_array_equal(goal.point, POINT)
    np.testing.assert_array_equal(goal.offset, [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(goal.axis, [0.0, 1.0, 0.0])
    for array in (goal.point, goal.offset, goal.axis, ik.orientation(TURN).rotation):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0
    with pytest.raises(FrozenInstanceError):
        goal.weight = 2.0  # type: ignore[misc]


def test_goals_can_be_pickled() -> None:
    goal = pickle.loads(pickle.dumps(ik.transform(POINT, TURN, weight=2.0, priority=1)))
    assert (goal.kind, goal.weight, goal.priority) == ("transform", 2.0, 1)
    np.testing.assert_array_equal(goal.point, POINT)
    assert not goal.point.flags.writeable


# What only the skeleton can tell.


def test_names_are_checked_with_the_nearest_ones() -> None:
    skeleton = human_skeleton()
    with pytest.raises(UnknownNameError, match="no joint or end site named 'LeftHnad'; did you mean .*'LeftHand'"):
        ik.Problem(skeleton, {"LeftHnad": POINT})
    with pytest.raises(UnknownNameError, match="no joint named 'Hipps'; did you mean 'Hips'"):
        ik.Problem(skeleton, {"stay": ik.posture(joints={"Hipps": 1.0})})
    with pytest.raises(UnknownNameError, match="no joint or end site named 'Toe'"):
        ik.Problem(skeleton, {"LeftHand": POINT}, fixed=["Toe"])
    with pytest.raises(UnknownNameError, match="no joint named 'hand'"):
        ik.Problem(skeleton, {"LeftHand": POINT}, stiffness={"hand": 2.0})


@pytest.mark.parametrize("name", ["Hips", "Spine1", "LeftHand_end", "Head_end"])
def test_a_pole_belongs_to_a_middle_joint(name: str) -> None:
    with pytest.raises(InputError, match=rf"ik\.pole is a goal of a limb's middle joint.*'{name}' is not one"):
        ik.Problem(human_skeleton(), {name: ik.pole(POINT)})


def test_the_limb_of_a_pole_passes_joints_at_one_place() -> None:
    skeleton = Skeleton(
        joint_names=("hip", "hip2", "thigh", "thigh2", "knee", "knee2", "foot"),
        parents=np.array([-1, 0, 1, 2, 3, 4, 5]),
        offsets=np.array([[0, 0, 0], [0, 1.0, 0], [0, 0, 0], [0, 0, 0], [0, -1.0, 0], [0, 0, 0], [0, -1.0, 0]]),
    )
    start, end = limb(skeleton, "knee")
    assert skeleton.joint_names[start[0]] == "thigh2"
    assert skeleton.joint_names[end[0]] == "foot"
    start, end = limb(skeleton, "knee2")
    assert skeleton.joint_names[start[0]] == "thigh2"


def test_at_most_one_posture() -> None:
    with pytest.raises(InputError, match=r"at most one ik\.posture, got 2"):
        ik.Problem(human_skeleton(), {"a": ik.posture(), "b": ik.posture()})


def test_a_posture_is_of_the_same_skeleton() -> None:
    other = Skeleton(("a", "b"), np.array([-1, 0]), np.zeros((2, 3)))
    pose = Pose(other, np.zeros(3), np.tile(quaternion.IDENTITY, (2, 1)))
    with pytest.raises(InputError, match=r"the pose of ik\.posture has another skeleton than the problem"):
        ik.Problem(human_skeleton(), {"stay": ik.posture(pose)})
