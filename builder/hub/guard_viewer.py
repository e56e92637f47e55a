"""Warn about limits of the Hub and of its viewer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow.parquet as pq

    from builder.domain.manifest import Manifest
    from builder.hub.guard_shards import Footers

MAX_GROUP_BYTES = 300_000_000
"""Maximum bytes that the viewer reads to show a page of rows."""

MAX_ROW_BYTES = 1_000_000
MAX_COLUMNS = 1_000
MAX_NAME_CHARS = 500
MAX_SPLITS = 30
MAX_FOLDER_FILES = 10_000
MAX_FILE_BYTES = 200_000_000_000


def viewer_warnings(manifest: Manifest, footers: Footers) -> Iterator[Fault]:
    """Yield a warning for everything that the viewer does not show, or truncates."""
    where = manifest.version
    if (n := len(manifest.columns)) > MAX_COLUMNS:
        yield Fault(where=where, what=f"has {n:,} columns; the viewer shows {MAX_COLUMNS:,}")
    for name in manifest.columns.names:
        if len(name) > MAX_NAME_CHARS:
            yield Fault(where=f"/{name[:40]}…", what=f"is longer than {MAX_NAME_CHARS} characters")
    if (n := len(manifest.splits)) > MAX_SPLITS:
        yield Fault(where=where, what=f"has {n} splits; the viewer shows {MAX_SPLITS}")
    folders = Counter(shard.path.rpartition("/")[0] for _, shard in manifest.shards())
    for folder, n in folders.items():
        if n > MAX_FOLDER_FILES:
            yield Fault(
                where=f"{where}/{folder}", what=f"has {n:,} files; the Hub accepts {MAX_FOLDER_FILES:,}"
            )
    for _, shard in manifest.shards():
        if footer := footers.read(shard.path):
            yield from _shard_warnings(f"{where}/{shard.path}", footer[0], shard.bytes)


def _shard_warnings(where: str, footer: pq.FileMetaData, n_bytes: int) -> Iterator[Fault]:
    if n_bytes > MAX_FILE_BYTES:
        yield Fault(where=where, what="is larger than 200 GB, the maximum that the Hub accepts")
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    largest = max((group.total_byte_size for group in groups), default=0)
    if largest > MAX_GROUP_BYTES:
        what = f"has a row group of {largest:,} bytes; the viewer reads at most {MAX_GROUP_BYTES:,}"
        yield Fault(where=where, what=what)
    means = [group.total_byte_size / group.num_rows for group in groups if group.num_rows]
    if means and max(means) > MAX_ROW_BYTES:
        what = f"has rows of more than {MAX_ROW_BYTES:,} bytes; the viewer truncates them"
        yield Fault(where=where, what=what)
    if groups and not groups[0].column(0).has_offset_index:
        yield Fault(where=where, what="has no page index, so the viewer reads whole row groups")
