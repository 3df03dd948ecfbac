from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from kinematics.forward import forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget import retarget
from retarget.report import BONES, bone_direction_errors
from retarget.rest_pose import find_rest_pose


def test_a_turned_bone_is_off_by_its_angle(bodies) -> None:
    person = bodies.person()
    still = Motion(person.skeleton, np.zeros((2, 3)), np.tile(quaternion.IDENTITY, (2, person.skeleton.num_joints, 1)), 0.1)
    bent = still.local_rotations.copy()
    bent[1, person.parts["left_shin"]] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.5)
    rest = find_rest_pose(person.skeleton)
    moved = still.with_local_rotations(bent)
    errors = bone_direction_errors(forward_kinematics(still), forward_kinematics(moved), rest, rest)
    assert set(errors) == set(BONES)
    # The leg is not quite straight in the zero pose: 0.02 m back over 0.41 m, so the bone keeps across the axis.
    assert (
        errors["left_shin"].max_degrees == pytest.approx(np.degrees(0.5)) == pytest.approx(2 * errors["left_shin"].mean_degrees)
    )
    assert errors["left_shin"].build_degrees == 0.0
    assert errors["right_shin"].max_degrees == errors["left_thigh"].max_degrees == 0.0


def test_report_numbers_and_table(bodies) -> None:
    walk = bodies.person("LAFAN1").walk()
    report = retarget(walk, bodies.person("Unreal", seed=3).skeleton).report
    errors = report.bone_directions.values()
    assert report.frames == walk.num_frames and report.mapped <= report.target_joints
    assert report.mean_direction_error_degrees == pytest.approx(np.mean([error.mean_degrees for error in errors]))
    assert report.max_direction_error_degrees == max(error.max_degrees for error in errors)
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(replace(report, warnings=("up axis is a guess", "Head[/x] is stiff")))
    text = console.export_text()
    assert "bone direction error" in text and "left upper arm" in text and "up axis is a guess" in text
    assert "Head[/x] is stiff" in text
    assert replace(report, bone_directions={}).mean_direction_error_degrees == 0.0
