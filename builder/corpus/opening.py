"""Open files of a corpus. All commands open them here, whether they read or write.

A corpus may come from a stranger. Each part of a path is opened relative to its parent folder and never
through a link. The file at the end must be a plain file: a FIFO, a device, a socket or a folder is refused
with an error message. A file that is read whole into memory has a size limit, by kind of file.

Arrow opens files by path. Therefore ``check_path`` checks such a path in the same way first.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from builder.errors import CorpusError, Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import BufferedReader

    import pyarrow as pa
    import pyarrow.dataset

MIB = 1 << 20
SEAL_BYTES = 64 * MIB
MANIFEST_BYTES = 64 * MIB
JOURNAL_BYTES = 64 * MIB
PURGED_BYTES = 64 * MIB
CARD_BYTES = 16 * MIB
SMALL_JSON_BYTES = 16 * MIB
"""Limit for ``run.json``, ``card.json``, ``fetched.json`` and ``became.json``."""
INDEX_JSON_BYTES = 1_024 * MIB
TOMBSTONES_BYTES = 1_024 * MIB
HASH_CACHE_BYTES = 1_024 * MIB
LOCK_BYTES = 1_000

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ADVICE = "a corpus contains plain files and folders only; do not use this one if you did not create it"
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def open_file(root: Path, name: str) -> Iterator[BufferedReader]:
    """Open a plain file below a folder.

    Args:
        root: trusted folder; it may be a link itself.
        name: path of the file below ``root``, with forward slashes.

    Raises:
        FileNotFoundError: if the file does not exist.
        TamperedError: if a part of the path is a link, or the file is not a plain file.
        CorpusError: if the file cannot be read.
    """
    with _readable(root, name), os.fdopen(_open(root, name), "rb") as file:
        yield file


def read_file(root: Path, name: str, *, limit: int) -> bytes:
    """Read a small file whole. It raises the errors of ``open_file``, and one more.

    Raises:
        TamperedError: if the file has more than ``limit`` bytes.
    """
    with open_file(root, name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        what = f"has more than {limit:,} bytes, the limit for such a file"
        raise TamperedError(Fault(where=name, what=what, advice="run `builder verify`"))
    return data


def check_path(root: Path, name: str) -> Path:
    """Return the path of a file below a folder; if the file exists, check that it is a plain file.

    Raises:
        TamperedError: if a part of the path is a link, or the file is not a plain file.
    """
    with _readable(root, name), suppress(FileNotFoundError, PermissionError):
        os.close(_open(root, name))
    return root / name


def check_folder(root: Path, name: str) -> Path:
    """Return the path of a folder below another folder; if the path exists, check that it is a folder.

    Raises:
        TamperedError: if the path, or a part of it, is a link or not a folder.
    """
    with _readable(root, name), suppress(FileNotFoundError):
        os.close(_open_folder(root, PurePosixPath(name).parts, name))
    return root / name


def check_tree(folder: Path, *, where: str) -> None:
    """Check that a folder contains only plain files and folders, at every depth.

    Raises:
        TamperedError: for the first entry of another kind.
    """
    with _readable(folder.parent, where):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            name = f"{where}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                check_tree(folder / entry.name, where=name)
            elif not entry.is_file(follow_symlinks=False):
                raise _odd(name, entry.stat(follow_symlinks=False), "a plain file or folder")


def file_kind(path: Path) -> str:
    """Return the kind of a file, without following a link; empty if the path does not exist."""
    try:
        return _kind(path.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _open(root: Path, name: str) -> int:
    *folders, last = PurePosixPath(name).parts
    at = _open_folder(root, folders, name)
    try:
        _need_plain(os.stat(last, dir_fd=at, follow_symlinks=False), name)
        number = os.open(last, _FILE, dir_fd=at)
    finally:
        os.close(at)
    try:
        _need_plain(os.fstat(number), name)
    except TamperedError:
        os.close(number)
        raise
    return number


def _open_folder(root: Path, parts: tuple[str, ...] | list[str], name: str) -> int:
    """Open a folder, one part of its path at a time."""
    if ".." in parts or PurePosixPath(name).is_absolute():
        raise TamperedError(Fault(where=name, what="leads out of its folder", advice=_ADVICE))
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for number, part in enumerate(parts):
        try:
            below = os.open(part, _FOLDER, dir_fd=at)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            facts = os.stat(part, dir_fd=at, follow_symlinks=False)
            raise _odd("/".join(parts[: number + 1]), facts, "a folder") from None
        finally:
            os.close(at)
        at = below
    return at


def _need_plain(facts: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise _odd(name, facts, "a plain file")


def _odd(name: str, facts: os.stat_result, wanted: str) -> TamperedError:
    return TamperedError(Fault(where=name, what=f"is {_kind(facts)}, not {wanted}", advice=_ADVICE))


def _kind(facts: os.stat_result) -> str:
    return next((kind for is_kind, kind in _KINDS if is_kind(facts.st_mode)), "something else")


@contextmanager
def _readable(root: Path, name: str) -> Iterator[None]:
    """Turn errors of the system into a CorpusError; the caller handles a missing file."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root / name)) from error
    except OSError as error:
        what = f"cannot be read: {os.strerror(error.errno) if error.errno else error}"
        raise CorpusError(Fault(where=name, what=what)) from error


