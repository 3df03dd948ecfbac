"""The tasks of the inverse kinematics benchmark: bodies, targets that can be reached, and the check of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import _bodies as bodies
import numpy as np

from kinematics import Motion, Skeleton, forward_kinematics, load_motion
from kinematics._arrays import hand_over
from kinematics.ik.human import human_limits
from kinematics.ik.limits import EulerBox, Limit, clamp, limit_violations
from kinematics.rotations import quaternion

CLIP = Path(__file__).resolve().parent.parent / "data" / "clips" / "walk_cmu.bvh"
ENDS = ("LeftHand", "RightHand", "LeftFoot", "RightFoot")
LIMBS = tuple(side + part for side in ("Left", "Right") for part in ("UpLeg", "Leg", "Foot", "Arm", "ForeArm", "Hand"))
SPREAD = 0.3  # radians, standard deviation of each component of a limb's random turn
BONES, BEND = 9, 0.2


@dataclass(frozen=True)
class Task:
    """Targets for some joints of a body.

    Attributes:
        name: Short name; the files' too.
        body: The body, with those limits that hinges can have.
        motion: One frame: the pose that the search starts from.
        effectors: Joints that have goals.
        points: Global target positions, shape (targets, effectors, 3).
        turns: Global target rotations, wxyz, shape (targets, effectors, 4); None where positions are all.
        tolerance: Distance that counts as met.
        angle_tolerance: Radians that count as met.
        warm: Whether each search starts from the last answer.
        limits: All limits.
    """

    name: str
    body: bodies.Body
    motion: Motion
    effectors: tuple[str, ...]
    points: np.ndarray
    turns: np.ndarray | None = None
    tolerance: float = 0.01
    angle_tolerance: float = 1.0
    warm: bool = False
    limits: Mapping[str, Limit] = field(default_factory=dict)

    @property
    def hinge_limits(self) -> dict[str, Limit]:
        """Those limits that hinges can have: ranges of Euler angles."""
        return {name: limit for name, limit in self.limits.items() if isinstance(limit, EulerBox)}


def make_tasks() -> dict[str, Task]:
    """Return all tasks by name, always the same.

    chain: 10 ball joints, 9 bones of 1, the first in place; 200 targets evenly in the ball of 0.95 of the reach; from a chain
    bent by 0.2 radians a joint. unreachable: the same with targets 1.1 to 2 times as far as it reaches. body: the skeleton of
    walk_cmu, hands and feet where other frames with limbs turned at random have them, from the first frame, brought to the
    same place. batch: 10 000 of these. limited: with the rotations of hands and feet, in poses within human limits. clip: the
    walk's own hands and feet, there and back, 4000 frames.
    """
    clip = load_motion(CLIP)
    limits = human_limits(clip)
    chain = chain_motion(BONES, 1.0, BEND)
    fixed = bodies.make_body(chain.skeleton, free_root=False)
    free = bodies.make_body(clip.skeleton, free_root=True)
    limited = bodies.make_body(clip.skeleton, free_root=True, limits=limits)
    tip = (chain.skeleton.joint_names[-1],)
    near = random_points(200, 0.0, 0.95 * BONES, seed=1)[:, None]
    far = random_points(200, 1.1 * BONES, 2.0 * BONES, seed=2)[:, None]
    poses = random_poses(clip, 1000, seed=3)
    many = random_poses(clip, 10_000, seed=4)
    human = random_poses(clip, 1000, seed=5, limits=limits)
    there_and_back = np.abs((np.arange(4000) + clip.num_frames - 1) % (2 * clip.num_frames - 2) - (clip.num_frames - 1))
    walk = clip[there_and_back]
    points, turns = targets_of(human)
    tasks = [
        Task("chain", fixed, chain, tip, near),
        Task("body", free, clip[:1], ENDS, targets_of(poses)[0]),
        Task("batch", free, clip[:1], ENDS, targets_of(many)[0]),
        Task(
            "limited", limited, clamp(clip[:1], limits), ENDS, points, turns, angle_tolerance=float(np.radians(1)), limits=limits
        ),
        Task("clip", free, clip[:1], ENDS, targets_of(walk)[0], tolerance=1e-4, warm=True),
        Task("unreachable", fixed, chain, tip, far),
    ]
    return {task.name: task for task in tasks}


def write(task: Task, folder: Path) -> None:
    """Write a task for contenders: its body as MJCF and URDF, its numbers as NPZ."""
    body, names = task.body, task.body.skeleton.joint_names[1 if task.body.free_root else 0 :]
    (folder / f"{task.name}.urdf").write_text(bodies.urdf(body, task.effectors), encoding="utf-8")
    (folder / f"{task.name}.xml").write_text(bodies.mjcf(body, task.effectors), encoding="utf-8")
    np.savez(
        folder / f"{task.name}.npz",
        points=task.points,
        turns=np.zeros(0) if task.turns is None else task.turns,
        ball_start=bodies.ball_row(body, task.motion),
        hinge_start=bodies.hinge_row(body, task.motion),
        balls=np.array(names),
        hinges=np.array([f"{name}_{k}" for name in names for k in range(3)]),
        effectors=np.array(task.effectors),
        free_root=body.free_root,
        limited=body.limited,
        tolerance=task.tolerance,
        angle_tolerance=task.angle_tolerance,
        warm=task.warm,
    )


def judge(task: Task, rows: np.ndarray, *, hinges: bool = False) -> dict[str, np.ndarray]:
    """Return, for each answer, the largest distance and angle left over all goals, and the radians outside of a limit.

    Rows of hinge angles are held to the hinges' ranges, rows of quaternions to all limits, with `hinges` to those of hinges.
    """
    skeleton = task.body.skeleton
    places, turned, outside = bodies.global_transforms(task.body, rows)
    ends = [skeleton.joint_index(name) for name in task.effectors]
    distance = np.linalg.norm(places[:, ends] - task.points[: len(rows)], axis=-1).max(axis=1)
    angle = np.zeros(len(rows))
    if task.turns is not None:
        apart = np.swapaxes(turned[:, ends], -1, -2) @ bodies.matrix(task.turns[: len(rows)])
        skew = np.stack([apart[..., i, j] - apart[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0))])
        angle = np.arctan2(np.linalg.norm(skew, axis=0), np.trace(apart, axis1=-2, axis2=-1) - 1.0).max(axis=1)
    if task.limits and rows.shape[1] == 3 + 4 * skeleton.num_joints:
        rotations = rows[:, 3:].reshape(len(rows), -1, 4)
        limits = task.hinge_limits if hinges else task.limits
        outside = limit_violations(Motion(skeleton, rows[:, :3], rotations, 1.0), limits).max(axis=1)
    return {"distance": distance, "angle": angle, "outside": outside}


def chain_motion(bones: int, length: float, bend: float) -> Motion:
    """Return one frame of a chain along X; each bone turned by `bend` radians against the last one, about Z and Y by turns."""
    offsets = np.zeros((bones + 1, 3))
    offsets[1:, 0] = length
    skeleton = Skeleton(tuple(f"joint{index}" for index in range(bones + 1)), np.arange(-1, bones), offsets)
    vectors = np.zeros((bones + 1, 3))
    vectors[1:-1:2, 2], vectors[2:-1:2, 1] = bend, bend
    return Motion(skeleton, np.zeros((1, 3)), quaternion.from_rotation_vector(vectors)[None], 1.0)


def random_points(count: int, nearest: float, farthest: float, seed: int) -> np.ndarray:
    """Return points in random directions, evenly distributed in the shell between two distances, shape (count, 3)."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, 3))
    distance = np.cbrt(rng.uniform(nearest**3, farthest**3, size=(count, 1)))
    return direction / np.linalg.norm(direction, axis=1, keepdims=True) * distance


def random_poses(clip: Motion, count: int, seed: int, *, limits: Mapping[str, Limit] | None = None) -> Motion:
    """Return frames of a clip (not the first) with limbs turned at random, standing where the first frame stands."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(1, clip.num_frames, size=count)
    rotations = np.array(clip.local_rotations[frames])
    joints = [clip.skeleton.joint_index(name) for name in LIMBS]
    turns = quaternion.from_rotation_vector(SPREAD * rng.normal(size=(count, len(joints), 3)))
    rotations[:, joints] = quaternion.multiply(rotations[:, joints], turns)
    roots = np.array(clip.root_positions[frames])
    roots[:, [0, 2]] = clip.root_positions[0, [0, 2]]
    made = Motion(clip.skeleton, roots, hand_over(rotations), clip.frame_time)
    return made if limits is None else clamp(made, limits)


def targets_of(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return global positions (frames, 4, 3) and rotations (frames, 4, 4) of hands and feet."""
    transforms = forward_kinematics(motion)
    joints = [motion.skeleton.joint_index(name) for name in ENDS]
    return transforms.global_positions[:, joints], transforms.global_rotations[:, joints]
