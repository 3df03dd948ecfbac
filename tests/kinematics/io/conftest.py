"""A plain BVH file, and what it says, for tests that change one thing of it."""

from __future__ import annotations

import textwrap

import pytest

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


@pytest.fixture(scope="session")
def plain() -> Plain:
    """Return the builder of the plain file."""
    return Plain()
