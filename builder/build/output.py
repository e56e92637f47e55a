"""From the last spool to shards: ids, splits, cuts, and the worker that writes one shard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.build.flight import ROW, SIZE
from builder.build.identity import (
    ID,
    SECOND_ID,
    assign_splits,
    id_hashes,
    id_strings,
    id_words,
    settle_ids,
)
from builder.build.spool import Part, Spool
from builder.domain.digests import ContentDigest
from builder.domain.url import domain
from builder.io.rows import encode_rows, row_digests
from builder.io.shards import choose_cut_sizes, cut, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.domain.manifest import CutSizes
    from builder.protocols import Guard


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where every row of the last spool goes.

    Attributes:
        ids: uint64[n_rows, 2], final and unique.
        split: int16[n_rows], position in ``names``.
        sizes: int64[n_rows], bytes of the row's canonical encoding.
        rows: int64[n_rows], numbers in the first spool.
    """

    names: Sequence[str]
    ids: NDArray[np.uint64]
    split: NDArray[np.int16]
    sizes: NDArray[np.int64]
    rows: NDArray[np.int64]

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """uint64[n_rows], what cuts go by; another mix of the id than the one that splits go by."""
        return id_hashes(self.ids, seed=1)

    def of(self, split: int) -> NDArray[np.int64]:
        """int64[n], the rows of one split, in the order of the build."""
        return np.flatnonzero(self.split == split)


def place_rows(spool: Spool, *, shares: Mapping[str, float], name: str) -> Placement:
    """Give every row of the last spool its id and its split."""
    ids = settle_ids(id_words(spool.column(ID)), id_words(spool.column(SECOND_ID)))
    has_numbers = bool(spool.parts) and ROW in spool.parts[0].batch("rows").schema.names
    return Placement(
        names=list(shares),
        ids=ids,
        split=assign_splits(ids, shares=shares, name=name),
        sizes=spool.values(SIZE),
        rows=spool.values(ROW) if has_numbers else np.arange(spool.n_rows),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShard:
    """A shard before it is written: its name in the version and the positions of its rows in the split."""

    split: str
    name: str
    start: int
    stop: int


def plan_shards(placement: Placement) -> tuple[list[PlannedShard], dict[str, CutSizes]]:
    """Cut every split into shards; a split without rows gets none."""
    planned: list[PlannedShard] = []
    limits: dict[str, CutSizes] = {}
    for number, split in enumerate(placement.names):
        rows = placement.of(number)
        if not len(rows):
            continue
        sizes = limits[split] = choose_cut_sizes(int(placement.sizes[rows].sum()))
        ranges = cut(
            placement.hashes[rows],
            placement.sizes[rows],
            min_bytes=sizes.shard_min,
            max_bytes=sizes.shard_max,
        )
        planned += _name_shards(split, ranges)
    return planned, limits


def _name_shards(split: str, ranges: Sequence[tuple[int, int]]) -> list[PlannedShard]:
    n = len(ranges)
    return [
        PlannedShard(split=split, name=f"data/{split}-{i:05d}-of-{n:05d}.parquet", start=start, stop=stop)
        for i, (start, stop) in enumerate(ranges)
    ]


# -- the worker ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenShard:
    """A finished shard, and what the manifest and the card must know of its rows.

    ``content`` is the state of its content digest; ``digests`` is the file of its row digests,
    uint8[rows, 32].
    """

    planned: PlannedShard
    path: str
    sha256: str
    file_bytes: int
    rows: int
    raw_bytes: int
    content: bytes
    digests: str
    languages: Mapping[str, int] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)
    newest: str = ""


