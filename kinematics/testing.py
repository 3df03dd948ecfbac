"""Helpers for tests of motion code, ours and our users'."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics.errors import InputError
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton


def assert_quats_close(
    actual: Float[np.ndarray, "*batch 4"], expected: Float[np.ndarray, "*batch 4"], *, atol_radians: float = 1e-9
) -> None:
    """Assert that rotations agree, whatever the sign of their quaternions.

    Raises:
        AssertionError: With the largest angle between two rotations and where it is.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        raise AssertionError(f"shapes differ: {actual.shape} and {expected.shape}")
    angles = quaternion.angle_between(expected, actual)
    if not np.all(angles <= atol_radians):
        worst = np.unravel_index(int(np.argmax(np.where(np.isnan(angles), np.inf, angles))), angles.shape)
        raise AssertionError(f"rotations differ by {angles[worst]:.3g} rad at {tuple(int(i) for i in worst)}")


def assert_motions_close(actual: Motion, expected: Motion, *, atol: float = 1e-9) -> None:
    """Assert that two motions have the same skeleton, time and poses (`atol` in the motion's unit and in radians).

    Raises:
        AssertionError: Naming what differs.
    """
    if actual.skeleton.joint_names != expected.skeleton.joint_names:
        raise AssertionError(f"joints differ: {actual.skeleton.joint_names} and {expected.skeleton.joint_names}")
    if not actual.skeleton.allclose(expected.skeleton, atol=atol):
        raise AssertionError("skeletons differ in tree, offsets or end sites")
    if actual.num_frames != expected.num_frames:
        raise AssertionError(f"{actual.num_frames} frames, expected {expected.num_frames}")
    np.testing.assert_allclose(actual.frame_time, expected.frame_time, rtol=0, atol=1e-12)
    np.testing.assert_allclose(actual.root_positions, expected.root_positions, rtol=0, atol=atol)
    assert_quats_close(actual.local_rotations, expected.local_rotations, atol_radians=atol)
    if (actual.local_positions is None) != (expected.local_positions is None):
        raise AssertionError("only one of the motions has moving local positions")
    if actual.local_positions is not None and expected.local_positions is not None:
        np.testing.assert_allclose(actual.local_positions, expected.local_positions, rtol=0, atol=atol)


def random_skeleton(seed: int, *, num_joints: int = 12, num_end_sites: int = 3, bone_length: float = 0.3) -> Skeleton:
    """Make a random tree with some zero-length bones, always the same for a seed."""
    if num_joints < 1:
        raise InputError(f"num_joints must be at least 1, got {num_joints}")
    rng = np.random.default_rng(seed)
    offsets = rng.normal(size=(num_joints, 3)) * bone_length
    offsets[rng.random(num_joints) < 0.1] = 0.0
    return Skeleton(
        joint_names=tuple(f"joint{index}" for index in range(num_joints)),
        parents=np.array([-1] + [int(rng.integers(joint)) for joint in range(1, num_joints)]),
        offsets=offsets,
        end_site_parents=rng.integers(num_joints, size=num_end_sites),
        end_site_offsets=rng.normal(size=(num_end_sites, 3)) * bone_length,
    )


def random_motion(
    skeleton: Skeleton,
    seed: int,
    *,
    num_frames: int = 20,
    frame_time: float = 1 / 30,
    smooth: bool = False,
    stretch: bool = False,
) -> Motion:
    """Make a random motion: frames without relation, or with `smooth` a few slow waves; with `stretch` bones move too."""
    rng = np.random.default_rng(seed)
    joints = skeleton.num_joints
    if smooth:
        phase = 2 * np.pi * (np.arange(num_frames)[:, None, None] * frame_time + rng.random((joints, 3)))
        rotations = quaternion.from_rotation_vector(rng.normal(size=(joints, 3)) * 0.5 * np.sin(phase))
        root = np.cumsum(rng.normal(size=3) * 0.01 + 0.005 * np.sin(phase[:, 0]), axis=0)
    else:
        rotations = quaternion.normalize(rng.normal(size=(num_frames, joints, 4)))
        root = rng.normal(size=(num_frames, 3))
    local_positions = skeleton.offsets + 0.05 * rng.normal(size=(num_frames, joints, 3)) if stretch else None
    return Motion(skeleton, root, rotations, frame_time, local_positions)


