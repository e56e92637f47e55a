"""Files of a corpus are opened below it, without links, as plain files, up to a size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.corpus.opening import check_folder, check_path, check_tree, open_file, read_file
from builder.errors import CorpusError, TamperedError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file in a folder, next to one that it must not reach."""
    (tmp_path / "root/in").mkdir(parents=True)
    (tmp_path / "root/in/file").write_bytes(b"12345")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/file").write_bytes(b"secret")
    return tmp_path / "root"


def test_a_plain_file_is_read(root: Path) -> None:
    """Through a link to the folder itself too: who calls has chosen that one."""
    (root.parent / "also").symlink_to(root)
    assert read_file(root, "in/file", limit=5) == b"12345"
    assert read_file(root.parent / "also", "in/file", limit=5) == b"12345"
    with open_file(root, "in/file") as file:
        assert file.read(2) == b"12"
    assert check_path(root, "in/file").read_bytes() == b"12345"


def test_a_file_over_its_limit_is_refused(root: Path) -> None:
    """One byte more is too much."""
    with pytest.raises(TamperedError, match=r"in/file: has more than 4 bytes"):
        read_file(root, "in/file", limit=4)


def test_what_is_not_there_is_the_callers_to_judge(root: Path) -> None:
    """A missing file raises FileNotFoundError; a path to it may be asked for."""
    with pytest.raises(FileNotFoundError):
        read_file(root, "in/none", limit=5)
    assert check_path(root, "none/none") == root / "none/none"
    assert check_folder(root, "none") == root / "none"


@pytest.mark.parametrize("name", ["link", "way/file", "in", "in/fifo", "../out/file", "in/../../out/file"])
def test_what_leads_elsewhere_is_refused(root: Path, name: str) -> None:
    """A link at the end or on the way, a folder, a FIFO, and dots."""
    (root / "link").symlink_to(root.parent / "out/file")
    (root / "way").symlink_to(root.parent / "out")
    os.mkfifo(root / "in/fifo")
    for look in (lambda: read_file(root, name, limit=100), lambda: check_path(root, name)):
        with pytest.raises(TamperedError, match=r"not a plain file|not a folder|leads out"):
            look()


def test_a_folder_that_is_a_link_is_refused(root: Path) -> None:
    """Also where the link leads to a folder of the same corpus."""
    (root / "way").symlink_to(root / "in")
    for name in ("way", "way/deep", "in/file"):
        with pytest.raises(TamperedError, match="not a folder"):
            check_folder(root, name)


def test_a_tree_holds_files_and_folders_only(root: Path) -> None:
    """The name of what is something else is told from the folder that was asked about."""
    check_tree(root, where=".spool/key")
    (root / "in/link").symlink_to("file")
    with pytest.raises(TamperedError, match=r"\.spool/key/in/link: is a symbolic link"):
        check_tree(root, where=".spool/key")


def test_no_file_stays_open(root: Path) -> None:
    """Neither after a file was read nor after one was refused."""
    before = len(list(Path("/dev/fd").iterdir()))
    os.mkfifo(root / "fifo")
    for _ in range(20):
        read_file(root, "in/file", limit=5)
        for name in ("fifo", "in", "none"):
            with pytest.raises((CorpusError, FileNotFoundError)):
                read_file(root, name, limit=5)
    assert len(list(Path("/dev/fd").iterdir())) == before
