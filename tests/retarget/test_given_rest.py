"""Rest poses that are given: used before any guess, from files of other units and facings, and refused with a reason."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinematics.edit import rotate
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion, save_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget import RetargetError, retarget
from retarget.body import read_body
from retarget.cli import main
from retarget.given_rest import with_rest
from retarget.targets import load_rest


def standing(person, frames: int = 1) -> Motion:
    """Return a person in T-pose: all rotations zero."""
    rotations = np.tile(quaternion.IDENTITY, (frames, person.skeleton.num_joints, 1))
    roots = np.tile([0.0, 0.95, 0.0], (frames, 1))
    return Motion(person.skeleton, roots, rotations, 1.0 / 30.0)


@pytest.fixture(scope="module")
def case(bodies):
    """A walk whose zero pose lies along +X, its T-pose, the same walk with a T for its zero pose, and a target."""
    person, other = bodies.person("LAFAN1"), bodies.person("SMPL", seed=1)
    frames = bodies.frames_along_x(person)
    walk = person.walk()
    # Arms and legs that move in one plane do not tell their twist wholly: a guess from this clip is off by a few degrees.
    return bodies.reorient(walk, frames), bodies.reorient(standing(person), frames), walk, other.walk(20)


def test_a_t_pose_file_makes_an_all_x_clip_the_same_as_one_with_a_t_for_its_zero_pose(case) -> None:
    along_x, t_pose, walk, target = case
    before = along_x.local_rotations.copy()
    given, known, guessed = (
        retarget(clip, target, rest=rest) for clip, rest in ((along_x, t_pose), (walk, None), (along_x, None))
    )
    assert given.report.source_rest == "given pose" and known.report.source_rest == "zero pose"
    assert guessed.report.source_rest == "clip"
    assert given.motion.allclose(known.motion, atol=1e-9)
    assert not guessed.motion.allclose(known.motion, atol=1e-3)
    np.testing.assert_array_equal(along_x.local_rotations, before)
    assert retarget(along_x, target).report.source_rest == "clip"  # what was given holds for one call


@pytest.mark.parametrize("change", ["turned", "centimetres and Z up", "more joints", "second frame"])
def test_how_the_file_is_made_does_not_matter(case, bodies, change: str) -> None:
    along_x, t_pose, _, target = case
    expected = retarget(along_x, target, rest=t_pose).motion
    rest: Motion | int = t_pose
    if change == "turned":
        rest = rotate(t_pose, 0.65)
    elif change == "centimetres and Z up":
        rest = bodies.z_up(t_pose, 100.0)
    elif change == "more joints":
        skeleton, last = t_pose.skeleton, t_pose.skeleton.num_joints
        names, parents = (*skeleton.joint_names, "prop"), np.append(skeleton.parents, 0)
        more = replace(skeleton, joint_names=names, parents=parents, offsets=np.vstack([skeleton.offsets, [0.3, 0.0, 0.0]]))
        rest = Motion(more, t_pose.root_positions, np.insert(t_pose.local_rotations, last, quaternion.IDENTITY, axis=1), 0.1)
    else:
        rotations = np.concatenate([along_x.local_rotations[:1], t_pose.local_rotations, along_x.local_rotations[1:]])
        roots = np.concatenate([along_x.root_positions[:1], t_pose.root_positions, along_x.root_positions[1:]])
        along_x, rest = Motion(along_x.skeleton, roots, rotations, along_x.frame_time), 1
        expected = retarget(along_x, target, rest=t_pose).motion
    assert retarget(along_x, target, rest=rest).motion.allclose(expected, atol=1e-9)


def test_the_targets_rest_pose_too(case, bodies) -> None:
    """A bare skeleton along +X with a T-pose is the skeleton whose zero pose is that T."""
    _, _, walk, _ = case
    other = bodies.person("LAFAN1", seed=2)
    frames = bodies.frames_along_x(other)
    along_x, its_t = bodies.reorient(standing(other), frames).skeleton, bodies.reorient(standing(other), frames)
    given, known = retarget(walk, along_x, target_rest=its_t[0]), retarget(walk, other.skeleton)
    assert given.report.target_rest == "given pose" and not given.report.warnings
    places = [forward_kinematics(result.motion).global_positions for result in (given, known)]
    np.testing.assert_allclose(places[0], places[1], atol=1e-6)
    assert retarget(walk, along_x).report.target_rest == "bone directions"
    body = read_body(with_rest(along_x, its_t, "target"), "target")
    np.testing.assert_allclose(np.abs(body.resting_rotations()[1:]), np.abs(its_t.local_rotations[0, 1:]), atol=1e-9)


@pytest.mark.usefixtures("unchecked_shapes")
def test_what_is_no_rest_pose_of_it_is_refused(case, bodies) -> None:
    along_x, t_pose, walk, target = case
    bent = t_pose.local_rotations.copy()
    for side in ("left_", "right_"):
        thigh = bodies.person("LAFAN1").parts[side + "thigh"]
        bent[0, thigh] = quaternion.multiply(bent[0, thigh], quaternion.from_rotation_vector(np.array([0.0, 0.0, 1.5])))
    empty = Motion(t_pose.skeleton, np.zeros((0, 3)), np.zeros((0, t_pose.skeleton.num_joints, 4)), 0.1)
    for rest, words in (
        (walk[:1], "the source's rest pose is of a skeleton with other joint frames or bones"),
        (target, "it has no joint Hips, Spine"),
        (t_pose.with_local_rotations(bent), "the source's rest pose is no standing body"),
        (empty, "has no frames"),
        (along_x.num_frames, f"its frame {along_x.num_frames}, but it has {along_x.num_frames} frames"),
        ("tpose.bvh", "must be a Pose, a Motion or the number of a frame"),
        (True, "must be a Pose"),
    ):
        with pytest.raises(RetargetError, match=re.escape(words)):
            retarget(along_x, target, rest=rest)
    with pytest.raises(RetargetError, match="the target's rest pose is said to be its frame 0, but it is a skeleton"):
        retarget(walk, target.skeleton, target_rest=0)


def test_command_line(case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    along_x, t_pose, _, target = case
    monkeypatch.chdir(tmp_path)
    two = Motion(along_x.skeleton, *(np.concatenate([a[:1], b]) for a, b in (
        (along_x.root_positions, t_pose.root_positions), (along_x.local_rotations, t_pose.local_rotations))), 0.1)  # fmt: skip
    for name, motion in (("clip", along_x), ("t", t_pose), ("two", two), ("target", target)):
        save_motion(motion, f"{name}.bvh")

    def run(*more: str) -> tuple[int, str]:
        arguments = ["clip.bvh", "--to", "target.bvh", "-o", "out.bvh", "--no-picture", *more]
        monkeypatch.setattr(sys, "argv", ["retarget", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        told = capsys.readouterr()
        return int(exit_info.value.code or 0), told.out + told.err

    results = []
    for rest in ("t.bvh", "two.bvh@1", "two.bvh@-1"):
        status, told = run("--rest", rest)
        assert status == 0 and "given pose" in told
        results.append(load_motion("out.bvh"))
    assert results[0].allclose(results[1], atol=1e-6) and results[0].allclose(results[2], atol=1e-6)
    status, told = run("--rest", "two.bvh@2")
    assert status == 2 and "frame 2 of 'two.bvh', which has 2 frames" in told
    status, told = run("--target-rest", "missing.bvh")
    assert status == 2 and "missing.bvh" in told
    assert load_rest("7") == 7 and load_rest(None) is None
