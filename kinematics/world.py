"""Guess the world of a clip from the moving body: which axis is up, what one unit is, and whether left is left.

Offsets alone cannot tell: a zero pose may lie along +X, and a file may have a Y-up zero pose under Z-up motion. So all of
this looks at global positions over time. Every guess carries a confidence, its reason, and what else it could have been.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kinematics.anatomy import SIDES, Anatomy, find_anatomy, stands_on_four
from kinematics.body import BodySize, measure_body
from kinematics.errors import InputError, UnknownNameError
from kinematics.forward import GlobalTransforms, forward_kinematics
from kinematics.frames import UP_AXES, body_left, heading, up_axis
from kinematics.motion import Motion

METRES: Mapping[str, float] = {
    "m": 1.0,
    "dm": 0.1,
    "cm": 0.01,
    "mm": 0.001,
    "inch": 0.0254,
    "foot": 0.3048,
    "CMU": 0.0254 / 0.45,  # 5.644 cm: the CMU database was scaled by 0.45 and then read as inches
}
UNIT_PRIOR = {"m": 0.25, "dm": 0.04, "cm": 0.45, "mm": 0.06, "inch": 0.1, "foot": 0.02, "CMU": 0.08}
UP_PRIOR = {"Y": 0.8, "Z": 0.18, "X": 0.005, "-X": 0.005, "-Y": 0.005, "-Z": 0.005}
SAMPLES = 500  # frames looked at, spread evenly
ENOUGH = 10  # frames that a reversed body must be seen in before it is believed


@dataclass(frozen=True)
class Guess:
    """One thing that was inferred, or given.

    Attributes:
        name: "unit", "up", "handedness" or "facing".
        value: What it is taken to be, such as "cm", "Z", "right-handed", "+Z".
        confidence: Probability that it is so, 0 to 1; 1 where it was given.
        reason: What it was seen from.
        alternatives: Other values with their probabilities, likeliest first.
    """

    name: str
    value: str
    confidence: float
    reason: str
    alternatives: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        """Return one line: name, value, confidence, reason, alternatives."""
        others = ", ".join(f"{value} {share:.0%}" for value, share in self.alternatives if share >= 0.005)
        return f"{self.name}: {self.value} ({self.confidence:.0%}; {self.reason}{'; or ' + others if others else ''})"


@dataclass(frozen=True)
class WorldReport:
    """What a clip's world is taken to be.

    Attributes:
        unit: The unit of length, out of `METRES`, or "<number> m" where a scale was given.
        up: The up axis, out of `frames.UP_AXES`.
        handedness: "right-handed", "left-handed" (a mirrored file) or "unknown".
        facing: The axis of the file nearest to which the body faces in the first frame.
        metres_per_unit: Factor from the file's unit to metres.
        body_height: Stature by `body.measure_body`, in metres.
        is_body: Whether a body was recognised.
    """

    unit: Guess
    up: Guess
    handedness: Guess
    facing: Guess
    metres_per_unit: float
    body_height: float
    is_body: bool

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """All guesses."""
        return self.unit, self.up, self.handedness, self.facing

    @property
    def confidence(self) -> float:
        """Confidence in the least certain of unit and up axis: the two that change numbers."""
        return min(self.unit.confidence, self.up.confidence)

    def __str__(self) -> str:
        """Return the report as lines of text."""
        what = "body" if self.is_body else "extent"
        lines = [str(guess) for guess in self.guesses]
        return "\n".join([*lines, f"{what} height: {self.body_height:.3g} m (1 unit = {self.metres_per_unit:.6g} m)"])


def inspect_world(motion: Motion, *, unit: str | float | None = None, up: str | None = None) -> WorldReport:
    """Infer the unit, the up axis, the handedness and the first facing of a clip.

    Args:
        motion: The clip as read.
        unit: Name out of `METRES`, or metres in one unit, where known.
        up: Up axis, where known.

    Raises:
        UnknownNameError: On an unknown unit or axis.
        InputError: On a scale that is not positive.
    """
    anatomy = find_anatomy(motion.skeleton)
    seen = _sample(motion)
    transforms = forward_kinematics(seen)
    size = measure_body(motion)
    guessed_up = _given_up(up) if up is not None else _guess_up(transforms, anatomy)
    guessed_unit, metres = _given_unit(unit) if unit is not None else _guess_unit(size, anatomy.dialect)
    return WorldReport(
        unit=guessed_unit,
        up=guessed_up,
        handedness=_guess_handedness(transforms, anatomy, up_axis(guessed_up.value)),
        facing=_first_facing(seen, guessed_up.value),
        metres_per_unit=metres,
        body_height=size.height * metres,
        is_body=size.is_body,
    )


def metres_in(unit: str | float) -> float:
    """Return the metres in one unit, given by its name out of `METRES` or as that number itself.

    Raises:
        UnknownNameError: On an unknown name.
        InputError: On a number that is not positive.
    """
    if isinstance(unit, str):
        named = {name.lower(): metres for name, metres in METRES.items()}
        if unit.lower() not in named:
            raise UnknownNameError("unit", unit, METRES)
        return named[unit.lower()]
    if not (float(unit) > 0.0 and np.isfinite(unit)):
        raise InputError(f"unit must be a positive number of metres or one of {', '.join(METRES)}; got {unit}")
    return float(unit)


def _sample(motion: Motion) -> Motion:
    frames = motion.num_frames
    chosen = np.unique(np.linspace(0, frames - 1, min(frames, SAMPLES)).astype(np.int64)) if frames else np.zeros(0, np.int64)
    moving = None if motion.local_positions is None else motion.local_positions[chosen]
    return Motion(motion.skeleton, motion.root_positions[chosen], motion.local_rotations[chosen], motion.frame_time, moving)


def _given_up(up: str) -> Guess:
    up_axis(up)
    return Guess("up", str(up).upper().removeprefix("+"), 1.0, "given")


def _given_unit(unit: str | float) -> tuple[Guess, float]:
    metres = metres_in(unit)
    return Guess("unit", next((name for name, size in METRES.items() if size == metres), f"{metres:.6g} m"), 1.0, "given"), metres


def _guess_up(transforms: GlobalTransforms, anatomy: Anatomy) -> Guess:
    """Weigh the six axes by how much of the direction from feet to head lies along them, over all frames."""
    where, joints = transforms.global_positions, anatomy.joints
    top = joints.get("head", joints.get("chest", joints.get("pelvis")))
    if not (anatomy.has_legs and top is not None and len(where)):
        others = tuple((axis, share) for axis, share in UP_PRIOR.items() if axis != "Y")
        reason = "no frames to look at" if anatomy.has_legs else "no legs were recognised, Y is the usual axis"
        return Guess("up", "Y", 0.5, reason, _ranked(dict(others), 0.5))
    bottom, what = 0.5 * (where[:, joints["left_foot"]] + where[:, joints["right_foot"]]), "feet to head"
    body_up = _unit(where[:, top] - bottom)
    if stands_on_four(anatomy, where).mean() > 0.5:
        hips, what = (
            0.5 * (where[:, joints["left_thigh"]] + where[:, joints["right_thigh"]]),
            "up the hind legs of a body on four legs",
        )
        body_up = _unit(hips - bottom)
    along = {axis: float(np.mean(body_up @ up_axis(axis))) for axis in UP_AXES}
    best, shares = _posterior({axis: np.log(UP_PRIOR[axis]) + 8.0 * along[axis] for axis in UP_AXES})
    upright = float(np.mean(body_up @ up_axis(best) > 0.8))
    reason = f"{what} points along {best} ({along[best]:.2f} of its length, upright in {upright:.0%} of frames)"
    return Guess("up", best, min(shares.pop(best), 0.99), reason, _ranked(shares))


def _guess_unit(size: BodySize, dialect: str) -> tuple[Guess, float]:
    """Weigh the units by the height that each gives the body, and by what files in this dialect use."""
    if not size.height > 0.0:
        return Guess("unit", "m", 0.1, "all joints lie at one point, so nothing can be measured; taken as metres"), 1.0
    prior = dict(UNIT_PRIOR)
    if dialect.startswith("CMU"):
        prior["CMU"] = 1.0
    scores = {name: np.log(share) + _log_height(size.height * METRES[name], size.is_body) for name, share in prior.items()}
    scores["another unit"] = np.log(0.02 / 14.0)  # any height from a micrometre to a metre times a million is as likely
    _, shares = _posterior(scores)
    best = max(METRES, key=lambda name: shares[name])
    height = size.height * METRES[best]
    what = "the body" if size.is_body else "it"
    reason = f"makes {what} {height:.3g} m high ({size.height:.4g} in the file, from {size.reason})"
    confidence = min(shares.pop(best), 0.99)
    return Guess("unit", best, confidence, reason, _ranked(shares)), METRES[best]


def _log_height(height: float, is_body: bool) -> float:
    """Return the log density of a height in metres per unit of log height: adults, children, giants and dolls."""
    if not is_body:
        return _log_normal(np.log(height), 0.0, 1.5)
    adult = np.log(0.9) + _log_normal(np.log(height), np.log(1.68), 0.08)
    child = np.log(0.08) + _log_normal(np.log(height), np.log(1.15), 0.2)
    odd = np.log(0.02) + _log_normal(np.log(height), np.log(1.7), 0.7)
    return float(np.logaddexp(np.logaddexp(adult, child), odd))


def _log_normal(x: float, mean: float, deviation: float) -> float:
    return float(-0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation * np.sqrt(2 * np.pi)))


def _guess_handedness(transforms: GlobalTransforms, anatomy: Anatomy, up: np.ndarray) -> Guess:
    """Compare (left - right) x up with where the toes point, and where the knees bend to.

    A file is called left-handed only where toes and bent knees agree on it in enough frames: a stiff T-pose or a foot
    without a toe proves nothing.
    """
    name = "handedness"
    if not (anatomy.has_legs and len(transforms.global_positions)):
        return Guess(name, "unknown", 0.5, "no legs to look at")
    if not anatomy.by_names:
        return Guess(name, "right-handed", 0.6, "names do not tell left from right, so nothing speaks against it")
    left = body_left(transforms, anatomy)
    left = left - (left @ up)[:, None] * up
    forward = np.cross(left, up)
    clear = np.linalg.norm(left, axis=-1) > 0.25
    toes = _toe_directions(transforms, anatomy)
    toes = toes - (toes @ up)[..., None] * up
    seen_toes = clear & (np.linalg.norm(toes, axis=-1) > 0.3)
    knees = _knee_directions(transforms, anatomy)
    seen_knees = clear & (np.linalg.norm(knees, axis=-1) > 0.03)
    toes_back = _share(np.sum(forward * toes, axis=-1) < 0, seen_toes)
    knees_back = _share(np.sum(forward * knees, axis=-1) < 0, seen_knees)
    toe_frames, knee_frames = int(seen_toes.sum()), int(seen_knees.sum())
    if not toe_frames and not knee_frames:
        return Guess(name, "right-handed", 0.6, "feet show no toes and knees do not bend, so nothing speaks against it")
    seen = [f"toes point ahead in {1 - toes_back:.0%} of {toe_frames} frames"] if toe_frames else []
    seen += [f"knees bend ahead in {1 - knees_back:.0%} of {knee_frames}"] if knee_frames else []
    reason = ", ".join(seen) + ", when left is left"
    if toes_back > 0.9 and knees_back > 0.5 and toe_frames >= ENOUGH and knee_frames >= ENOUGH:
        return Guess(name, "left-handed", 0.98, reason, (("right-handed", 0.02),))
    doubt = max(toes_back if toe_frames else 0.0, knees_back if knee_frames > ENOUGH else 0.0)
    weight = min(1.0, toe_frames / ENOUGH)
    sure = (0.99 if doubt < 0.1 else 0.9 - 0.4 * doubt) * weight + 0.6 * (1 - weight)
    return Guess(name, "right-handed", sure, reason, (("left-handed", 1 - sure),))


def _toe_directions(transforms: GlobalTransforms, anatomy: Anatomy) -> np.ndarray:
    """Mean over both feet of the unit direction from ankle to toe; zero where a foot has none."""
    skeleton, where, ends = transforms.skeleton, transforms.global_positions, transforms.end_site_positions
    total = np.zeros((len(where), 3))
    for side in SIDES:
        foot, toe = anatomy.joints[side + "foot"], anatomy.joints.get(side + "toe")
        below = {foot, *skeleton.descendants(foot)}
        tips = [end for end, parent in enumerate(skeleton.end_site_parents.tolist()) if parent in below]
        if toe is not None and toe != foot:
            total += 0.5 * _unit(where[:, toe] - where[:, foot])
        elif tips:
            total += 0.5 * _unit(ends[:, tips].mean(axis=1) - where[:, foot])
    return total


def _knee_directions(transforms: GlobalTransforms, anatomy: Anatomy) -> np.ndarray:
    """Sum over both legs of how far the knee stands off the line from hip to ankle, as a share of the leg's length."""
    where, joints = transforms.global_positions, anatomy.joints
    total = np.zeros((len(where), 3))
    for side in SIDES:
        hip, knee, ankle = (where[:, joints[side + part]] for part in ("thigh", "shin", "foot"))
        length = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
        line = _unit(ankle - hip)
        off = (knee - hip) - np.sum((knee - hip) * line, axis=-1, keepdims=True) * line
        total += off / np.maximum(length, 1e-12)[:, None]
    return total


