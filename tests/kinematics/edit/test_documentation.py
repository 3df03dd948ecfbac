"""The lines of docs/editing.md run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from kinematics import edit
from kinematics.testing import human_skeleton, random_motion

PAGE = Path(__file__).resolve().parents[3] / "docs" / "editing.md"
CMU_NAMES = {"Spine": "LowerBack", "Spine1": "Spine", "Neck": "Spine1", "LeftToe": "LeftFingerBase", "RightToe": "LThumb"}


def test_every_example_runs() -> None:
    clip, other = (random_motion(human_skeleton(), seed, num_frames=frames, smooth=True) for seed, frames in ((1, 60), (2, 45)))
    names = {"edit": edit, "np": np, "clip": edit.rename_joints(clip, CMU_NAMES), "other": edit.rename_joints(other, CMU_NAMES)}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    for block in blocks[1:]:
        exec(block, names)
    assert names["rigid"].local_positions is None
    missing = [name for name in dir(edit) if callable(getattr(edit, name)) and name[0].islower() and name not in PAGE.read_text()]
    assert not missing
