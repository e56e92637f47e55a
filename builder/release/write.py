"""Write the shards: give each row an id and a split, cut splits into shards, and write one shard per job."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.document_ids import DocumentIds
from builder.domain.row_numbers import FirstRows, LastRows, decode_old
from builder.history.shard_notes import NotedColumns, ShardNotes
from builder.io.parquet_sink.rows import row_sizes
from builder.io.parquet_sink.shards import choose_cut_sizes, cut_ranges, write_shard
from builder.io.streams.replacing import save_array
from builder.pipeline.candidate_ids import ID, SECOND_ID
from builder.pipeline.spool import SIZE, Spool, row_numbers
from builder.protocols import Columns
from builder.release.ids import assign_splits, settle_ids
from builder.release.layout import PlannedShard, WrittenShard
from builder.release.side_files import SideFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.domain.manifest import CutSizes, Manifest
    from builder.history.lineage import Lineage
    from builder.pipeline.parts import Part
    from builder.protocols import Guard
    from builder.release.edits import Edits


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The id and the split of each row of the last spool.

    Attributes:
        names: the names of the splits.
        ids: the final, unique ids.
        split: int16[n_rows], position in ``names``; -1 for a row that replaces a published row.
        sizes: int64[n_rows], bytes of the row's canonical encoding.
        rows: int64[n_rows], row numbers in the first spool.
    """

    names: Sequence[str]
    ids: DocumentIds
    split: NDArray[np.int16]
    sizes: NDArray[np.int64]
    rows: FirstRows

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """uint64[n_rows], the hashes of the ids that decide the cuts; splits use another hash of the ids."""
        return self.ids.hashes(seed=1)

    def of(self, split: int) -> LastRows:
        """Return the rows of one split, in the order of the build."""
        return LastRows(np.flatnonzero(self.split == split))


def place_rows(
    spool: Spool,
    *,
    shares: Mapping[str, float],
    name: str,
    lineage: Lineage | None = None,
    edits: Edits | None = None,
    pruned: frozenset[bytes] = frozenset(),
) -> Placement:
    """Give each row of the last spool an id and a split.

    A row that replaces a published row takes its id. The ids of ``pruned`` rows can be used again.
    """
    first, second = (DocumentIds.from_arrow(spool.column(name)) for name in (ID, SECOND_ID))
    adds = np.ones(len(first), np.bool_)
    if edits and edits.replaced:
        rows = np.asarray(list(edits.replaced.values()), np.int64)
        first = first.replaced(rows, DocumentIds.from_bytes(edits.replaced))
        adds[rows] = False
    taken = partial(_taken, lineage=lineage, pruned=pruned)
    ids = first.replaced(adds, settle_ids(first[adds], second[adds], taken=taken))
    return Placement(
        names=list(shares),
        ids=ids,
        split=np.where(adds, assign_splits(ids, shares=shares, name=name), -1).astype(np.int16),
        sizes=spool.values(SIZE),
        rows=row_numbers(spool),
    )


def _taken(ids: DocumentIds, *, lineage: Lineage | None, pruned: frozenset[bytes]) -> NDArray[np.bool_]:
    """Return bool[n]: whether a published row that stays has the id."""
    if lineage is None:
        return np.zeros(len(ids), np.bool_)
    free = [one in pruned for one in ids] if pruned else False
    return lineage.published(ids) & ~np.asarray(free, np.bool_)


def plan_cuts(
    placement: Placement, split: str, limits: CutSizes | None = None
) -> tuple[list[tuple[int, int]], CutSizes | None]:
    """Cut the rows added to a split into shards; the sizes are None if the split has no rows at all."""
    rows = placement.of(placement.names.index(split))
    if not len(rows):
        return [], limits
    limits = limits or choose_cut_sizes(int(placement.sizes[rows].sum()))
    ranges = cut_ranges(
        placement.hashes[rows],
        placement.sizes[rows],
        min_bytes=limits.shard_min,
        max_bytes=limits.shard_max,
    )
    return ranges, limits


