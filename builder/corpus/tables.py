"""The ledgers of a version and of the versions that it builds on, as one Arrow dataset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from builder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.dataset

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