# -- Arrow datasets, which read rows only when they are asked for ---------------------------------


def open_rows(
    files: Mapping[str, Sequence[Path]], *, split: str | None, where: str
) -> pyarrow.dataset.Dataset:
    """Open the shards of one split, or of all splits, in the order of the rows.

    Raises:
        CorpusError: if the version has no rows in this split.
    """
    import pyarrow.dataset

    if split is not None and split not in files:
        what, advice = f"the version has no rows in the split {split!r}", "one of " + ", ".join(files)
        raise CorpusError(Fault(where=where, what=what, advice=advice))
    wanted = [split] if split is not None else list(files)
    paths = [str(path) for name in wanted for path in files[name]]
    return pyarrow.dataset.dataset(paths, format="parquet")


VERSION = "version"
"""The column with the version whose build wrote a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSegment:
    """The ledger of one build.

    Attributes:
        n_restated: number of records of earlier builds whose outcome the build changed.
    """

    version: str
    folder: Path
    n_restated: int


def open_segments(segments: Sequence[LedgerSegment], *, name: str) -> pyarrow.dataset.Dataset:
    """Open a file of each segment, without the rows that a later segment has again.

    Rows are read when you ask for them. If a segment has restated records, their ids are read at once.

    Args:
        segments: the oldest first.
        name: ``ledger.parquet`` or ``clusters.parquet``.

    Raises:
        CorpusError: if a segment does not have the file.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    paths = [_existing(one.folder / name) for one in segments]
    found = ds.dataset(
        [str(path) for path in paths],
        format="parquet",
        partitioning=ds.partitioning(pa.schema([(VERSION, pa.string())])),
        partition_base_dir=str(segments[0].folder.parent),
    )
    stale = [
        (pc.field(VERSION) == version) & pc.field("record_id").isin(ids)
        for version, ids in _superseded(segments).items()
    ]
    return found.filter(~reduce(lambda a, b: a | b, stale)) if stale else found


def _superseded(segments: Sequence[LedgerSegment]) -> Mapping[str, pa.Array]:
    """Return the records of each segment that a later one restates."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    later: list[pa.ChunkedArray] = []
    found: dict[str, pa.Array] = {}
    for one in reversed(segments):
        path = _existing(one.folder / "ledger.parquet")
        if later:
            wanted = pa.chunked_array([chunk for ids in later for chunk in ids.chunks], pa.string())
            named = pc.field("record_id").isin(wanted.combine_chunks())
            table = pq.read_table(path, columns=["record_id"], filters=named, partitioning=None)
            if table.num_rows:
                found[one.version] = table["record_id"].combine_chunks()
        if one.n_restated:
            later.append(pq.read_table(path, columns=["record_id"], partitioning=None)["record_id"])
    return found


def _existing(path: Path) -> Path:
    if not path.is_file():
        what = f"the version has no {path.stem}"
        advice = "a version that was fetched may have been published without it"
        raise CorpusError(Fault(where=str(path), what=what, advice=advice))
    return path
