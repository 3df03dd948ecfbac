"""Motions for others: one page that plays in any browser without a server, or a GLB file for Blender and game engines."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from jaxtyping import Float

from kinematics.errors import InputError
from kinematics.frames import heading
from kinematics.ik.neutral import find_neutral_pose
from kinematics.io.atomic import write_bytes
from kinematics.io.gltf import Figure, Surface, encode_glb
from kinematics.motion import Motion, Pose
from kinematics.rotations import quaternion
from kinematics.viewer.actor import Actor, arrange, make_actors
from kinematics.viewer.body import COLOURS
from kinematics.viewer.rows import default_titles, nice_number

EXTENSIONS = (".html", ".glb")
PAGE = Path(__file__).parent / "page"
WAY_RATE = 10.0  # points a second of the ways on the floor and of what the camera looks at
MOST_POINTS = 3000
SMOOTH_S = 0.35  # standard deviation over which the camera's way is smoothed
LEAST_STANCE_S = 0.04
TRAVELS = 0.5  # body heights that a body must go to be seen from its side


def export(
    motions: Motion | Pose | Sequence[Motion | Pose],
    path: str | Path,
    *,
    titles: Sequence[str] | None = None,
    side_by_side: bool = True,
) -> None:
    """Write motions as one file that others can open: a page that plays them, or glTF.

    A `.html` holds everything it needs and plays from a disk or a mail. A `.glb` holds, in metres and Y up, an armature with
    a skinned mesh for each motion; all move in one animation.

    Args:
        motions: One or several, in any unit and axes.
        path: File to write (.html or .glb).
        titles: What each is called; their files' names by default.
        side_by_side: Whether several stand beside each other; otherwise each is where its clip says.

    Raises:
        InputError: On no motion, another number of titles, another extension, or a place that cannot be written.
    """
    clips = [motions] if isinstance(motions, Motion | Pose) else list(motions)
    if not clips:
        raise InputError("there is nothing to export; give at least one motion")
    if titles is not None and len(titles) != len(clips):
        raise InputError(f"titles must be {len(clips)}, one for each motion; got {len(titles)}")
    suffix = Path(path).suffix.lower()
    if suffix not in EXTENSIONS:
        raise InputError(f"cannot write {str(path)!r}: the extension must be {' or '.join(EXTENSIONS)}")
    named = titles or _names(clips)
    actors = arrange(make_actors(clips, titles=named), side_by_side=side_by_side)
    glb = encode_glb([make_figure(actor) for actor in actors])
    overlaid = len(actors) > 1 and not side_by_side
    write_bytes(path, glb if suffix == ".glb" else make_page(actors, glb, overlaid=overlaid))


def make_figure(actor: Actor) -> Figure:
    """Return an actor with its body as glTF wants it."""
    surfaces = [
        Surface(part.joint, part.paint, COLOURS[part.paint], part.vertices, part.normals, part.faces)
        for part in actor.body.parts
        if len(part.faces)
    ]
    return Figure(
        actor.title,
        actor.motion,
        surfaces,
        scale=actor.scale,
        turn=actor.turn,
        offset=actor.offset,
        bind_rotations=_bind_rotations(actor),
    )


def make_page(actors: Sequence[Actor], glb: bytes, *, overlaid: bool = False) -> bytes:
    """Return the page that plays actors.

    Args:
        actors: Who is on stage.
        glb: The same as a GLB file, in the same order.
        overlaid: Whether they stand in each other, so that they need colours of their own.
    """
    title = ", ".join(actor.title for actor in actors if actor.title) or "motion"
    meta = orjson.dumps(_describe(actors, overlaid=overlaid)).decode()
    parts = {
        "title": html.escape(title.encode("utf-8", "replace").decode()),
        "style": (PAGE / "page.css").read_text(encoding="utf-8"),
        "meta": meta.replace("<", "\\u003c"),
        "glb": base64.b64encode(glb).decode(),
        "three": (PAGE / "three.min.js").read_text(encoding="utf-8"),
        "player": (PAGE / "player.js").read_text(encoding="utf-8"),
    }
    page = (PAGE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"{{(\w+)}}", lambda match: parts[match[1]], page).encode()


def _names(clips: Sequence[Motion | Pose]) -> list[str]:
    motions = [clip if isinstance(clip, Motion) else None for clip in clips]
    files = [default_titles([motion])[0] if motion is not None else "" for motion in motions]
    return [name or (f"motion {index + 1}" if len(clips) > 1 else "motion") for index, name in enumerate(files)]


def _bind_rotations(actor: Actor) -> Float[np.ndarray, "joints 4"] | None:
    """Return a standing pose for a human whose zero pose is none; None where the zero pose serves."""
    if actor.body.kind != "human":
        return None
    try:
        neutral = find_neutral_pose(actor.motion)
    except InputError:
        return None
    return None if neutral.origin == "zero pose" else neutral.rotations


def _describe(actors: Sequence[Actor], *, overlaid: bool) -> dict[str, Any]:
    """Return what the page must know beside the GLB."""
    height = max(actor.body.height for actor in actors)
    unit_size = 1.0 if actors[0].unit == "m" else actors[0].scale
    step = nice_number(0.55 * height / unit_size) * unit_size
    ways = [_way(actor) for actor in actors]
    travels = any(float(np.ptp(way[:, [0, 2]], axis=0).max()) > TRAVELS * height for way in ways)
    clips, node = [], 0
    for actor, way in zip(actors, ways, strict=True):
        skeleton, motion = actor.motion.skeleton, actor.motion
        clips.append(
            {
                "title": actor.title.encode("utf-8", "replace").decode(),
                "detail": _detail(actor),
                "node": node,
                "joints": skeleton.num_joints,
                "ends": skeleton.num_end_sites,
                "meshes": bool(actor.body.parts),
                "root": actor.root,
                "frames": motion.num_frames,
                "frameTime": motion.frame_time,
                "trail": _rounded(way[:, [0, 2]], height),
                "focus": _rounded(_smoothed(way, motion), height),
                "stances": _stances(actor, height),
            }
        )
        node += 1 + skeleton.num_joints + skeleton.num_end_sites + bool(actor.body.parts)
    return {
        "clips": clips,
        "height": height,
        "step": step,
        "scale": f"one square: {step / unit_size:g} {actors[0].unit}",
        "unit": actors[0].unit,
        "unitSize": unit_size,
        "azimuth": _azimuth(actors[0], beside=len(actors) > 1 and not overlaid, travels=travels),
        "overlaid": overlaid,
    }


def _detail(actor: Actor) -> str:
    motion = actor.motion
    words = [f"{motion.num_frames} frame{'s' * (motion.num_frames != 1)}"]
    if motion.num_frames > 1:
        words[0] += f" at {motion.frame_rate:.4g} Hz"
        words.append(f"{motion.duration:.2f} s")
    size = actor.body.height if actor.unit == "m" else actor.body.height / actor.scale
    return ", ".join([*words, f"{motion.skeleton.num_joints} joints", f"{size:.3g} {actor.unit} tall"])


def _way(actor: Actor) -> Float[np.ndarray, "points 3"]:
    """Return where the root is at even times from first to last frame."""
    motion = actor.motion
    span = (motion.num_frames - 1) * motion.frame_time
    count = int(np.clip(np.ceil(span * WAY_RATE) + 1, 2, min(max(motion.num_frames, 2), MOST_POINTS)))
    frames = np.linspace(0, motion.num_frames - 1, count).round().astype(np.int64)
    return np.asarray(actor.positions[frames, actor.root])


def _smoothed(way: Float[np.ndarray, "points 3"], motion: Motion) -> Float[np.ndarray, "points 3"]:
    from scipy.ndimage import gaussian_filter1d

    step = motion.frame_time * max(motion.num_frames - 1, 1) / (len(way) - 1)
    return np.asarray(gaussian_filter1d(way, min(SMOOTH_S / step, 1e4), axis=0, mode="nearest"))


def _rounded(points: Float[np.ndarray, "points axes"], height: float) -> list[list[float]]:
    """Return points as short numbers, to a ten-thousandth of the body's height or better."""
    digits = max(0, 4 - int(np.floor(np.log10(height))))
    return [[round(number, digits) for number in point] for point in points.tolist()]


def _stances(actor: Actor, height: float) -> list[list[float]]:
    """Return [first second, last second, x, z] of every time that a point of a foot stands."""
    points, stands = actor.contacts
    found = []
    for point in range(stands.shape[1]):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], stands[:, point], [False]])))
        for start, stop in edges.reshape(-1, 2).tolist():
            seconds = [start * actor.motion.frame_time, (stop - 1) * actor.motion.frame_time]
            if stop - start == len(stands) or seconds[1] - seconds[0] >= LEAST_STANCE_S:
                place = points[start:stop, point].mean(axis=0)
                found.append([*seconds, *_rounded(place[None, [0, 2]], height)[0]])
    return found


def _azimuth(actor: Actor, *, beside: bool, travels: bool) -> float:
    """Return from where the camera looks, radians about Y from +Z.

    It sees the first body half from its front, or a row of bodies along X from the row's front.
    """
    directions = heading(actor.motion, up=actor.world.up.value).directions
    facing = quaternion.rotate(actor.turn, directions.mean(axis=0))
    if beside:
        return 0.3 if facing[2] >= 0.0 else np.pi - 0.3
    return float(np.arctan2(facing[0], facing[2])) + (0.95 if travels else 0.45)
