"""Files of a corpus are opened only below the corpus, without links, as plain files, and up to a size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.corpus.opening import check_folder, check_path, check_tree, open_file, read_file
from builder.errors import CorpusError, TamperedError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a folder with a file, and next to it a folder that must stay out of reach."""
    (tmp_path / "root/in").mkdir(parents=True)
    (tmp_path / "root/in/file").write_bytes(b"12345")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/file").write_bytes(b"secret")
    return tmp_path / "root"


def test_a_plain_file_is_read(root: Path) -> None:
    """The root itself may be a link, because the caller has chosen it."""
    (root.parent / "also").symlink_to(root)
    assert read_file(root, "in/file", limit=5) == b"12345"
    assert read_file(root.parent / "also", "in/file", limit=5) == b"12345"
    with open_file(root, "in/file") as file:
        assert file.read(2) == b"12"
    assert check_path(root, "in/file").read_bytes() == b"12345"


def test_a_file_over_its_limit_is_refused(root: Path) -> None:
    """One byte over the limit is enough."""
    with pytest.raises(TamperedError, match=r"in/file: has more than 4 bytes"):
        read_file(root, "in/file", limit=4)


def test_the_caller_handles_a_missing_file(root: Path) -> None:
    """Reading raises FileNotFoundError; the checks return the path."""
    with pytest.raises(FileNotFoundError):
        read_file(root, "in/none", limit=5)
    assert check_path(root, "none/none") == root / "none/none"
    assert check_folder(root, "none") == root / "none"


@pytest.mark.parametrize("name", ["link", "way/file", "in", "in/fifo", "../out/file", "in/../../out/file"])
def test_a_path_to_something_else_is_refused(root: Path, name: str) -> None:
    """The cases are a link at the end or on the way, a folder, a FIFO, and ``..``."""
    (root / "link").symlink_to(root.parent / "out/file")
    (root / "way").symlink_to(root.parent / "out")
    os.mkfifo(root / "in/fifo")
    for look in (lambda: read_file(root, name, limit=100), lambda: check_path(root, name)):
        with pytest.raises(TamperedError, match=r"not a plain file|not a folder|leads out"):
            look()


def test_a_folder_that_is_a_link_is_refused(root: Path) -> None:
    """This includes a link to a folder of the same corpus."""
    (root / "way").symlink_to(root / "in")
    for name in ("way", "way/deep", "in/file"):
        with pytest.raises(TamperedError, match="not a folder"):
            check_folder(root, name)


def test_a_tree_holds_files_and_folders_only(root: Path) -> None:
    """The message has the path relative to the checked folder."""
    check_tree(root, where=".spool/key")
    (root / "in/link").symlink_to("file")
    with pytest.raises(TamperedError, match=r"\.spool/key/in/link: is a symbolic link"):
        check_tree(root, where=".spool/key")


def test_no_file_stays_open(root: Path) -> None:
    """Open files would reach the limit of the process, after reads and after refusals."""
    before = len(list(Path("/dev/fd").iterdir()))
    os.mkfifo(root / "fifo")
    for _ in range(20):
        read_file(root, "in/file", limit=5)
        for name in ("fifo", "in", "none"):
            with pytest.raises((CorpusError, FileNotFoundError)):
                read_file(root, name, limit=5)
    assert len(list(Path("/dev/fd").iterdir())) == before
