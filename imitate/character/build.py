"""A body from a clip, step by step: segments, frames, hinges, masses, shapes, gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from jaxtyping import Float, Int

from imitate.character.actuation import GRAVITY, carried_inertias, gains
from imitate.character.anthropometry import JointMasses, creature_masses, person_masses
from imitate.character.clip import Clip, read_clip, resting_rotations
from imitate.character.config import CharacterConfig
from imitate.character.feet import Sole, find_soles, level_feet
from imitate.character.hinges import Hinges, find_hinges, find_ranges
from imitate.character.mjcf import Actuation, BodyMasses, write_mjcf
from imitate.character.rig import Rig
from imitate.character.segments import Segments, find_segments
from imitate.character.shapes import Shape, creature_shapes, person_shapes
from imitate.errors import ImitationError
from kinematics.motion import Motion
from kinematics.rotations import quaternion
from kinematics.skeleton import Skeleton
from retarget.robots.axes import rotations_to_y_up, rotations_to_z_up, to_y_up

POSES = 12  # of the clip tell how much inertia hinges carry
LEAN = np.radians(12.0)  # at most, to bring the mass centre over the ankles
REACHES_FLOOR = 0.1  # of the size: limbs of a body that is no person end in feet where they come so near to the lowest point


@dataclass(frozen=True, eq=False)
class Built:
    """All that a character is made of."""

    xml: str
    skeleton: Skeleton
    rig: Rig
    body_names: tuple[str, ...]
    hinge_names: tuple[str, ...]
    actuation: Actuation
    feet: tuple[int, ...]
    end_effectors: tuple[int, ...]
    height: float


def build(motion: Motion, name: str, config: CharacterConfig) -> Built:
    """Make a body from a clip.

    Raises:
        ImitationError: On anything that is no clip of a body.
        InputError: Where the body is mirrored.
    """
    if isinstance(motion, Motion) and motion.num_frames == 1:
        motion = motion[[0, 0]]
    clip = read_clip(motion)
    segments = find_segments(clip.motion.skeleton, clip.anatomy, clip.seen, clip.turns, config)
    rest = resting_rotations(clip, person=segments.is_person)
    rest = level_feet(clip, segments, rest) if segments.is_person else rest
    alignments = quaternion.inverse(rest[[segment.joint for segment in segments.segments]])
    soles = find_soles(clip, segments, rest, alignments) if segments.is_person else []
    frames = _body_frames(clip, segments, alignments)
    offsets, tips = _offsets(frames, segments), _tips(clip, frames, segments)
    skeleton = clip.motion.skeleton
    if segments.is_person:
        joint_masses = person_masses(skeleton, clip.anatomy, clip.height, config.mass_kg)
        shapes = person_shapes(clip, segments, offsets, tips, soles)
    else:
        joint_masses = creature_masses(skeleton, clip.height, config.mass_kg)
        radii = joint_masses.radii[[segment.joint for segment in segments.segments]]
        shapes = creature_shapes(segments, offsets, tips, radii)
    masses = _body_masses(clip, frames, segments, joint_masses, config)
    rig = _rig(clip, segments, alignments, offsets, tips, frames, config)
    feet = _feet(clip, segments, frames, tips)
    if not feet:
        raise ImitationError(
            f"this skeleton has nothing to stand on: {skeleton.num_joints} joints ({', '.join(skeleton.joint_names[:3])} ...), "
            "and neither legs nor limbs that reach the floor were found; a prop or a face rig cannot be simulated as a body"
        )
    sole_bodies, sole_offsets = _corners(soles) if segments.is_person else _points_of_feet(feet, shapes)
    rig = replace(rig, sole_bodies=sole_bodies, sole_offsets=sole_offsets)
    body_names = _body_names(segments, skeleton)
    hinge_names = tuple(
        f"{body_names[body]}_{letter}" if len(rig.actives[body]) > 1 else body_names[body]
        for body in range(rig.num_bodies)
        for letter in _spoken(rig.actives[body])
    )
    lower, upper = _ranges(clip, segments, rig, config)
    weight = float(masses.masses.sum())
    armature = max(config.armature * weight * clip.height**2, 1e-6)
    unit = np.ones(len(lower))
    draft = Actuation(lower, upper, armature, unit, unit, unit)

    def write(actuation: Actuation, stand: Float[np.ndarray, " nq"], excludes: Sequence[tuple[int, int]] = ()) -> str:
        return write_mjcf(
            name, rig, body_names=body_names, hinge_names=hinge_names, masses=masses, shapes=shapes, actuation=actuation,
            config=config, stand=stand, excludes=excludes,
        )  # fmt: skip

    model = mujoco.MjModel.from_xml_string(write(draft, _standing(rig, lower, upper, ())))
    stand = _balanced(model, rig, lower, upper, feet if segments.is_person else ())
    bears = _bearing(rig, feet, segments) * weight * GRAVITY * float(_center(model, stand)[2])
    poses = [stand, *_clip_poses(rig, clip, stand, lower, upper)]
    inertias = np.max([carried_inertias(model, pose) for pose in poses], axis=0)
    stiffness, damping, limits = gains(inertias, bears, config)
    actuation = Actuation(lower, upper, armature, stiffness, damping, limits)
    excludes = overlaps(write(actuation, stand), stand) if config.self_collision else []
    return Built(
        xml=write(actuation, stand, excludes),
        skeleton=skeleton,
        rig=rig,
        body_names=body_names,
        hinge_names=hinge_names,
        actuation=actuation,
        feet=feet,
        end_effectors=_end_effectors(segments, feet),
        height=clip.height,
    )


@dataclass(frozen=True, eq=False)
class _Frames:
    """Where bodies are in the sample: positions (frames, bodies, 3), rotations (frames, bodies, 4)."""

    positions: Float[np.ndarray, "frames bodies 3"]
    rotations: Float[np.ndarray, "frames bodies 4"]

    def local(self, body: int, places: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "3"]:
        """Return the mean place in a body's frame of points in the world, shape (frames, 3)."""
        seen = quaternion.rotate(quaternion.inverse(self.rotations[:, body]), places - self.positions[:, body])
        return np.asarray(seen.mean(axis=0))


