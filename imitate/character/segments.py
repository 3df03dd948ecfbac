"""Which joints of a skeleton become bodies of their own, and which are merged into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from imitate.character.config import CharacterConfig
from imitate.errors import ImitationError
from kinematics.anatomy import SIDES, Anatomy, common_ancestor, path_between, stands_on_four
from kinematics.forward import GlobalTransforms
from kinematics.skeleton import Skeleton

HAND_TURN, TOE_BEND = np.radians(10.0), np.radians(5.0)  # hands and toes that turn less are part of forearms and feet
LIGHT = 0.004  # share of all bone lengths below a joint: what carries less is merged (bodies that are no person)
SHORT = 0.01  # share of the size: bones below it are no bones


@dataclass(frozen=True)
class Segment:
    """A rigid body to be: a run of joints turned as one.

    Attributes:
        part: Role of the anatomy ("left_shin", "spine", "head" ...), or "" where unknown.
        pivot: First joint of the run: where the body's hinges are.
        joint: Last joint of the run: the one whose rotation the body has.
    """

    part: str
    pivot: int
    joint: int


@dataclass(frozen=True)
class Segments:
    """All bodies, parents first.

    Attributes:
        segments: The bodies.
        parents: Parent of each, -1 at the root.
        carriers: For each joint of the skeleton the body that it is part of; -1 above the root's.
        is_person: Whether the body is built and stands as a person.
    """

    segments: tuple[Segment, ...]
    parents: tuple[int, ...]
    carriers: tuple[int, ...]
    is_person: bool

    def index(self, part: str) -> int | None:
        """Return the body of a part, None where there is none."""
        return next((index for index, segment in enumerate(self.segments) if segment.part == part), None)

    def named(self, *parts: str) -> list[int]:
        """Return the bodies of these parts, sides left out ("foot" finds both feet)."""
        return [
            n for n, segment in enumerate(self.segments) if segment.part.removeprefix("left_").removeprefix("right_") in parts
        ]


def find_segments(
    skeleton: Skeleton, anatomy: Anatomy, seen: GlobalTransforms, turns: Float[np.ndarray, " joints"], config: CharacterConfig
) -> Segments:
    """Choose the bodies: of a person by its parts, of anything else by what each joint carries.

    Args:
        skeleton: In metres.
        anatomy: Its parts.
        seen: Where its joints are in the clip.
        turns: By how much the clip turns each joint from its mean rotation, radians, shape (joints,).
        config: What to keep.

    Raises:
        ImitationError: Where the skeleton has nothing to move: no bone, or only one body.
    """
    four = bool(stands_on_four(anatomy, seen.global_positions).mean() > 0.5) if anatomy.is_human else False
    person = anatomy.is_human and not four
    runs = _person(skeleton, anatomy, turns, config) if person else _creature(skeleton, anatomy, seen)
    if len(runs) < 2:
        raise ImitationError(
            f"nothing of this skeleton can be simulated: of {skeleton.num_joints} joints ({', '.join(skeleton.joint_names[:4])} "
            "...) none carries a bone that moves; a body has at least two parts joined by a hinge"
        )
    runs.sort(key=lambda run: run[1][0])
    inside = {joint: index for index, (_, run) in enumerate(runs) for joint in run}
    carriers = [-1] * skeleton.num_joints
    for joint, parent in enumerate(skeleton.parents.tolist()):
        carriers[joint] = inside.get(joint, carriers[parent] if parent >= 0 else -1)
    parents = [-1] + [carriers[int(skeleton.parents[run[0]])] for _, run in runs[1:]]
    segments = tuple(Segment(part, run[0], run[-1]) for part, run in runs)
    return Segments(segments, tuple(parents), tuple(carriers), person)


def _person(
    skeleton: Skeleton, anatomy: Anatomy, turns: Float[np.ndarray, " joints"], config: CharacterConfig
) -> list[tuple[str, list[int]]]:
    roles = anatomy.joints
    wanted = ["pelvis", "chest", "head"] + [side + part for side in SIDES for part in ("thigh", "upper_arm")]
    top = common_ancestor(skeleton, [roles[role] for role in wanted if role in roles])
    runs: list[tuple[str, list[int]]] = [("pelvis", [top])]
    chest = roles.get("chest", top)
    spine = path_between(skeleton, top, chest)[1:] if chest != top else []
    groups = _grouped(skeleton, spine, config.spine_joints)
    runs += [("chest" if group is groups[-1] else "spine", group) for group in groups]
    if tip := roles.get("head", roles.get("neck")):
        neck = path_between(skeleton, chest, tip)[1:] or [tip]
        runs.append(("head", neck[_first_apart(skeleton, neck) :]))
    choices = (("hand", config.hands, HAND_TURN), ("toe", config.toes, TOE_BEND))
    for side in SIDES:
        parts = ["thigh", "shin", "foot", "upper_arm", "forearm"] + ["clavicle"] * config.clavicles
        parts += [part for part, keep, least in choices if keep or (keep is None and _turned(roles, part, turns) > least)]
        runs += [(side + part, [roles[side + part]]) for part in parts if side + part in roles]
    taken: set[int] = set()
    distinct = []
    for part, run in runs:
        if not taken & set(run):
            taken |= set(run)
            distinct.append((part, run))
    return distinct


def _turned(roles: Mapping[str, int], part: str, turns: Float[np.ndarray, " joints"]) -> float:
    return max((float(turns[roles[side + part]]) for side in SIDES if side + part in roles), default=0.0)


def _grouped(skeleton: Skeleton, path: list[int], count: int) -> list[list[int]]:
    """Divide a run of joints into at most `count` groups; joints upon each other stay together."""
    lengths = np.linalg.norm(skeleton.offsets[path], axis=1) if path else np.zeros(0)
    groups: list[list[int]] = []
    for joint, length in zip(path, lengths.tolist(), strict=True):
        if groups and length < SHORT * lengths.sum():
            groups[-1].append(joint)
        else:
            groups.append([joint])
    halves = np.array_split(np.arange(len(groups)), min(count, len(groups))) if groups else []
    return [[joint for n in half for joint in groups[n]] for half in halves]


def _first_apart(skeleton: Skeleton, path: list[int]) -> int:
    """Return the first of a run of joints that is no double of where the run begins."""
    lengths = np.linalg.norm(skeleton.offsets[path], axis=1)
    return int(np.argmax(np.cumsum(lengths) > 0.1 * lengths.sum())) if lengths.sum() > 0.0 else 0


def _creature(skeleton: Skeleton, anatomy: Anatomy, seen: GlobalTransforms) -> list[tuple[str, list[int]]]:
    below = carried_lengths(skeleton)
    size = float(np.ptp(seen.global_positions, axis=1).max()) if seen.global_positions.size else 0.0
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    names = {joint: role for role, joint in anatomy.joints.items()}
    top = 0
    while len(children := skeleton.children[top]) == 1 and lengths[children[0]] < SHORT * size:
        top = children[0]
    kept = [top]
    for joint in skeleton.descendants(top):
        if below[joint] < LIGHT * below[0] or below[joint] < SHORT * size:
            continue
        kept.append(joint)
    return [(names.get(joint, ""), [joint]) for joint in kept]


def carried_lengths(skeleton: Skeleton) -> np.ndarray:
    """Return the length of all bones that turn with each joint, its own and all below, shape (joints,)."""
    below = np.zeros(skeleton.num_joints)
    np.add.at(below, skeleton.end_site_parents, np.linalg.norm(skeleton.end_site_offsets, axis=1))
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    for joint in range(skeleton.num_joints - 1, 0, -1):
        below[skeleton.parents[joint]] += below[joint] + lengths[joint]
    return below