def _first_facing(motion: Motion, up: str) -> Guess:
    if not motion.num_frames:
        return Guess("facing", "unknown", 0.0, "no frames")
    found = heading(motion, up=up)
    direction = found.directions[0]
    axis = max((a for a in UP_AXES if abs(up_axis(a) @ up_axis(up)) < 0.5), key=lambda a: float(direction @ up_axis(a)))
    degrees = np.degrees(np.arccos(np.clip(direction @ up_axis(axis), -1.0, 1.0)))
    sure = 0.3 if found.method == "root rotation" else 0.95 if found.certain[0] else 0.5
    return Guess(
        "facing", axis if "-" in axis else f"+{axis}", sure, f"{degrees:.0f} degrees off, by {found.method}, first frame"
    )


def _posterior(scores: Mapping[str, float]) -> tuple[str, dict[str, float]]:
    values = np.array(list(scores.values()), dtype=np.float64)
    weights = np.exp(values - values.max())
    shares = dict(zip(scores, (weights / weights.sum()).tolist(), strict=True))
    return max(shares, key=lambda name: shares[name]), shares


def _ranked(shares: Mapping[str, float], total: float | None = None) -> tuple[tuple[str, float], ...]:
    scale = 1.0 if total is None else total / sum(shares.values())
    return tuple(sorted(((name, share * scale) for name, share in shares.items()), key=lambda pair: -pair[1])[:3])


def _share(condition: np.ndarray, among: np.ndarray) -> float:
    return float(condition[among].mean()) if among.any() else 0.0


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))
