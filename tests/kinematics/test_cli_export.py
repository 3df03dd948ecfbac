"""The command `export`: what it writes, what it says, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinematics import InputError
from kinematics.cli_export import export_command
from kinematics.errors import MissingFileError


def test_it_writes_and_says_how_large(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_command((clips / "walk_cmu.bvh", clips / "walk_lafan1.bvh"), output=tmp_path / "walk.html")
    said = capsys.readouterr().out
    assert "2 clips, 319 frames" in said and "MB" in said
    export_command((clips / "wave_lafan1.bvh",), output=tmp_path / "wave.GLB", overlay=True)
    assert "kB" in capsys.readouterr().out
    assert (tmp_path / "wave.GLB").read_bytes()[:4] == b"glTF"


def test_bad_input(clips: Path, tmp_path: Path) -> None:
    clip = clips / "walk_cmu.bvh"
    with pytest.raises(InputError, match="no clip was given"):
        export_command((), output=tmp_path / "x.html")
    with pytest.raises(InputError, match=r"extension must be \.html or \.glb"):
        export_command((clip,), output=tmp_path / "x.gltf")
    with pytest.raises(InputError, match="no folder"):
        export_command((clip,), output=tmp_path / "nowhere" / "x.html")
    with pytest.raises(MissingFileError, match=r"did you mean 'walk_cmu.bvh'"):
        export_command((clip, clips / "walk_cm.bvh"), output=tmp_path / "x.html")
    same = tmp_path / "clip.html"
    same.write_bytes(clip.read_bytes())
    with pytest.raises(InputError, match="would overwrite"):
        export_command((same,), output=same)
    assert same.read_bytes() == clip.read_bytes()
    assert list(tmp_path.iterdir()) == [same]
