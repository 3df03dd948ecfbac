"""Files are whole or not written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kinematics import InputError
from kinematics.io.atomic import write_bytes


def test_new_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"one")
    assert path.read_bytes() == b"one"
    write_bytes(str(path), [b"two", b"", b"three"])
    assert path.read_bytes() == b"twothree"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def refuse(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(InputError, match=r"a\.bin.*No space left on device; nothing was changed"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(TypeError):
        write_bytes(path, [b"new", 3])  # type: ignore[list-item]
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a folder; add a file name"):
        write_bytes(tmp_path, b"")
    with pytest.raises(InputError, match="there is no folder.*missing.*make it first"):
        write_bytes(tmp_path / "missing" / "a.bin", b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="there is no folder"):
        write_bytes(tmp_path / "file" / "a.bin", b"")
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(InputError, match="cannot write"):
            write_bytes(tmp_path / name, b"")


def test_protected_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system answers to a user without the right; root, who may write anything, is answered so too here."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        with pytest.raises(InputError, match="write-protected"):
            write_bytes(path, b"new")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        with pytest.raises(InputError, match="Permission denied"):
            write_bytes(tmp_path / "b.bin", b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "a.bin", tmp_path / "link.bin"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_bytes(link, b"new")
    assert link.is_symlink() and path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o640
