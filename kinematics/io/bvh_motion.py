"""The MOTION of a BVH file: bytes to an array of channel values."""

from __future__ import annotations

import math
import re

import numpy as np
from jaxtyping import Float

from kinematics import kernels
from kinematics.io.bvh_repair import Report, fill_gaps
from kinematics.io.bvh_text import BvhText

DEFAULT_FRAME_TIME = 1.0 / 30.0
_FRAMES = re.compile(rb"(?i)\s*Frames\b\s*:?[ \t]*([^\s:]*)")
_FRAME_TIME = re.compile(rb"(?i)\s*Frame[ \t]*Time\b\s*:?[ \t]*([^\s:]*)")


def read_motion(text: BvhText, rest: Float[np.ndarray, " channels"], report: Report) -> tuple[Float[np.ndarray, "frames channels"], float]:
    """Return channel values (degrees and the file's unit) and the frame time in seconds."""
    data = text.motion
    if data is None:
        report.repair("no MOTION", text.header_line(len(text.header)), "there is no MOTION", "MOTION", "the motion has no frames")
        return np.zeros((0, len(rest))), DEFAULT_FRAME_TIME
    at, frames, frame_time = 0, None, DEFAULT_FRAME_TIME
    for pattern in (_FRAMES, _FRAME_TIME):
        found = pattern.match(data, at)
        if found:
            at = found.end()
            if pattern is _FRAMES:
                frames = int(found[1])
            else:
                frame_time = float(found[1])
    if not (frame_time > 0 and math.isfinite(frame_time)):
        report.repair("frame time", text.motion_line(at), f"frame time {frame_time}", "seconds above 0", "took 1/30 s")
        frame_time = DEFAULT_FRAME_TIME
    values = read_numbers(data[at:])
    width = len(rest)
    rows = len(values) // width if width else (frames or 0)
    values = values[: rows * width].reshape(rows, width)
    if frames != rows:
        report.repair("frames", text.motion_line(at), f"Frames says {frames}", f"{rows}", f"kept the {rows} that are there")
    missing = ~np.isfinite(values)
    if missing.any():
        report.repair("nan", text.motion_line(at), "numbers are missing", "numbers", "filled from neighbouring frames")
        fill_gaps(values, missing, rest)
    return values, frame_time


def read_numbers(data: bytes) -> Float[np.ndarray, " numbers"]:
    """Return all numbers of a block of text, each as `float()` reads it; NaN where a word is none."""
    text = np.frombuffer(data, dtype=np.uint8)
    values = np.empty(len(data) // 2 + 1)
    rows = np.empty((data.count(b"\n") + data.count(b"\r") + 1, 2), dtype=np.int64)
    odd = np.empty((4096, 3), dtype=np.int64)
    state = np.zeros(6, dtype=np.int64)
    while True:
        kernels.bvh_numbers.parse(text, state, values, rows, odd)
        for index, start, end in odd[: state[3]].tolist():
            try:
                values[index] = float(data[start:end])
            except ValueError:
                values[index] = np.nan
        state[3] = 0
        if state[0] == len(data):
            return values[: state[1]]
