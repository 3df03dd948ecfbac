"""A plain BVH file, and what it says, for tests that change one thing of it."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np
import pytest

from kinematics import BvhParseError, Motion
from kinematics.io.bvh_read import read_bvh

HIERARCHY = textwrap.dedent("""\
    HIERARCHY
    ROOT Hips
    {
    	OFFSET 0 0 0
    	CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
    	JOINT Spine
    	{
    		OFFSET 0 10 0
    		CHANNELS 3 Zrotation Xrotation Yrotation
    		End Site
    		{
    			OFFSET 0 5 0
    		}
    	}
    	JOINT LeftUpLeg
    	{
    		OFFSET 4 -1 0
    		CHANNELS 3 Zrotation Xrotation Yrotation
    		End Site
    		{
    			OFFSET 0 -9 0
    		}
    	}
    }
    """)
ROWS = [
    [0.0, 90.0, -0.0, 0.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0],
    [0.5, 91.0, -1.0, 10.0, 19.0, 5.0, 3.0, -4.0, 90.0, -15.0, 7.0, 1.25],
    [1.0, 92.0, -2.0, 20.0, 18.0, 10.0, 6.0, -8.0, 0.0, -30.0, 7.0, 2.5],
]


class Plain:
    """Three joints, three frames; `text(...)` builds the file with some parts replaced."""

    hierarchy = HIERARCHY
    rows = ROWS

    def text(
        self,
        hierarchy: str = HIERARCHY,
        rows: list[list[float]] | str = ROWS,
        frames: str = "Frames: 3",
        time: str = "Frame Time: 0.0333333",
    ) -> str:
        """Return a whole file; `rows` may be given as text."""
        body = rows if isinstance(rows, str) else "".join(" ".join(f"{value:.6f}" for value in row) + "\n" for row in rows)
        return "\n".join([hierarchy + "MOTION", *(line for line in (frames, time) if line), body])

    def read(self, text: str | bytes, **options: Any) -> Motion:
        """Read the first clip of a text."""
        return read_bvh(text if isinstance(text, bytes) else text.encode(), **options)[0]

    def same(self, text: str | bytes, **options: Any) -> Motion:
        """Assert that a file says what the plain one says, bit for bit, and return it."""
        motion, expected = self.read(text, **options), self.read(self.text())
        assert motion.skeleton.joint_names == expected.skeleton.joint_names
        assert motion.skeleton.allclose(expected.skeleton, atol=0.0)
        np.testing.assert_array_equal(motion.root_positions, expected.root_positions)
        np.testing.assert_array_equal(motion.local_rotations, expected.local_rotations)
        assert motion.frame_time == expected.frame_time and motion.local_positions is None
        return motion

    def mended(self, text: str, *, line: int | None = None, says: str = "") -> Motion:
        """Assert that a file needs a repair that says something, at a line, and that strict mode refuses it there."""
        motion = self.read(text)
        repairs = " | ".join(map(str, motion.source.repairs))
        lines = [repair.line for repair in motion.source.repairs]
        assert lines and re.search(says, repairs) and (line is None or line in lines), repairs
        with pytest.raises(BvhParseError) as caught:
            self.read(text, strict=True)
        assert caught.value.path == "<bytes>" and (line is None or caught.value.line in lines)
        return motion


@pytest.fixture(scope="session")
def plain() -> Plain:
    """Return the builder of the plain file."""
    return Plain()
