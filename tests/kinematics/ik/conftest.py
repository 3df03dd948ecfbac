"""A body and a clip that tests of problems solve on."""

from __future__ import annotations

import pytest
from ik_problems import bent

from kinematics import Motion, Pose
from kinematics.testing import human_skeleton, random_motion


@pytest.fixture(scope="module")
def body() -> Pose:
    return bent(human_skeleton())


@pytest.fixture(scope="module")
def clip() -> Motion:
    return random_motion(human_skeleton(), 3, num_frames=9, smooth=True)
