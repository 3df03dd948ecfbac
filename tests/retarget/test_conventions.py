"""One moving body in skeletons of every kind of zero pose: what the files call zero must not matter."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from kinematics.anatomy import find_anatomy
from kinematics.forward import forward_kinematics
from kinematics.io import load_motion
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.testing import anonymous, quadruped_skeleton
from retarget import match, retarget
from retarget.body import read_body

POSES = ("T", "A", "arms down", "+X", "+Y")
BONES = [
    (side + part, side + tip)
    for side in ("left_", "right_")
    for part, tip in (("thigh", "shin"), ("shin", "foot"), ("foot", "toe"), ("upper_arm", "forearm"), ("forearm", "hand"))
]


def in_zero_pose(bodies, person, motion: Motion, pose: str) -> Motion:
    """Return the same moving body in joint frames whose zero rotations are the pose."""
    if pose == "+X":
        return bodies.reorient(motion, bodies.frames_along_x(person))
    if pose == "+Y":
        turn = quaternion.shortest_arc(np.eye(3)[1], np.eye(3)[0])
        return bodies.reorient(motion, quaternion.multiply(bodies.frames_along_x(person), turn))
    down = {"T": 0.0, "A": 0.8, "arms down": 1.5}[pose]
    frames = np.tile(quaternion.IDENTITY, (person.skeleton.num_joints, 1))
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        arm = person.parts[side + "upper_arm"]
        turn = quaternion.from_rotation_vector(np.array([0.0, 0.0, -sign * down]))
        frames[[arm, *person.skeleton.descendants(arm)]] = quaternion.inverse(turn)
    return bodies.reorient(motion, frames)


def directions(person, motion: Motion) -> np.ndarray:
    where = forward_kinematics(motion).global_positions
    steps = np.stack([where[:, person.parts[tip]] - where[:, person.parts[part]] for part, tip in BONES], axis=1)
    return steps / np.linalg.norm(steps, axis=-1, keepdims=True)


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(np.sum(a * b, axis=-1), -1.0, 1.0))).max())


@pytest.mark.parametrize("source", POSES)
@pytest.mark.parametrize("target", POSES)
def test_every_zero_pose_onto_every_other(bodies, source: str, target: str) -> None:
    """Limbs point where the source's point, and all of the result is where it is between two T-poses."""
    one, other = bodies.person("LAFAN1", seed=3), bodies.person("SMPL", seed=4)
    walk, own = one.walk(30), other.walk(30, turn=-0.5)
    result = retarget(in_zero_pose(bodies, one, walk, source), in_zero_pose(bodies, other, own, target), config="faithful").motion
    wanted, got = directions(one, walk), directions(other, result)
    long = [index for index, (part, _) in enumerate(BONES) if not part.endswith("foot")]
    assert degrees(wanted[:, long], got[:, long]) < 0.5


@pytest.mark.parametrize("source", ["T", "+X"])
def test_names_that_say_nothing_change_nothing(bodies, source: str) -> None:
    """With a clip of each, two nameless skeletons are matched and aligned as their named originals are, left and right too."""
    one, other = bodies.person("LAFAN1"), bodies.person("Unity", seed=4)
    walk, own = in_zero_pose(bodies, one, one.walk(30), source), in_zero_pose(bodies, other, other.walk(30), "+Y")
    named = retarget(walk, own, config="faithful").motion
    for seed in range(3):
        (nameless, _), (target, order) = anonymous(walk, seed=seed), anonymous(own, seed=seed + 10)
        got = retarget(nameless, target, config="faithful").motion
        wanted = forward_kinematics(named).global_positions[:, order]
        np.testing.assert_allclose(forward_kinematics(got).global_positions, wanted, atol=1e-6)


@pytest.mark.parametrize("clip", ["cmu_cgspeed/01_01", "fair1/dab", "games105/walk60", "pybvh/bvh_test1"])
def test_nameless_clips_of_others(shared_data, clips, clip: str) -> None:
    source, target = load_motion(shared_data / f"{clip}.bvh")[:60], load_motion(clips / "walk_lafan1.bvh")[:60]
    named = forward_kinematics(retarget(source, target, config="faithful").motion).global_positions
    (nameless, _), (other, order) = anonymous(source, seed=1), anonymous(target, seed=2)
    got = forward_kinematics(retarget(nameless, other, config="faithful").motion).global_positions
    assert np.abs(got - named[:, order]).max() < 1e-3 * np.ptp(named[0], axis=0).max()


def test_animals_with_other_numbers_of_joints() -> None:
    """Legs, spine, neck, head and tail of two four-legged bodies; limbs of the result point as the source's do."""
    one, other = quadruped_skeleton(), quadruped_skeleton(spine=6, neck=4, tail=9, toes=2, hind=3)
    found = find_anatomy(one).joints, find_anatomy(other).joints
    joint_map = match(one, other)
    for role in found[1]:
        drivers = [pair.source for pair in joint_map.sources_of(other.joint_names[found[1][role]])]
        assert one.joint_names[found[0][role]] in drivers, role
    tails = [
        name for name in other.joint_names if joint_map.sources_of(name)[:1] and joint_map.sources_of(name)[0].role == "tail"
    ]
    assert len(tails) == 9
    shape = (20, one.num_joints, 3)
    turns = 0.2 * np.sin(np.arange(20)[:, None, None] / 5 + np.random.default_rng(1).normal(size=shape[1:]))
    walk = Motion(one, np.zeros((20, 3)), quaternion.from_rotation_vector(turns), 1 / 30)
    result = retarget(walk, other, config="faithful")
    assert result.report.source_rest == result.report.target_rest == "zero pose"
    seen = forward_kinematics(walk).global_positions, forward_kinematics(result.motion).global_positions
    for side in ("left_", "right_"):
        for part, tip in (("thigh", "shin"), ("shin", "foot"), ("upper_arm", "forearm"), ("forearm", "hand")):
            ways = [
                where[:, joints[side + tip]] - where[:, joints[side + part]] for where, joints in zip(seen, found, strict=True)
            ]
            ways = [way / np.linalg.norm(way, axis=1, keepdims=True) for way in ways]
            assert degrees(*ways) < 0.5


def test_reading_a_body_again_gives_the_same_and_keeps_nothing_alive(bodies) -> None:
    clip = bodies.person("LAFAN1", seed=3).walk(12)
    assert read_body(clip, "source") is read_body(clip, "source") and match(clip, clip) is match(clip, clip)
    gone = weakref.ref(clip)
    del clip
    gc.collect()
    assert gone() is None
