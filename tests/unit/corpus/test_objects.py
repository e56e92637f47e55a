"""Objects come into a version by the cheapest way that the file system allows."""

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
    """The empty file of a failed reflink is taken away, and a hard link is made."""
    monkeypatch.setattr(fcntl, "ioctl", refuse(number))
    assert place(source, tmp_path / "target") == "hard link"
    assert (tmp_path / "target").samefile(source)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_hard_link_that_is_refused_becomes_a_copy(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """On another device, or for another user's file, the bytes are copied and read-only."""
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.ENOTSUP))
    monkeypatch.setattr(Path, "hardlink_to", refuse(number))
    assert place(source, tmp_path / "target") == "copy"
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert not (tmp_path / "target").samefile(source)
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o444


def test_reflink_is_taken_where_there_is_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system clones, no link is made."""

    def clone(want: int, request: int, have: int) -> None:
        assert request == 0x40049409
        os.write(want, source.read_bytes())

    monkeypatch.setattr(fcntl, "ioctl", clone)
    assert place(source, tmp_path / "target") == "reflink"
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o444


def test_full_disk_is_not_hidden(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is no matter of the file system's abilities is raised."""
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        place(source, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_nothing_is_overwritten(source: Path, tmp_path: Path) -> None:
    """What is there already stays."""
    (tmp_path / "target").write_bytes(b"other")
    with pytest.raises(FileExistsError):
        place(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"other"


def test_file_is_taken_across_file_systems(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file from another file system is copied, and is gone where it was."""
    data = source.read_bytes()
    monkeypatch.setattr(Path, "rename", refuse(errno.EXDEV))
    take(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == data
    assert not source.exists()
