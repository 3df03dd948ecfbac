"""Bend the limbs of a retargeted body so that its feet and hands are where they belong.

Legs and root for the whole clip at once, after Kovar, Schreiner and Gleicher, "Footskate cleanup for motion capture editing"
(2002): limbs in closed form, a root that gives way smoothly; then arms in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from kinematics.anatomy import find_anatomy, path_between
from kinematics.contacts import foot_contacts
from kinematics.errors import UnknownNameError
from kinematics.forward import forward_kinematics
from kinematics.ik.foot_paths import least_squares
from kinematics.ik.goals import Goal, position, transform
from kinematics.ik.limits import Limit
from kinematics.ik.problem import Problem
from kinematics.motion import Motion
from retarget.body import Body
from retarget.config import RetargetConfig
from retarget.feet import FootGoal, plan_feet
from retarget.hands import plan_hands

ROOT_STIFFNESS = 25.0  # legs come first
SMOOTHNESS = 0.015  # enough to keep knees from popping next to straight legs
ITERATIONS, LIMITED_ITERATIONS = 2, 30  # the closed form knows no limits
STRAIGHT, LONGEST = 0.985, 0.9995  # shares of a leg's length: the root gives way only beyond
PINNED = 0.01  # share of a leg's length from its pin at which a point is said to miss it
PUSH, ROUNDS, NEAR_ENOUGH = 1e4, 6, 1e-4


def bend(draft: Motion, source: Body, scale: float, config: RetargetConfig) -> Motion:
    """Mend what rotations alone cannot keep.

    Args:
        draft: The retargeted motion, with Y up, its feet as high as they shall stand.
        source: What it was retargeted from, frame by frame the same.
        scale: The draft's units for a metre of the source.
        config: What is kept.
    """
    if config.feet:
        contacts = foot_contacts(source.clip, transforms=source.transforms)
        feet = plan_feet(contacts, source.transforms, scale, draft, forward_kinematics(draft), config.ease_s)
        draft = bend_legs(draft, feet, config.limits)
    if config.hands > 0.0:
        wrists = plan_hands(source, draft, config.hands)
        draft = bend_arms(draft, wrists, config.limits)
    return draft


def bend_legs(draft: Motion, feet: list[FootGoal], limits: Mapping[str, Limit]) -> Motion:
    """Bring ankles to their goals with the legs, and with the root where legs do not reach.

    The root and then each leg in closed form; from there all frames together by least squares, which takes out what snaps in
    time: a knee next to a straight leg.
    """
    if not feet:
        return draft
    skeleton = draft.skeleton
    names = [skeleton.joint_names[foot.ankle] for foot in feet]
    goals: dict[str, Goal] = {name: transform(foot.positions, foot.rotations) for name, foot in zip(names, feet, strict=True)}
    near = within_reach(draft, feet)
    start = near.with_local_rotations(Problem(skeleton, goals, root="fixed", method="two_bone").solve(near).local_rotations)
    legs = {joint for foot in feet for joint in path_between(skeleton, foot.thigh, foot.ankle)}
    stiffness = {name: math.inf for joint, name in enumerate(skeleton.joint_names) if joint not in legs}
    stiffness[skeleton.joint_names[0]] = ROOT_STIFFNESS
    own = {name: limit for name, limit in limits.items() if skeleton.joint_index(name) in legs}
    iterations = LIMITED_ITERATIONS if own else ITERATIONS
    problem = Problem(skeleton, goals, root="translation", stiffness=stiffness, limits=own, max_iterations=iterations)
    result = problem.solve(draft, start=start, over_time="smooth", smoothness=SMOOTHNESS)
    return draft.with_root_positions(result.root_positions).with_local_rotations(result.local_rotations)


def within_reach(draft: Motion, feet: list[FootGoal]) -> Motion:
    """Move the root, smoothly in time, so that no leg has to be longer than it is, nor straighter than it was or STRAIGHT."""
    where = forward_kinematics(draft).global_positions
    shift = np.zeros_like(draft.root_positions)
    for _ in range(ROUNDS):
        wanted = shift.copy()
        for foot in feet * 2:  # what one leg wants may cost the other
            hip, knee, ankle = where[:, foot.thigh], where[:, foot.shin], where[:, foot.ankle]
            length = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
            reach = np.minimum(np.maximum(np.linalg.norm(ankle - hip, axis=-1), STRAIGHT * length), LONGEST * length)
            line = foot.positions - hip - wanted
            distance = np.maximum(np.linalg.norm(line, axis=-1), 1e-12)
            wanted += (np.maximum(distance - reach, 0.0) / distance)[:, None] * line
        if not (np.abs(wanted - shift) > NEAR_ENOUGH * length.max()).any():
            break
        moved = np.abs(wanted).max(axis=1) > 0.0
        shift = least_squares(wanted, np.where(moved, PUSH, 0.0), draft.frame_time, steps=False)
    return draft.with_root_positions(draft.root_positions + shift)


def bend_arms(draft: Motion, wrists: Mapping[int, np.ndarray], limits: Mapping[str, Limit]) -> Motion:
    """Bring wrists to their places with upper arms and elbows; hands keep their orientation."""
    if not wrists:
        return draft
    skeleton = draft.skeleton
    seen = forward_kinematics(draft)
    goals = {skeleton.joint_names[wrist]: transform(places, seen.global_rotations[:, wrist]) for wrist, places in wrists.items()}
    problem = Problem(skeleton, goals, root="fixed", method="two_bone", limits=limits)
    return draft.with_local_rotations(problem.solve(draft).local_rotations)


def hold(
    motion: Motion, pins: Mapping[str, np.ndarray], limits: Mapping[str, Limit], leg: float
) -> tuple[Motion, tuple[str, ...]]:
    """Bring joints or end sites to points with the limbs that carry them; all else stays.

    Args:
        motion: The motion.
        pins: Points in its unit and world, shape (3,) or (frames, 3).
        limits: Joint limits.
        leg: Length of a leg, in its unit.

    Returns:
        The new motion, and a sentence for each pin that is not reached within a hundredth of the leg.
    """
    if not pins:
        return motion, ()
    skeleton, found = motion.skeleton, find_anatomy(motion.skeleton).joints
    trunk = {found[part] for part in ("pelvis", "chest", "neck") if part in found}
    above = trunk | {joint for part in trunk for joint in skeleton.ancestors(part)}
    free: set[int] = set()
    for name in pins:
        if name not in skeleton.joint_names + skeleton.end_site_names:
            raise UnknownNameError("joint or end site", name, skeleton.joint_names + skeleton.end_site_names)
        is_joint = name in skeleton.joint_names
        at = skeleton.joint_index(name) if is_joint else int(skeleton.end_site_parents[skeleton.end_site_index(name)])
        free |= {at, *skeleton.ancestors(at)} - above
    stiffness = {name: math.inf for joint, name in enumerate(skeleton.joint_names) if joint not in free}
    own = {name: limit for name, limit in limits.items() if skeleton.joint_index(name) in free}
    goals: dict[str, Goal] = {name: position(point) for name, point in pins.items()}
    problem = Problem(skeleton, goals, root="fixed", stiffness=stiffness, limits=own)
    held = motion.with_local_rotations(problem.solve(motion, over_time="smooth", smoothness=SMOOTHNESS).local_rotations)
    seen = forward_kinematics(held)
    away = {name: float(np.linalg.norm(seen.position(name) - point, axis=-1).max()) for name, point in pins.items()}
    missed = [f"{name} is up to {far:.3g} units from its pin" for name, far in away.items() if far > PINNED * leg]
    return held, tuple(missed)