def _body_frames(clip: Clip, segments: Segments, alignments: Float[np.ndarray, "bodies 4"]) -> _Frames:
    joints, pivots = [s.joint for s in segments.segments], [s.pivot for s in segments.segments]
    rotations = quaternion.multiply(clip.seen.global_rotations[:, joints], alignments)
    return _Frames(clip.seen.global_positions[:, pivots], rotations)


def _offsets(frames: _Frames, segments: Segments) -> Float[np.ndarray, "bodies 3"]:
    offsets = [np.zeros(3)]
    for body, parent in enumerate(segments.parents[1:], 1):
        offsets.append(frames.local(parent, frames.positions[:, body]))
    return np.array(offsets)


def _tips(clip: Clip, frames: _Frames, segments: Segments) -> dict[int, Float[np.ndarray, "_ 3"]]:
    """Return places of merged joints and end sites in the frame of the body that carries them."""
    skeleton = clip.motion.skeleton
    found: dict[int, list[np.ndarray]] = {body: [] for body in range(len(segments.segments))}
    inside = {s.pivot for s in segments.segments}
    for joint, body in enumerate(segments.carriers):
        if body >= 0 and joint not in inside:
            found[body].append(frames.local(body, clip.seen.global_positions[:, joint]))
    for end, joint in enumerate(skeleton.end_site_parents.tolist()):
        if (body := segments.carriers[joint]) >= 0:
            found[body].append(frames.local(body, clip.seen.end_site_positions[:, end]))
    return {body: np.array(places).reshape(-1, 3) for body, places in found.items()}


def _body_masses(clip: Clip, frames: _Frames, segments: Segments, joints: JointMasses, config: CharacterConfig) -> BodyMasses:
    """Sum what the joints of each body weigh; no body has less inertia than the least, or less mass than a tenth of a percent."""
    count = len(segments.segments)
    masses, moments, seconds = np.zeros(count), np.zeros((count, 3)), np.zeros((count, 3, 3))
    for joint, body in enumerate(segments.carriers):
        mass = joints.masses[joint]
        if not mass:
            continue
        body = max(body, 0)
        turned = clip.seen.global_rotations[:, joint]
        arms = quaternion.rotate(turned, np.broadcast_to(joints.centers[joint], (len(turned), 3)))
        place = frames.local(body, clip.seen.global_positions[:, joint] + arms)
        local = quaternion.mean(quaternion.multiply(quaternion.inverse(frames.rotations[:, body]), turned))
        matrix = quaternion.to_matrix(local)
        masses[body] += mass
        moments[body] += mass * place
        seconds[body] += matrix @ joints.inertias[joint] @ matrix.T + mass * (place @ place * np.eye(3) - np.outer(place, place))
    least_mass = 1e-3 * masses.sum()
    least = config.least_inertia * masses.sum() * clip.height**2
    centers = np.divide(moments, masses[:, None], out=np.zeros_like(moments), where=masses[:, None] > 0.0)
    for body in range(count):
        center = centers[body]
        about = seconds[body] - masses[body] * (center @ center * np.eye(3) - np.outer(center, center))
        values, directions = np.linalg.eigh(0.5 * (about + about.T))
        seconds[body] = (directions * np.maximum(values, least)) @ directions.T
    return BodyMasses(np.maximum(masses, least_mass), centers, seconds)