def human_skeleton(height: float = 1.75) -> Skeleton:
    """Make a person in T-pose, Y up, facing +Z, named as LAFAN1 names joints, with the proportions of Winter (2009, figure 4.1).

    Soles are 0.53 `height` below the hips. At 1.75 the unit is the metre.
    """
    middle = [("Hips", -1, 0.53), ("Spine", 0, 0.1), ("Spine1", 1, 0.1), ("Neck", 2, 0.11), ("Head", 3, 0.05)]
    body = [(name, parent, (0.0, rise, 0.0)) for name, parent, rise in middle]
    ends = [("Head", (0.0, 0.11, 0.0))]
    for side, left in (("Left", 1.0), ("Right", -1.0)):
        first = len(body)
        body += [
            (f"{side}UpLeg", 0, (left * 0.052, 0.0, 0.0)),
            (f"{side}Leg", first, (0.0, -0.245, 0.0)),
            (f"{side}Foot", first + 1, (0.0, -0.246, 0.0)),
            (f"{side}Toe", first + 2, (0.0, -0.031, 0.08)),
            (f"{side}Shoulder", 2, (left * 0.02, 0.08, 0.0)),
            (f"{side}Arm", first + 4, (left * 0.109, 0.0, 0.0)),
            (f"{side}ForeArm", first + 5, (left * 0.186, 0.0, 0.0)),
            (f"{side}Hand", first + 6, (left * 0.146, 0.0, 0.0)),
        ]
        ends += [(f"{side}Toe", (0.0, -0.008, 0.04)), (f"{side}Hand", (left * 0.108, 0.0, 0.0))]
    names = tuple(name for name, _, _ in body)
    return Skeleton(
        joint_names=names,
        parents=np.array([parent for _, parent, _ in body]),
        offsets=height * np.array([offset for _, _, offset in body]),
        end_site_parents=np.array([names.index(name) for name, _ in ends]),
        end_site_offsets=height * np.array([offset for _, offset in ends]),
    )


def anonymous(motion: Motion, *, seed: int | None = None) -> tuple[Motion, list[int]]:
    """Return the same moving body with joint names that say nothing.

    Args:
        motion: The clip.
        seed: Put the children of each joint into a random order, the same for a seed; kept by default.

    Returns:
        The clip, and for each of its joints the joint of the given clip.
    """
    skeleton, order, queue = motion.skeleton, [], [0]
    rng = np.random.default_rng(seed)
    while queue:
        order.append(queue.pop())
        children = list(skeleton.children[order[-1]])
        queue += children[::-1] if seed is None else rng.permutation(children).tolist()
    place = np.argsort(order)
    nameless = Skeleton(
        joint_names=tuple(f"j{index}" for index in range(len(order))),
        parents=np.array([-1, *place[skeleton.parents[order[1:]]]]),
        offsets=skeleton.offsets[order],
        end_site_parents=place[skeleton.end_site_parents],
        end_site_offsets=skeleton.end_site_offsets,
    )
    positions = None if motion.local_positions is None else motion.local_positions[:, order]
    return Motion(nameless, motion.root_positions, motion.local_rotations[:, order], motion.frame_time, positions), order


def quadruped_skeleton(*, spine: int = 4, neck: int = 2, tail: int = 5, toes: int = 1, hind: int = 4) -> Skeleton:
    """Make an animal on four legs in a standing pose, Y up, facing +Z, with joint names that say nothing.

    Args:
        spine: Joints between the pelvis and the chest.
        neck: Joints between the chest and the head.
        tail: Joints of the tail; 0 for none.
        toes: Joints of each toe chain.
        hind: Joints of a hind leg without its toes: hip, knee, ankle, and with 4 the ball of the foot.
    """
    rows: list[tuple[int, tuple[float, float, float]]] = [(-1, (0.0, 0.7, -0.4))]

    def chain(parent: int, steps: list[tuple[float, float, float]]) -> int:
        for step in steps:
            rows.append((parent, step))
            parent = len(rows) - 1
        return parent

    ends: list[tuple[int, tuple[float, float, float]]] = []
    chest = chain(0, [(0.0, 0.0, 0.8 / (spine + 1))] * (spine + 1))
    head = chain(chest, [(0.0, 0.15 / (neck + 1), 0.3 / (neck + 1))] * (neck + 1))
    ends.append((head, (0.0, 0.0, 0.2)))
    for side in (1.0, -1.0):
        leg = [(side * 0.1, 0.0, 0.0), (0.0, -0.28, 0.06), (0.0, -0.26, -0.12), (0.0, -0.12, 0.06)][:hind]
        last = chain(0, leg + [(0.0, -0.02, 0.06 / toes)] * toes)
        ends.append((last, (0.0, 0.0, 0.04)))
        arm = [(side * 0.06, 0.05, 0.0), (side * 0.04, -0.12, 0.08), (0.0, -0.28, -0.1), (0.0, -0.26, 0.04)]
        last = chain(chest, arm + [(0.0, -0.04, 0.05 / toes)] * toes)
        ends.append((last, (0.0, 0.0, 0.04)))
    if tail:
        ends.append((chain(0, [(0.0, 0.0, -0.4 / tail)] * tail), (0.0, 0.0, -0.4 / tail)))
    return Skeleton(
        joint_names=tuple(f"bone{index}" for index in range(len(rows))),
        parents=np.array([parent for parent, _ in rows]),
        offsets=np.array([offset for _, offset in rows]),
        end_site_parents=np.array([parent for parent, _ in ends]),
        end_site_offsets=np.array([offset for _, offset in ends]),
    )
