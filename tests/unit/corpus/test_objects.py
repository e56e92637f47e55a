"""Objects are placed in a version in the cheapest way that the file system supports."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from builder.corpus.objects import place, take


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"shard" * 1000)
    path.chmod(0o444)
    return path


def refuse(number: int) -> object:
    def call(*arguments: object, **more: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EXDEV, errno.ENOTTY, errno.EINVAL])
def test_reflink_that_is_refused_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A failed reflink leaves an empty file, which would be a shard without rows."""
    monkeypatch.setattr(fcntl, "ioctl", refuse(number))
    assert place(source, tmp_path / "target") == "hard link"
    assert (tmp_path / "target").samefile(source)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_hard_link_that_is_refused_becomes_a_copy(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Hard links fail on another device or for a file of another user. The copy is read-only."""
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.ENOTSUP))
    monkeypatch.setattr(Path, "hardlink_to", refuse(number))
    assert place(source, tmp_path / "target") == "copy"
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert not (tmp_path / "target").samefile(source)
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o444


def test_a_reflink_is_preferred(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reflink is as cheap as a hard link, and the two files stay independent."""

    def clone(want: int, request: int, have: int) -> None:
        assert request == 0x40049409
        os.write(want, source.read_bytes())

    monkeypatch.setattr(fcntl, "ioctl", clone)
    assert place(source, tmp_path / "target") == "reflink"
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o444


def test_full_disk_is_not_hidden(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only errors about missing features of the file system lead to the next way."""
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        place(source, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_nothing_is_overwritten(source: Path, tmp_path: Path) -> None:
    """An existing target keeps its bytes."""
    (tmp_path / "target").write_bytes(b"other")
    with pytest.raises(FileExistsError):
        place(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"other"


def test_file_is_taken_across_file_systems(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is copied and then deleted at its source, like a move."""
    data = source.read_bytes()
    monkeypatch.setattr(Path, "rename", refuse(errno.EXDEV))
    take(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == data
    assert not source.exists()