# -- the worker ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShardJob:
    """Write one shard from the last spool. Rows are read by memory map, one row group at a time.

    Attributes:
        schema: the published columns, ``id`` first.
        tags: public column -> underscore column with row numbers of the first spool.
        arrays: folder of ``ids.npy`` (uint64[n_rows, 2]), ``sizes.npy`` and ``SPLIT.rows.npy`` of the last
            spool, ``all_ids.npy`` of the first, and ``past_rows.npy`` with ``past_ids.npy``.
        measured: the column whose texts a side file measures; None without side files.
    """

    parts: Sequence[Part]
    schema: pa.Schema
    tags: Mapping[str, str]
    noted: NotedColumns
    limits: Mapping[str, CutSizes]
    arrays: str
    folder: str
    measured: str | None = None

    @classmethod
    def of_published(
        cls,
        manifest: Manifest,
        *,
        limits: Mapping[str, CutSizes],
        folder: Path,
        measured: str | None = None,
    ) -> ShardJob:
        """Return a writer for published rows only; it reads no spool."""
        return cls(
            parts=(),
            schema=manifest.columns,
            tags={},
            noted=NotedColumns.of(manifest.columns, Columns.of_manifest(manifest)),
            limits=limits,
            arrays="",
            folder=str(folder),
            measured=measured,
        )

    def __call__(self, planned: PlannedShard, guard: Guard) -> WrittenShard:  # noqa: ARG002 - engines pass a guard
        """Write one shard."""
        largest = int(self._sizes(planned).max())
        return self.write(planned.split, planned.name, self._groups(planned), largest_row_bytes=largest)

    def write(
        self, split: str, name: str, groups: Iterator[pa.Table], *, largest_row_bytes: int
    ) -> WrittenShard:
        """Write row groups to a shard, and collect the facts about its rows."""
        path = Path(self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        notes = ShardNotes(self.noted)
        side_path = path.with_suffix(".signals.parquet") if self.measured else None
        with (
            SideFile(side_path, text=self.measured) if side_path and self.measured else nullcontext() as side
        ):
            noted = map(notes.take, map(side.take, groups) if side else groups)
            written = write_shard(path, self.schema, noted, largest_row_bytes=largest_row_bytes)
        pa.default_memory_pool().release_unused()  # one row group may use all the memory of this process
        ids, digests = path.with_suffix(".ids.npy"), path.with_suffix(".digests.npy")
        save_array(ids, DocumentIds.concat(notes.ids).words)
        save_array(digests, np.concatenate(notes.digests))
        return WrittenShard(
            split=split,
            name=name,
            path=str(path),
            file_bytes=written.bytes,
            facts=notes.facts(written.sha256, written.rows),
            ids=str(ids),
            digests=str(digests),
            side_file=str(side_path) if side_path else None,
        )

    def write_table(self, split: str, name: str, table: pa.Table) -> WrittenShard:
        """Write a shard from a table in memory, at most ``shard_max`` raw bytes."""
        sizes = np.concatenate([row_sizes(batch) for batch in table.to_batches()])
        hashes, limits = DocumentIds.of_texts(table.column(0)).hashes(seed=1), self.limits[split]
        ranges = cut_ranges(hashes, sizes, min_bytes=limits.group_min, max_bytes=limits.group_max)
        groups = (table.slice(start, stop - start) for start, stop in ranges)
        return self.write(split, name, groups, largest_row_bytes=int(sizes.max()))

    def _rows(self, planned: PlannedShard) -> LastRows:
        """Return the row numbers of a shard."""
        rows: NDArray[np.int64] = np.load(f"{self.arrays}/{planned.split}.rows.npy", mmap_mode="r")
        return LastRows(rows[planned.start : planned.stop])

    def _sizes(self, planned: PlannedShard) -> NDArray[np.int64]:
        """Return int64[n]: the raw bytes of each row of a shard."""
        sizes: NDArray[np.int64] = np.load(f"{self.arrays}/sizes.npy", mmap_mode="r")[self._rows(planned)]
        return sizes

    def _groups(self, planned: PlannedShard) -> Iterator[pa.Table]:
        rows, sizes = self._rows(planned), self._sizes(planned)
        spool = Spool(self.parts)
        limits = self.limits[planned.split]
        hashes = self._ids(np.asarray(rows)).hashes(seed=1)
        for start, stop in cut_ranges(hashes, sizes, min_bytes=limits.group_min, max_bytes=limits.group_max):
            yield self.rows(spool, np.asarray(rows[start:stop]))

    def _ids(self, rows: NDArray[np.int64]) -> DocumentIds:
        return DocumentIds(np.load(f"{self.arrays}/ids.npy", mmap_mode="r")[rows])

    def rows(self, spool: Spool, rows: NDArray[np.int64]) -> pa.Table:
        """Return rows of the last spool as published rows. ``rows`` is ascending."""
        id_column, *others = self.schema.names
        wanted = [*(name for name in others if name not in self.tags), *self.tags.values()]
        found = spool.take_rows(rows, wanted)
        columns = {id_column: self._ids(rows).to_strings()}
        columns |= {public: self._cluster_ids(found[hidden]) for public, hidden in self.tags.items()}
        arrays = [columns[f.name] if f.name in columns else found[f.name] for f in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema).combine_chunks()

    def _cluster_ids(self, keepers: pa.ChunkedArray) -> pa.Array:
        """Return the ids of keepers. A keeper is a row of the first spool or a past row."""
        has_keeper = keepers.is_valid().combine_chunks()
        rows = keepers.fill_null(0).to_numpy()
        ids = np.load(f"{self.arrays}/all_ids.npy", mmap_mode="r")[np.maximum(rows, 0)]
        is_past, numbers = decode_old(rows)
        if is_past.any():
            past_rows, past_ids = (np.load(f"{self.arrays}/past_{name}.npy") for name in ("rows", "ids"))
            ids[is_past] = past_ids[np.searchsorted(past_rows, numbers[is_past])]
        return pc.if_else(has_keeper, DocumentIds(np.asarray(ids)).to_strings(), pa.scalar(None, pa.string()))