def _rig(
    clip: Clip,
    segments: Segments,
    alignments: Float[np.ndarray, "bodies 4"],
    offsets: Float[np.ndarray, "bodies 3"],
    tips: dict[int, Float[np.ndarray, "_ 3"]],
    frames: _Frames,
    config: CharacterConfig,
) -> Rig:
    found: list[Hinges] = [Hinges(quaternion.IDENTITY.copy(), quaternion.IDENTITY.copy(), "", "")]
    turned = frames.rotations.copy()
    for body, parent in enumerate(segments.parents[1:], 1):
        part = segments.segments[body].part.removeprefix("left_").removeprefix("right_")
        local = quaternion.multiply(quaternion.inverse(turned[:, parent]), frames.rotations[:, body])
        below = [offsets[child] for child, above in enumerate(segments.parents) if above == body] or list(tips[body])
        hinges = find_hinges(local, np.mean(below, axis=0) if below else np.zeros(3), part, config)
        found.append(hinges)
        turned[:, body] = quaternion.multiply(turned[:, parent], hinges.rotations(hinges.angles(local)))
    return Rig(
        joints=np.array([s.joint for s in segments.segments]),
        pivots=np.array([s.pivot for s in segments.segments]),
        parents=np.array(segments.parents),
        alignments=alignments,
        offsets=offsets,
        rest_rotations=quaternion.mean(clip.sample.local_rotations),
        hinge_bodies=np.repeat(np.arange(len(found)), [len(hinges.active) for hinges in found]),
        references=np.array([hinges.reference for hinges in found]),
        bases=np.array([hinges.basis for hinges in found]),
        orders=tuple(hinges.order for hinges in found),
        actives=tuple(hinges.active for hinges in found),
        sole_bodies=np.zeros(0, dtype=np.int64),
        sole_offsets=np.zeros((0, 3)),
    )


def _ranges(
    clip: Clip, segments: Segments, rig: Rig, config: CharacterConfig
) -> tuple[Float[np.ndarray, " hinges"], Float[np.ndarray, " hinges"]]:
    _, angles = rig.hinge_angles(clip.motion)
    lower, upper = np.zeros(angles.shape[1]), np.zeros(angles.shape[1])
    for body, segment in enumerate(segments.segments):
        if columns := rig.columns(body).tolist():
            part = segment.part.removeprefix("left_").removeprefix("right_")
            left = not segment.part.startswith("right_")
            lower[columns], upper[columns] = find_ranges(rig.hinges(body), angles[:, columns], part, left, config)
    return lower, upper


def _feet(clip: Clip, segments: Segments, frames: _Frames, tips: dict[int, Float[np.ndarray, "_ 3"]]) -> tuple[int, ...]:
    """Return the bodies that stand on the floor: feet and toes; of what is no person limbs that end near its lowest point."""
    if segments.is_person:
        return tuple(segments.named("foot", "toe"))
    lowest: dict[int, float] = {}
    for body in range(1, len(segments.segments)):
        if body in segments.parents:
            continue
        places = frames.positions[:, body, None] + quaternion.rotate(
            frames.rotations[:, body, None], np.broadcast_to(tips[body], (len(frames.positions), *tips[body].shape))
        )
        lowest[body] = float(np.concatenate([frames.positions[:, body, 1], places[..., 1].ravel()]).min())
    if not lowest:
        return ()
    floor = min(float(frames.positions[..., 1].min()), *lowest.values())
    return tuple(body for body, height in lowest.items() if height < floor + REACHES_FLOOR * clip.height)


def _corners(soles: list[Sole]) -> tuple[Int[np.ndarray, " corners"], Float[np.ndarray, "corners 3"]]:
    """Return the body of each corner of the soles and its place."""
    places = [sole.corners for sole in soles]
    return np.repeat([sole.body for sole in soles], 4).astype(np.int64), np.concatenate(places) if places else np.zeros((0, 3))


def _points_of_feet(
    feet: tuple[int, ...], shapes: list[Shape]
) -> tuple[Int[np.ndarray, " corners"], Float[np.ndarray, "corners 3"]]:
    """Return the ends of the capsules of feet, lowered by their radius, as soles."""
    ends = [(shape.body, end - np.array([0.0, shape.radius, 0.0])) for shape in shapes for end in (shape.start, shape.end)]
    mine = [(body, place) for body, place in ends if body in feet]
    return np.array([body for body, _ in mine], dtype=np.int64), np.array([place for _, place in mine]).reshape(-1, 3)


