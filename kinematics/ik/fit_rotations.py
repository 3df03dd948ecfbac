"""Joint rotations from joint positions, such as text-to-motion models put out."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics._arrays import hand_over, require_finite
from kinematics.errors import InputError
from kinematics.ik.fit_smooth import bone_noise, fit_smoothly, smooth_positions, stiffnesses
from kinematics.ik.fit_tree import FitTree, plan_tree
from kinematics.motion import Motion, Repair, Source
from kinematics.skeleton import Skeleton

EXACT = 1e-5  # distance, as a share of a usual bone, up to which positions agree with the skeleton (float32 has 1e-6)
SAME_UNIT = 1.5  # ratio of bone lengths from which on two units are meant
WEAK = 1e-3  # noise as a share of a usual bone that is assumed at least, so that what positions hardly show stays calm
NOTED, MOST_NAMED = 0.01, 8  # a bone whose length differs by this share, beyond what noise may do, is named
NOISY, CLEAN = 1e-3, 1e-4  # share of the cost that the last iteration of a fit takes away
BLUR = 3.0  # times the noise: bones so short show no direction to begin with


def fit_rotations(
    skeleton: Skeleton,
    positions: Float[np.ndarray, "frames joints 3"],
    *,
    end_site_positions: Float[np.ndarray, "frames ends 3"] | None = None,
    frame_time: float = 1 / 30,
    noise: float | None = None,
) -> Motion:
    """Find the rotations that put the joints of a skeleton where they should be.

        motion = ik.fit_rotations(skeleton, positions, frame_time=1 / 20)
        save_motion(motion, "clip.bvh")

    Positions that agree with the skeleton are met exactly, in closed form and parents first: a joint whose bones spread is
    turned as they are (Kabsch); one that carries a single bone swings from its rest direction, or where the bone comes near
    the opposite of that, at which twist would jump, from a direction whose opposite it keeps away from. What positions do not
    show stays at rest: the rotation of a joint at the end of a limb, and the twist of one that carries a single bone.

    Else the clip is fitted as a whole: least squares of the distances, and as much smoothing over time as the noise asks for.
    That is measured in the trembling of bone lengths, and how quickly each joint may turn in the positions smoothed by
    themselves. Bones that are longer or shorter than the skeleton's are met as nearly as can be. `motion.source.notes` then
    tells the noise, the distances that are left and the bones that differ.

    Args:
        skeleton: The tree and its offsets, in the unit of the positions. `skeleton_from_positions` makes one.
        positions: Global positions of all joints in skeleton order, shape (frames, joints, 3). Frames that are missing must be
            filled in before.
        end_site_positions: Global positions of the end sites, shape (frames, ends, 3), where they are known; they show how
            hands, feet and head are turned.
        frame_time: Seconds between frames; it does not change the rotations.
        noise: Standard deviation of each coordinate, in the skeleton's unit; None measures it, 0 smooths nothing.

    Raises:
        InputError: On wrong shapes, NaN, a negative noise, or positions in another unit than the skeleton.
    """
    given = _check(skeleton, positions, end_site_positions)
    if noise is not None and not 0.0 <= noise < np.inf:
        raise InputError(f"noise must be a standard deviation, 0 or more, or None to measure it; got {noise}")
    tree = plan_tree(skeleton, end_site_positions is not None)
    local = kernels.fit_rotations.closed_form(given, *tree.closed_form_arguments)
    root = given[:, 0].copy()
    notes: tuple[Repair, ...] = ()
    bones = np.linalg.norm(tree.offsets[1:], axis=1)
    usual = float(np.median(bones[bones > 0])) if np.any(bones > 0) else 1.0
    where, _ = kernels.fit_smooth.place(root, local, tree.offsets, tree.parents)
    if len(given) and (noise or np.abs(where - given).max() > EXACT * usual):
        lengths = np.linalg.norm(given[:, 1:] - given[:, tree.parents[1:]], axis=2)
        if noise is None:
            noise = bone_noise(lengths)
            noise = noise if noise > EXACT * usual else 0.0
        measured = _measure_bones(lengths, noise)
        _require_same_unit(measured, bones)
        root, local = _fit(skeleton, tree, given, local, noise, usual)
        where, _ = kernels.fit_smooth.place(root, local, tree.offsets, tree.parents)
        distances = np.linalg.norm(where - given, axis=2)
        notes = _notes(skeleton, distances, noise, measured, bones)
    rotations = hand_over(np.ascontiguousarray(local[:, : skeleton.num_joints]))
    return Motion(skeleton, hand_over(root), rotations, frame_time, source=Source(notes=notes))


def _check(skeleton: Skeleton, positions: np.ndarray, ends: np.ndarray | None) -> np.ndarray:
    """Return joints and end sites in one array, (frames, joints + ends, 3)."""
    given = np.array(positions, dtype=np.float64, order="C")
    if given.ndim != 3 or given.shape[1:] != (skeleton.num_joints, 3):
        raise InputError(
            f"positions must have shape (frames, {skeleton.num_joints}, 3) for this skeleton, in the order of its "
            f"joint_names; got {given.shape}"
        )
    require_finite(given, "positions")
    if ends is None:
        return given
    ends = np.asarray(ends, dtype=np.float64)
    if ends.shape != (len(given), skeleton.num_end_sites, 3):
        raise InputError(f"end_site_positions must have shape ({len(given)}, {skeleton.num_end_sites}, 3), got {ends.shape}")
    require_finite(ends, "end_site_positions")
    return np.concatenate([given, ends], axis=1)


def _measure_bones(lengths: Float[np.ndarray, "frames bones"], noise: float) -> Float[np.ndarray, " bones"]:
    """Return the usual length of each bone without what noise across it adds, 2 s^2 at both ends."""
    return np.asarray(np.sqrt(np.maximum(np.median(lengths * lengths, axis=0) - 4.0 * noise * noise, 0.0)))


def _require_same_unit(measured: Float[np.ndarray, " bones"], bones: Float[np.ndarray, " bones"]) -> None:
    if not np.any(bones > 0):
        return
    long = bones >= np.median(bones[bones > 0])
    ratio = float(np.median(measured[long] / bones[long]))
    if ratio == 0.0:
        raise InputError("all joints of the positions lie at one point; global positions of a body are needed")
    if not 1.0 / SAME_UNIT < ratio < SAME_UNIT:
        raise InputError(
            f"the bones of the positions are {ratio:.3g} times as long as the skeleton's; both must be of one body in one unit: "
            f"multiply the positions by {1.0 / ratio:.3g}, or take the skeleton from them with ik.skeleton_from_positions"
        )


def _fit(
    skeleton: Skeleton, tree: FitTree, given: np.ndarray, local: np.ndarray, noise: float, usual: float
) -> tuple[np.ndarray, np.ndarray]:
    start = given
    if noise > 0 and len(given) > 2:
        start = smooth_positions(given, noise)
        blurred = plan_tree(skeleton, len(tree.parents) > skeleton.num_joints, BLUR * noise)
        local = kernels.fit_rotations.closed_form(start, *blurred.closed_form_arguments)
    root = start[:, 0].copy()
    weights = stiffnesses(root, local, max(noise, WEAK * usual), usual)
    return fit_smoothly(tree, given, root, local, weights, usual, settled=NOISY if noise > 0 else CLEAN)


def _notes(
    skeleton: Skeleton, distances: np.ndarray, noise: float, measured: np.ndarray, bones: np.ndarray
) -> tuple[Repair, ...]:
    """Tell what is not as in the positions."""
    notes = [f"the joints lie {distances.mean():.3g} from the positions given on average, {distances.max():.3g} at most"]
    if noise > 0:
        notes.append(f"noise of standard deviation {noise:.3g} in each coordinate was smoothed")
    names = (*skeleton.joint_names, *skeleton.end_site_names)[1:]
    other = []
    for name, found, bone in zip(names, measured.tolist(), bones.tolist(), strict=False):
        if bone > 0 and abs(found / bone - 1.0) > NOTED + 2.0 * (noise / bone) ** 2 + 8.0 * noise / bone / len(distances) ** 0.5:
            other.append((abs(found / bone - 1.0), f"{name} {100 * (found / bone - 1.0):+.1f} %"))
    if other:
        listed = ", ".join(text for _, text in sorted(other, reverse=True)[:MOST_NAMED])
        more = f" and {len(other) - MOST_NAMED} more" if len(other) > MOST_NAMED else ""
        notes.append(f"bones are longer or shorter in the positions than in the skeleton: {listed}{more}")
    return tuple(Repair(0, note) for note in notes)