@dataclass(frozen=True, kw_only=True)
class ShardJob:
    """Writes one shard from the last spool; rows are read by memory map, a row group at a time.

    Attributes:
        schema: the published columns, ``id`` first.
        tags: public column -> underscore column that holds row numbers of the first spool.
        arrays: folder of ``ids.npy`` (uint64[n_rows, 2]), ``sizes.npy`` and ``SPLIT.rows.npy`` of the last
            spool, and ``all_ids.npy`` of the first.
    """

    parts: Sequence[Part]
    schema: pa.Schema
    tags: Mapping[str, str]
    url_column: str | None
    language_column: str | None
    fetched_at_column: str | None
    limits: Mapping[str, CutSizes]
    arrays: str
    folder: str

    def __call__(self, planned: PlannedShard, guard: Guard) -> WrittenShard:  # noqa: ARG002 - engines give one
        """Write one shard."""
        path = Path(self.folder) / planned.name
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = _ShardFacts()
        largest = int(self._sizes(planned).max())
        written = write_shard(path, self.schema, self._groups(planned, facts), largest_row_bytes=largest)
        pa.default_memory_pool().release_unused()  # one row group may be all that this process ever holds
        digests = path.with_suffix(".digests.npy")
        np.save(digests, np.concatenate(facts.digests))
        return WrittenShard(
            planned=planned,
            path=str(path),
            sha256=written.sha256,
            file_bytes=written.bytes,
            rows=written.rows,
            raw_bytes=facts.raw_bytes,
            content=facts.content.state,
            digests=str(digests),
            languages=facts.languages,
            domains=facts.domains,
            newest=facts.newest,
        )

    def _rows(self, planned: PlannedShard) -> NDArray[np.int64]:
        """int64[n], the rows of a shard in the last spool."""
        rows: NDArray[np.int64] = np.load(f"{self.arrays}/{planned.split}.rows.npy", mmap_mode="r")
        return rows[planned.start : planned.stop]

    def _sizes(self, planned: PlannedShard) -> NDArray[np.int64]:
        """int64[n], the raw bytes of the rows of a shard."""
        sizes: NDArray[np.int64] = np.load(f"{self.arrays}/sizes.npy", mmap_mode="r")[self._rows(planned)]
        return sizes

    def _groups(self, planned: PlannedShard, facts: _ShardFacts) -> Iterator[pa.Table]:
        rows, sizes = self._rows(planned), self._sizes(planned)
        ids = np.load(f"{self.arrays}/ids.npy", mmap_mode="r")[rows]
        spool = Spool(self.parts)
        limits = self.limits[planned.split]
        hashes = id_hashes(ids, seed=1)
        for start, stop in cut(hashes, sizes, min_bytes=limits.group_min, max_bytes=limits.group_max):
            group = self._group(spool, np.asarray(rows[start:stop]), ids[start:stop])
            facts.take(group)
            facts.describe(group, self)
            yield group

    def _group(self, spool: Spool, rows: NDArray[np.int64], ids: NDArray[np.uint64]) -> pa.Table:
        wanted = [f.name for f in self.schema if f.name != "id" and f.name not in self.tags] + [
            *self.tags.values()
        ]
        pieces = [
            part.batch("rows").select(wanted).take(pa.array(local)) for part, local in spool.locate(rows)
        ]
        found = pa.Table.from_batches(pieces)
        columns = {"id": id_strings(ids)}
        columns |= {public: self._cluster_ids(found[hidden]) for public, hidden in self.tags.items()}
        arrays = [columns[f.name] if f.name in columns else found[f.name] for f in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema).combine_chunks()

    def _cluster_ids(self, keepers: pa.ChunkedArray) -> pa.Array:
        all_ids = np.load(f"{self.arrays}/all_ids.npy", mmap_mode="r")
        there = keepers.is_valid().combine_chunks()
        strings = id_strings(np.asarray(all_ids[keepers.fill_null(0).to_numpy()]))
        return pc.if_else(there, strings, pa.scalar(None, pa.string()))


class _ShardFacts:
    """What is noted of rows while they pass."""

    def __init__(self) -> None:
        self.content = ContentDigest()
        self.digests: list[NDArray[np.uint8]] = []
        self.raw_bytes = 0
        self.languages: Counter[str] = Counter()
        self.domains: Counter[str] = Counter()
        self.newest = ""

    def take(self, group: pa.Table) -> None:
        """Digest one row group."""
        for batch in group.to_batches():
            data, offsets = encode_rows(batch)
            self.content = self.content.add(data, offsets)
            self.digests.append(row_digests(data, offsets))
            self.raw_bytes += int(offsets[-1])

    def describe(self, group: pa.Table, job: ShardJob) -> None:
        """Count what the card tells of one row group."""
        if job.url_column:
            self.domains.update(domain(url) or "" for url in group[job.url_column].to_pylist() if url)
        if job.language_column:
            for count in group[job.language_column].value_counts().to_pylist():
                self.languages[count["values"] or ""] += count["counts"]
        if job.fetched_at_column:
            newest = pc.max(group[job.fetched_at_column]).as_py()
            if newest is not None:
                self.newest = max(self.newest, newest.date().isoformat())
