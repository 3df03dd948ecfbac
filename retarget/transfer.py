"""Carry global rotations from one body to another, and move the body through the world.

Both skeletons have a common rest pose (`retarget.rest_pose`). With N the global rotation of a joint in it, a source joint that is
turned to R has left the rest pose by R N_source^-1; the target joint does the same: R_target = R N_source^-1 F N_target. F is the
identity, except where a rest pose was guessed or both skeletons are one body in different joint frames: there it turns the target
joint so that its bones lie along the source's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from kinematics import kernels
from kinematics._arrays import FrozenArrays, frozen
from kinematics.forward import GlobalTransforms
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.joint_map import JointMap
from retarget.rest_pose import RestPose

SAME_BODY = 0.01  # largest share by which bone lengths of one body differ


@dataclass(frozen=True, eq=False)
class Alignment(FrozenArrays):
    """How source joints turn target joints; one row for each pair of the joint map, sorted by target joint.

    Attributes:
        source_joints: Index of the source joint, shape (pairs,).
        target_joints: Index of the target joint, shape (pairs,).
        weights: Share of the pair in the target joint's rotation, shape (pairs,).
        local_rotations: Target frame in the source joint's frame, N_source^-1 F N_target, wxyz, shape (pairs, 4).
        same_body: Whether both skeletons have the same bone lengths up to one scale.
    """

    source_joints: Int[np.ndarray, " pairs"]
    target_joints: Int[np.ndarray, " pairs"]
    weights: Float[np.ndarray, " pairs"]
    local_rotations: Float[np.ndarray, "pairs 4"]
    same_body: bool

    def __post_init__(self) -> None:
        """Copy, check and lock."""
        pairs = len(self.source_joints)
        for name in ("source_joints", "target_joints"):
            object.__setattr__(self, name, frozen(getattr(self, name), (pairs,), name, np.int64))
        for name, shape in (("weights", (pairs,)), ("local_rotations", (pairs, 4))):
            object.__setattr__(self, name, frozen(getattr(self, name), shape, name))


def align(joint_map: JointMap, source: RestPose, target: RestPose) -> Alignment:
    """Find the constant rotation between the joints of each pair."""
    pairs = sorted(joint_map.pairs, key=lambda pair: target.skeleton.joint_index(pair.target))
    ours = np.array([source.skeleton.joint_index(pair.source) for pair in pairs], dtype=np.int64)
    theirs = np.array([target.skeleton.joint_index(pair.target) for pair in pairs], dtype=np.int64)
    driver = dict(zip(theirs[::-1].tolist(), ours[::-1].tolist(), strict=True))  # the first pair of each target joint
    bones = {joint: _bones(joint, driver, source, target) for joint in driver}
    same_body = _same_lengths(list(bones.values()))
    turns = np.tile(quaternion.IDENTITY, (target.skeleton.num_joints, 1))
    if same_body or not (source.is_certain and target.is_certain):
        for joint in sorted(driver):
            parent = int(target.skeleton.parents[joint])
            above = turns[parent] if parent >= 0 else quaternion.IDENTITY
            turns[joint] = _turn_onto(*bones[joint], above, same_body)
    weights = np.array([pair.weight for pair in pairs], dtype=np.float64)
    rotations = quaternion.multiply(
        quaternion.inverse(source.global_rotations[ours]), quaternion.multiply(turns[theirs], target.global_rotations[theirs])
    )
    return Alignment(ours, theirs, weights, rotations, same_body)


def transfer_rotations(
    global_rotations: Float[np.ndarray, "frames source_joints 4"],
    alignment: Alignment,
    target: Skeleton,
    resting_rotations: Float[np.ndarray, "joints 4"],
) -> Float[np.ndarray, "frames joints 4"]:
    """Return the target's local rotations.

    Args:
        global_rotations: The source's global rotations, wxyz, in a world with Y up.
        alignment: Pairs of joints. Several source joints of one target joint are blended: the normalized sum of their
            quaternions on one half-sphere.
        target: The target skeleton.
        resting_rotations: Local rotation of each target joint that nothing drives; the root's in a world with Y up.

    Returns:
        Local rotations wxyz; the root's in the same world.
    """
    starts = np.searchsorted(alignment.target_joints, np.arange(target.num_joints + 1))
    local: np.ndarray = kernels.transfer.transfer(
        np.ascontiguousarray(global_rotations),
        alignment.source_joints,
        starts,
        alignment.weights,
        alignment.local_rotations,
        target.parents,
        np.ascontiguousarray(resting_rotations),
    )
    return local


def carry(motion: Motion, seen: GlobalTransforms, away: Float[np.ndarray, "frames 3"], *, carrier: int = 0) -> Motion:
    """Move one joint, with all below it, through the world.

    Args:
        motion: The motion.
        seen: Its forward kinematics.
        away: How far in each frame, in the motion's unit and world, shape (frames, 3).
        carrier: The joint that is moved: the root, or one below it, whose local positions then change from frame to frame.
    """
    if carrier == 0:
        return motion.with_root_positions(motion.root_positions + away)
    skeleton = motion.skeleton
    resting = skeleton.offsets if motion.local_positions is None else motion.local_positions
    local = np.array(np.broadcast_to(resting, (motion.num_frames, skeleton.num_joints, 3)))
    above = seen.global_rotations[:, skeleton.parents[carrier]]
    local[:, carrier] += quaternion.rotate(quaternion.inverse(above), away)
    return replace(motion, local_positions=local)


def _bones(joint: int, driver: dict[int, int], source: RestPose, target: RestPose) -> tuple[np.ndarray, np.ndarray]:
    """Vectors from a target joint to the next driven joints below it, and the same of the source, in the rest pose."""
    ours, theirs, queue = [], [], list(target.skeleton.children[joint])
    one = driver[joint]
    while queue:
        child = queue.pop(0)
        if child not in driver:
            queue += target.skeleton.children[child]
        elif one in source.skeleton.ancestors(driver[child]):
            ours.append(source.global_positions[driver[child]] - source.global_positions[one])
            theirs.append(target.global_positions[child] - target.global_positions[joint])
    if not theirs:
        ends = _tips(source, one), _tips(target, joint)
        if len(ends[0]) == 1 and len(ends[1]) == 1:
            ours.append(ends[0][0] - source.global_positions[one])
            theirs.append(ends[1][0] - target.global_positions[joint])
    return np.array(ours).reshape(-1, 3), np.array(theirs).reshape(-1, 3)


def _tips(rest: RestPose, joint: int) -> np.ndarray:
    """Return where the bones of a joint end that no joint continues: its end sites, and joints below it that are leaves."""
    skeleton = rest.skeleton
    leaves = [child for child in skeleton.children[joint] if not skeleton.children[child]]
    ends = rest.end_site_positions[skeleton.end_site_parents == joint]
    return np.concatenate([rest.global_positions[leaves], ends])


def _same_lengths(bones: list[tuple[np.ndarray, np.ndarray]]) -> bool:
    ours = np.concatenate([np.linalg.norm(one, axis=1) for one, _ in bones])
    theirs = np.concatenate([np.linalg.norm(other, axis=1) for _, other in bones])
    scale = theirs.sum() / ours.sum() if ours.sum() > 0 else 0.0
    return bool(scale > 0 and np.all(np.abs(theirs - scale * ours) <= SAME_BODY * theirs.max()))


def _turn_onto(ours: np.ndarray, theirs: np.ndarray, above: np.ndarray, same_body: bool) -> np.ndarray:
    """Return the rotation that lays the target's bones along the source's; the parent's where there are no bones.

    One direction: the parent's turn, then the smallest rotation. Several: Kabsch (1976) for the same body; between different
    builds no rotation lays them all along each other, and the rest pose has hips and collar bones across already.
    """
    sizes = np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1)
    far = (sizes[0] > 1e-6 * sizes[0].max(initial=0.0)) & (sizes[1] > 1e-6 * sizes[1].max(initial=0.0))
    if not far.any():
        return above
    ours, theirs = ours[far] / sizes[0][far].max(), theirs[far] / sizes[1][far].max()
    u, s, vt = np.linalg.svd(ours.T @ theirs)
    if s[1] > 1e-3 * s[0]:
        if not same_body:
            return quaternion.IDENTITY
        return quaternion.from_matrix(u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt)
    turned = quaternion.rotate(above, theirs)
    longest = int(sizes[1][far].argmax())
    return quaternion.multiply(quaternion.shortest_arc(turned[longest], ours[longest]), above)