def _bearing(rig: Rig, feet: tuple[int, ...], segments: Segments) -> Float[np.ndarray, " hinges"]:
    """Return 1 for hinges between the root and the feet, less for toes, 0 elsewhere.

    Toes push off: in our run they need 77 N m, in our walk 34 N m, and less than half of an ankle's stiffness gives that.
    """
    on_way: set[int] = set()
    for foot in feet:
        while foot > 0 and foot not in on_way:
            on_way.add(foot)
            foot = int(rig.parents[foot])
    toes = set(segments.named("toe"))
    return np.array([0.35 if body in toes else float(body in on_way) for body in rig.hinge_bodies.tolist()])


def _standing(
    rig: Rig, lower: Float[np.ndarray, " hinges"], upper: Float[np.ndarray, " hinges"], feet: tuple[int, ...], lean: float = 0.0
) -> Float[np.ndarray, " nq"]:
    """Return MuJoCo's numbers of the body at rest, leaning ahead about its ankles, its soles on the floor."""
    angles = np.zeros((1, len(lower)))
    for body in feet:
        if int(rig.parents[body]) not in feet:
            back = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), -lean)
            angles[:, rig.columns(body)] = rig.hinges(body).angles(back[None])
    angles = np.clip(angles, lower, upper)
    turn = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), lean)
    height = -float(rig.sole_heights(*rig.pose(np.zeros((1, 3)), turn[None], angles)).min())
    return np.concatenate([[0.0, 0.0, height], rotations_to_z_up(turn), angles[0]])


def _balanced(
    model: mujoco.MjModel,
    rig: Rig,
    lower: Float[np.ndarray, " hinges"],
    upper: Float[np.ndarray, " hinges"],
    feet: tuple[int, ...],
) -> Float[np.ndarray, " nq"]:
    """Return the standing pose, leaning such that the mass centre is over the ankles, where nothing turns them."""
    lean = 0.0
    for _ in range(4 if feet else 0):
        qpos = _standing(rig, lower, upper, feet, lean)
        turned = rotations_to_y_up(qpos[3:7])
        places, _ = rig.pose(to_y_up(qpos[None, :3]), turned[None], qpos[None, 7:])
        center = _center(model, qpos)
        ankle = float(places[0, [body for body in feet if int(rig.parents[body]) not in feet], 2].mean())
        lean = float(np.clip(lean + (ankle - center[0]) / center[2], -LEAN, LEAN))
    return _standing(rig, lower, upper, feet, lean)


def _clip_poses(
    rig: Rig,
    clip: Clip,
    stand: Float[np.ndarray, " nq"],
    lower: Float[np.ndarray, " hinges"],
    upper: Float[np.ndarray, " hinges"],
) -> list[Float[np.ndarray, " nq"]]:
    """Return a few poses of the clip: a bent arm is harder to turn about itself than a straight one."""
    few = clip.sample[:: -(-clip.sample.num_frames // POSES)]
    _, angles = rig.hinge_angles(few)
    return [np.concatenate([stand[:7], row]) for row in np.clip(angles, lower, upper)]


def _center(model: mujoco.MjModel, qpos: Float[np.ndarray, " nq"]) -> Float[np.ndarray, "3"]:
    """Return the mass centre in a pose, MuJoCo's world."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    return np.array(data.subtree_com[1])


def overlaps(xml: str, qpos: Float[np.ndarray, " nq"]) -> list[tuple[int, int]]:
    """Return the pairs of bodies that touch while the body stands."""
    model = mujoco.MjModel.from_xml_string(xml)
    model.geom_margin[:] = 0.01
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    pairs = {tuple(sorted(int(model.geom_bodyid[geom]) - 1 for geom in data.contact.geom[n])) for n in range(data.ncon)}
    return sorted(pair for pair in pairs if pair[0] >= 0)  # type: ignore[misc]


def _body_names(segments: Segments, skeleton: Skeleton) -> tuple[str, ...]:
    names: list[str] = []
    for segment in segments.segments:
        plain = segment.part or "".join(c if c.isalnum() else "_" for c in skeleton.joint_names[segment.joint])
        name, number = plain, 2
        while name in names:
            name, number = f"{plain}{number}", number + 1
        names.append(name)
    return tuple(names)


def _spoken(active: str) -> list[str]:
    """Name hinges by MuJoCo's axes: ours X, Y, Z are its y, z, x."""
    return [{"X": "y", "Y": "z", "Z": "x"}[letter] for letter in active]


def _end_effectors(segments: Segments, feet: tuple[int, ...]) -> tuple[int, ...]:
    if not segments.is_person:
        leaves = {body for body in range(1, len(segments.segments)) if body not in segments.parents}
        return tuple(sorted(leaves | set(feet)))
    hands = segments.named("hand") or segments.named("forearm")
    return tuple(sorted({*hands, *segments.named("foot", "head")}))
