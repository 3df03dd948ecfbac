"""A robot's hinges as chains with goals: trunk, head, legs and arms, each of which follows its part of the twin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from kinematics import kernels
from kinematics._arrays import FrozenArrays
from kinematics.anatomy import SIDES
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from retarget.robots.collisions import Near, near_capsules, nothing_near
from retarget.robots.model import HINGE, Robot
from retarget.robots.twin import Twin, zero_positions

INSIDE = 1e-9  # radians by which angles stay away from their limits, so that rounding never leaves them
TO_REST, TO_BESIDE = 0.03, 0.3  # weights of a radian away from the resting pose, and from the frames beside
SWEEPS = (0, -1)  # over the clip: forwards frame after frame, then back between both neighbours
SETTLING = (1, -1)  # the same, both between neighbours
ANKLE, FOOT, BONE, WRIST, HEAD = 10.0, 1.0, 0.2, 0.15, 1.0  # weights: a leg's length off, a radian off, a bone's length off
FIXED_FOOT = 0.05  # of a foot without an ankle
CLEAR_LEG, CLEAR_ARM = 2.0, 20.0  # weights of an overlap as long as the limb: feet come before knees that touch
LIMBS = LEFT_LEG = 2  # chains: trunk, head, left leg, right leg, arms
ALIKE = 0.3  # radians by which the two sides of a knee's range may differ without telling which way it bends


@dataclass(frozen=True)
class Goal:
    """One thing that a chain does.

    Attributes:
        kind: POSITION, DIRECTION or ORIENTATION of the kernel.
        role: Body part whose place or rotation is meant.
        start: Body part at which a direction begins; "" of other kinds.
        weight: How much it counts.
    """

    kind: int
    role: str
    start: str
    weight: float


@dataclass(frozen=True, eq=False)
class Chains(FrozenArrays):
    """Arrays for `kinematics.kernels.hinges.track`; hinges in the order of the chains.

    Attributes:
        robot: The robot.
        twin: Its twin.
        hinges: Place of each chain hinge among the robot's hinges, shape (n,).
        still: Angle of all hinges of the robot where nothing drives them, radians, shape (hinges,).
        carried: Chain hinge whose frame is the pelvis; -1 where that is the root.
        starts: First hinge of each chain, and the end, shape (chains + 1,).
        bases: Chain hinge at whose frame each chain begins, -1 for the root, shape (chains,).
        goals: What each goal is, in the order of the chains.
        goal_starts: First goal of each chain, and the end, shape (chains + 1,).
        goal_frames: Frames of its two points within the chain, shape (goals, 2).
        goal_offsets: The points in them, metres, shape (goals, 2, 3).
        axes: Of each chain hinge, shape (n, 3).
        offsets: From the frame before, metres, shape (n, 3).
        lower: Least angle, shape (n,).
        upper: Largest angle, shape (n,).
        capsule_frames: Chain hinge that carries each capsule of the robot, -1 the root, shape (capsules,).
        capsule_ends: Its ends in that frame, metres, shape (capsules, 2, 3).
        capsule_chains: Chain of that hinge, -1 none, shape (capsules,).
    """

    robot: Robot
    twin: Twin
    hinges: Int[np.ndarray, " n"]
    still: Float[np.ndarray, " hinges"]
    carried: int
    starts: Int[np.ndarray, " chains_1"]
    bases: Int[np.ndarray, " chains"]
    goals: tuple[Goal, ...]
    goal_starts: Int[np.ndarray, " chains_1"]
    goal_frames: Int[np.ndarray, "goals 2"]
    goal_offsets: Float[np.ndarray, "goals 2 3"]
    axes: Float[np.ndarray, "n 3"]
    offsets: Float[np.ndarray, "n 3"]
    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    capsule_frames: Int[np.ndarray, " capsules"]
    capsule_ends: Float[np.ndarray, "capsules 2 3"]
    capsule_chains: Int[np.ndarray, " capsules"]

    def follow(
        self, led: GlobalTransforms
    ) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames 4"], Float[np.ndarray, "frames hinges"]]:
        """Return root positions (metres), root rotations and all hinge angles (radians) that follow the twin.

        Args:
            led: Forward kinematics of the twin's motion.
        """
        angles = np.tile(self.still, (len(led.global_positions), 1))
        return self._track(led, angles, SWEEPS, 0, np.inf, None)

    def settle(
        self, led: GlobalTransforms, angles: Float[np.ndarray, "frames hinges"], most: float, near: Near | None
    ) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames 4"], Float[np.ndarray, "frames hinges"]]:
        """Return the same for limbs that begin at angles slow enough, stay so, and keep their shapes apart from others.

        Where one hinge of a limb is too slow, its others make up for it.

        Args:
            led: Forward kinematics of the twin's motion.
            angles: All hinge angles, radians; trunk and head keep theirs.
            most: Radians a frame that no hinge turns by more than.
            near: Shapes to keep apart, where there are any.
        """
        return self._track(led, angles, SETTLING, LIMBS, most * (1.0 - 1e-9), near)

    def _track(
        self, led: GlobalTransforms, whole: np.ndarray, sweeps: tuple[int, ...], first: int, most: float, near: Near | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        hinges, frames, near = kernels.hinges, len(led.global_positions), near or nothing_near(len(self.bases))
        places = np.ascontiguousarray(led.global_positions[:, 0]), np.ascontiguousarray(led.global_rotations[:, 0])
        targets, angles = self._targets(led), np.ascontiguousarray(whole[:, self.hinges])
        kinds, weights = np.array([goal.kind for goal in self.goals]), np.array([goal.weight for goal in self.goals])
        roots, turns = np.empty((frames, 3)), np.empty((frames, 4))
        for direction in sweeps:
            roots[:], turns[:] = places
            hinges.track(
                roots, turns, self.carried, self.twin.parts[0].center, self.axes, self.offsets, self.lower, self.upper,
                self.still[self.hinges], np.array([TO_REST, TO_BESIDE]), self.starts, self.bases, self.goal_starts,
                kinds, self.goal_frames, self.goal_offsets, weights, targets, self.capsule_frames, self.capsule_ends,
                self.robot.capsules.radii, near.starts, near.pairs, near.places, near.weights, first, most, angles, direction,
            )  # fmt: skip
        found = np.array(whole)
        found[:, self.hinges] = angles
        return roots, turns, found

    def _targets(self, led: GlobalTransforms) -> Float[np.ndarray, "frames goals 4"]:
        """Return what each goal wants in each frame."""
        hinges, turns = kernels.hinges, led.global_rotations[:, 0]
        targets = np.zeros((len(turns), len(self.goals), 4))
        for g, goal in enumerate(self.goals):
            joint = self.twin.roles.index(goal.role)
            if goal.kind == hinges.ORIENTATION:
                wanted = led.global_rotations[:, joint]
                if self.carried >= 0 and g < self.goal_starts[1]:  # the pelvis as the chest sees it, drawn from the pelvis
                    wanted = quaternion.multiply(turns, quaternion.multiply(quaternion.inverse(wanted), turns))
                targets[:, g] = wanted
            else:
                targets[:, g, :3] = led.global_positions[:, joint]
                if goal.kind == hinges.DIRECTION:
                    targets[:, g, :3] -= led.global_positions[:, self.twin.roles.index(goal.start)]
        return targets

    def limit_speed(
        self, angles: Float[np.ndarray, "frames hinges"], most: float, standing: Bool[np.ndarray, "frames 2"]
    ) -> Bool[np.ndarray, " frames"]:
        """Keep every hinge of `angles` (radians), in place, from turning by more than `most` radians a frame.

        Args:
            angles: Of all hinges.
            most: Radians a frame.
            standing: When the left and the right foot stand: the angles of that leg come before those of its swing.

        Returns:
            The frames in which that changed any, shape (frames,).
        """
        before, held = angles.copy(), np.zeros(angles.shape, dtype=bool)
        for side, leg in enumerate((LEFT_LEG, LEFT_LEG + 1)):
            held[:, self.hinges[self.starts[leg] : self.starts[leg + 1]]] = standing[:, side, None]
        kernels.hinge_speeds.limit_speed(angles, np.full(angles.shape[1], most * (1.0 - 1e-9)), held)
        return np.asarray((angles != before).any(axis=1))

    def near(self, motion: Motion) -> Near | None:
        """Return which shapes of the robot's limbs to keep apart from what, None where none touch.

        Args:
            motion: A motion of the robot.
        """
        return near_capsules(self.robot, motion, self.capsule_chains, len(self.bases), self._clearing())

    def _clearing(self) -> Float[np.ndarray, " chains"]:
        """Return how much a metre of overlap counts for each chain; 0 for those that stay."""
        clearing, limbs = np.zeros(len(self.bases)), np.diff(self.starts) > 0
        reach = np.array([np.linalg.norm(self.offsets[a:b], axis=1).sum() for a, b in pairwise(self.starts.tolist())])
        clearing[LIMBS:] = np.where(np.arange(LIMBS, len(clearing)) < LEFT_LEG + 2, CLEAR_LEG, CLEAR_ARM)
        return np.where(limbs, clearing / np.maximum(reach, 1e-3), 0.0)


@lru_cache(maxsize=16)
def make_chains(robot: Robot, twin: Twin) -> Chains:
    """Cut a robot into chains and give each its goals."""
    return _Builder(robot, twin).build()


class _Builder:
    def __init__(self, robot: Robot, twin: Twin) -> None:
        self.robot, self.twin, self.parts = robot, twin, robot.anatomy.parts
        self.at = zero_positions(robot.skeleton)
        self.slots: dict[int, int] = {}  # robot joint -> chain hinge
        self.starts, self.goal_starts = [0], [0]
        self.bases: list[int] = []
        self.goals: list[Goal] = []
        self.frames: list[tuple[int, int]] = []
        self.points: list[tuple[np.ndarray, np.ndarray]] = []
        self.offsets: list[np.ndarray] = []

    def build(self) -> Chains:
        robot, kinds = self.robot, kernel_kinds()
        position, direction, orientation = kinds
        trunk = "chest" if "chest" in self.twin.roles and robot.anatomy.parts["chest"].hinges else "pelvis"
        # A root below the waist carries the legs and the waist the chest; one above it carries the arms and the waist the pelvis.
        carried = trunk == "pelvis" and bool(self.parts["pelvis"].hinges)
        aim = "chest" if "chest" in self.twin.roles else "pelvis"
        self.chain(trunk, [Goal(orientation, aim, "", 1.0)])
        self.chain("head" if "head" in self.parts else "neck", [Goal(orientation, "head", "", HEAD)])
        lengths = self.lengths()
        for side in SIDES:
            leg = lengths[side + "shin"] + lengths[side + "foot"]
            foot = FOOT if self.parts[side + "foot"].hinges else FIXED_FOOT
            self.chain(
                side + "foot",
                [
                    Goal(position, side + "foot", "", ANKLE / leg),
                    Goal(orientation, side + "foot", "", foot),
                    Goal(direction, side + "shin", side + "thigh", BONE / lengths[side + "shin"]),
                ],
            )
        for side in SIDES:
            tip = next((side + part for part in ("hand", "forearm", "upper_arm") if side + part in self.parts), "")
            if not tip:
                continue
            bones = [(side + "forearm", side + "upper_arm"), (side + "hand", side + "forearm")]
            goals = [Goal(direction, end, start, 1.0 / lengths[end]) for end, start in bones if end in self.parts]
            self.chain(tip, [*goals, Goal(orientation, tip, "", WRIST)])
        joints = list(self.slots)
        places = np.searchsorted(robot.hinges, joints)
        margin = np.where(robot.upper - robot.lower > 4.0 * INSIDE, INSIDE, 0.0)
        lower, upper = robot.lower + margin, robot.upper - margin
        for side in SIDES:
            self.bend_one_way(lower, upper, side + "thigh", side + "shin", side + "foot")
            self.bend_one_way(lower, upper, side + "upper_arm", side + "forearm", side + "hand")
        home = robot.hinge_angles(robot.motion(robot.home_qpos[None], 1.0))[0]
        still = np.clip(home, lower[robot.hinges], upper[robot.hinges])
        frames, ends = self.capsules(still)
        return Chains(
            robot=robot,
            twin=self.twin,
            hinges=places.astype(np.int64),
            still=still,
            carried=self.slots[self.parts["pelvis"].joint] if carried else -1,
            starts=np.array(self.starts, dtype=np.int64),
            bases=np.array(self.bases, dtype=np.int64),
            goals=tuple(self.goals),
            goal_starts=np.array(self.goal_starts, dtype=np.int64),
            goal_frames=np.array(self.frames, dtype=np.int64).reshape(-1, 2),
            goal_offsets=np.array(self.points).reshape(-1, 2, 3),
            axes=np.ascontiguousarray(robot.axes[joints]).reshape(-1, 3),
            offsets=np.array(self.offsets).reshape(-1, 3),
            lower=np.ascontiguousarray(lower[joints]),
            upper=np.ascontiguousarray(upper[joints]),
            capsule_frames=frames,
            capsule_ends=ends,
            capsule_chains=np.where(frames < 0, -1, np.searchsorted(self.starts, frames, side="right") - 1),
        )

    def capsules(self, still: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the chain hinge that carries each capsule, -1 the root, and its ends there; joints between are still."""
        robot, skeleton, shape = self.robot, self.robot.skeleton, self.robot.capsules
        qpos = robot.neutral_qpos.copy()
        qpos[robot.qpos_addresses[robot.hinges]] = still
        seen = forward_kinematics(robot.motion(qpos[None], 1.0))
        where = robot.points(robot.motion(qpos[None], 1.0), np.repeat(shape.joints, 2), shape.ends.reshape(-1, 3))
        owners = [next((j for j in (joint, *skeleton.ancestors(joint)) if j in self.slots), 0) for joint in shape.joints.tolist()]
        away = where.reshape(-1, 2, 3) - seen.global_positions[0, owners][:, None]
        ends = quaternion.rotate(quaternion.inverse(seen.global_rotations[0, owners])[:, None], away)
        return np.array([self.slots.get(owner, -1) for owner in owners], dtype=np.int64), np.ascontiguousarray(ends)

    def chain(self, role: str, goals: list[Goal]) -> None:
        """Add the hinges between a part and the last joint on the way to it that has a chain already, or the root."""
        skeleton, path = self.robot.skeleton, []
        joint = self.parts[role].joint if role in self.parts else 0
        while joint > 0 and joint not in self.slots:
            path.append(joint)
            joint = int(skeleton.parents[joint])
        hinges = [j for j in path[::-1] if self.robot.joint_kinds[j] == HINGE]
        above = joint
        for hinge in hinges:
            self.slots[hinge] = len(self.slots)
            self.offsets.append(self.at[hinge] - self.at[above])
            above = hinge
        self.bases.append(self.slots.get(joint, -1))
        self.starts.append(len(self.slots))
        for goal in goals:
            if hinges and goal.role in self.twin.roles and goal.weight > 0.0:
                ends = [self.place(goal.start or goal.role, joint, hinges), self.place(goal.role, joint, hinges)]
                self.goals.append(goal)
                self.frames.append((ends[0][0], ends[1][0]))
                self.points.append((ends[0][1], ends[1][1]))
        self.goal_starts.append(len(self.goals))

    def place(self, role: str, base: int, hinges: list[int]) -> tuple[int, np.ndarray]:
        """Return the frame within a chain that carries a part, and the part's place in it."""
        part = self.parts[role]
        where = self.at[part.joint] + self.twin.places[self.twin.roles.index(role)]
        up = [part.joint, *self.robot.skeleton.ancestors(part.joint)]
        owner = next((joint for joint in up if joint in hinges), base)
        return (hinges.index(owner) + 1 if owner in hinges else 0), where - self.at[owner]

    def bend_one_way(self, lower: np.ndarray, upper: np.ndarray, above: str, role: str, below: str) -> None:
        """Take from the range of a knee or elbow the smaller part beyond straight, as people cannot bend that way."""
        if not all(part in self.twin.roles for part in (above, role, below)) or len(self.parts[role].hinges) != 1:
            return
        hinge = self.parts[role].hinges[0]
        if self.robot.joint_kinds[hinge] != HINGE:
            return
        start, middle, end = (
            self.at[self.parts[part].joint] + self.twin.places[self.twin.roles.index(part)] for part in (above, role, below)
        )
        axis = self.robot.axes[hinge]
        one, other = (bone - (bone @ axis) * axis for bone in (middle - start, end - middle))
        straight = float(np.arctan2(axis @ np.cross(other, one), other @ one))
        if not lower[hinge] < straight < upper[hinge]:
            return
        more, less = min(upper[hinge] - straight, np.pi), min(straight - lower[hinge], np.pi)
        if abs(more - less) > ALIKE:
            onwards = more > less
        else:  # a motor without stops: knees bring feet back, elbows bring hands forward
            onwards = (float(np.cross(axis, end - middle)[2]) < 0.0) == (role.endswith("_shin"))
        if onwards:
            lower[hinge] = straight
        else:
            upper[hinge] = straight

    def lengths(self) -> dict[str, float]:
        """Return the length of the twin's bone to each part."""
        offsets = self.twin.skeleton.offsets
        return {role: max(float(np.linalg.norm(offsets[joint])), 1e-3) for joint, role in enumerate(self.twin.roles)}


def kernel_kinds() -> tuple[int, int, int]:
    """Return the kinds of goals of the kernel: position, direction, orientation."""
    hinges = kernels.hinges
    return hinges.POSITION, hinges.DIRECTION, hinges.ORIENTATION
