"""Read back what was published: the hashes of all files, and the rows of some row groups or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from builder.errors import Fault, PublishError
from builder.hub.result import ReadBack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from builder.domain.manifest import Manifest
    from builder.hub.diff import Local, Remote
    from builder.hub.remote import Repository


def compare_files(wanted: Mapping[str, Local], there: Mapping[str, Remote], *, where: str) -> list[Fault]:
    """Return a fault for each file that is missing on the Hub or has other bytes."""
    faults = []
    for path, local in wanted.items():
        if path not in there:
            faults.append(Fault(where=f"{where}: {path}", what="is missing on the Hub"))
        elif not there[path].holds(local):
            faults.append(Fault(where=f"{where}: {path}", what="has other bytes than the version's"))
    return faults


def read_back(
    repository: Repository,
    commit: str,
    manifest: Manifest,
    folder: Path,
    *,
    every_row: bool,
    advance: Callable[[int], None],
) -> ReadBack:
    """Compare rows on the Hub with local rows: the first and last row group of each shard, or all.

    Args:
        advance: called with the number of shards compared so far.

    Raises:
        PublishError: if they differ.
    """
    n_groups = n_rows = 0
    for done, (_, shard) in enumerate(manifest.shards(), start=1):
        groups, rows = _compare_rows(repository, commit, folder / shard.path, shard.path, every_row=every_row)
        n_groups += groups
        n_rows += rows
        advance(done)
    return ReadBack(files=0, row_groups=n_groups, rows=n_rows)


def _compare_rows(
    repository: Repository, commit: str, here: Path, path: str, *, every_row: bool
) -> tuple[int, int]:
    """Compare the bytes of row groups; equal bytes are equal rows.

    Arrow does not get the remote file: its threads keep a Python file open, and a thread that releases it
    while the interpreter ends crashes the process.
    """
    footer = pq.read_metadata(here)
    last = footer.num_row_groups - 1
    groups = range(last + 1) if every_row else sorted({0, last})
    with repository.open(path, commit) as there, here.open("rb") as own:
        for group in groups:
            begin, end = _place(footer.row_group(group))
            there.seek(begin)
            own.seek(begin)
            if there.read(end - begin) != own.read(end - begin):
                raise _differs(repository, path, f"has other rows in row group {group}")
    return len(groups), sum(footer.row_group(group).num_rows for group in groups)


def _place(group: pq.RowGroupMetaData) -> tuple[int, int]:
    """Return the first byte of a row group and the byte after its last."""
    chunks = [group.column(i) for i in range(group.num_columns)]
    begins = [
        chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
        for chunk in chunks
    ]
    ends = [begin + chunk.total_compressed_size for begin, chunk in zip(begins, chunks, strict=True)]
    return min(begins), max(ends)


def _differs(repository: Repository, path: str, what: str) -> PublishError:
    advice = "publish a new version, and do not use this tag"
    return PublishError(Fault(where=f"{repository.name}: {path}", what=what, advice=advice))
