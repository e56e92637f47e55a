"""Read the index segments of a version and of the versions that it builds on together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds
from builder.domain.version import Version
from builder.errors import Fault, TamperedError
from builder.history.index import INDEX_JSON, Segment, open_arrow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest, ShardEntry
    from builder.history.index import ShardFacts


@dataclass(frozen=True, kw_only=True)
class RowPlace:
    """The place of a published row: split, position of the shard in the split, row in the shard."""

    split: str
    shard: int
    row: int


class Uncached:
    """A dataclass that is pickled without its cached properties: the receiver opens the files itself."""

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class Lineage(Uncached):
    """A version and the versions that it builds on, with their index.

    Attributes:
        folders: the index folders, the oldest first.
        borrowed: whether the index was built from the published rows, because the corpus has none.
    """

    corpus: Corpus
    manifest: Manifest
    folders: Sequence[Path]
    borrowed: bool = False

    @classmethod
    def of(cls, corpus: Corpus, version: str) -> Lineage:
        """Collect the segment of a version and those that it builds on."""
        folders: list[Path] = []
        at: str | None = version
        while at is not None:
            folders.append(corpus.index_folder(at))
            segment = Segment.read(folders[-1])
            check_segment(segment, folders[-1], version=at)
            base = segment.base
            if base is not None and Version.parse(base) >= Version.parse(at):
                what = f"builds on {base}, which is not lower"
                raise TamperedError(
                    Fault(where=f"{at}/{INDEX_JSON}", what=what, advice="run `builder verify`")
                )
            at = base
        return cls(corpus, corpus.as_is(version), folders[::-1])

    @cached_property
    def segments(self) -> list[Segment]:
        """The ``index.json`` of each folder."""
        return [Segment.read(folder) for folder in self.folders]

    # -- shards

    @cached_property
    def shard_facts(self) -> Mapping[str, ShardFacts]:
        """Facts on every shard that a version of the lineage wrote, by SHA-256."""
        facts = {shard.sha256: shard for segment in self.segments for shard in segment.shards}
        for _, _, entry in self._shards():
            if entry.sha256 not in facts or facts[entry.sha256].rows != entry.rows:
                raise _wrong_index(entry.sha256, "is not described as the manifest does")
        _refuse_circles(facts)
        for shard in facts.values():
            _check_derived(shard, facts)
        return facts

    @cached_property
    def entries(self) -> Mapping[str, ShardEntry]:
        """The shards of the version, by SHA-256."""
        return {shard.sha256: shard for _, _, shard in self._shards()}

    @cached_property
    def _shard_rows(self) -> Mapping[str, tuple[pa.Table, int]]:
        """Where the rows of each shard are listed: the table of its segment, and the first row in it."""
        found: dict[str, tuple[pa.Table, int]] = {}
        for folder, segment in zip(self.folders, self.segments, strict=True):
            table, first = open_arrow(folder / "shards.arrow"), 0
            for shard in segment.shards:
                found[shard.sha256] = table, first
                first += shard.listed_rows
        return found

    def _shard_column(self, sha256: str, name: str) -> pa.ChunkedArray:
        table, first = self._shard_rows[sha256]
        return table[name].slice(first, self.shard_facts[sha256].listed_rows)

    def n_derived(self, sha256: str) -> int:
        """Count the shards in the chain of derivations that ends with this one, without itself."""
        derived = self.shard_facts[sha256].derived
        return 1 + self.n_derived(derived.source) if derived else 0

    def ids(self, sha256: str) -> DocumentIds:
        """Return the ids of a shard's rows."""
        if derived := self.shard_facts[sha256].derived:
            return DocumentIds(np.delete(self.ids(derived.source).words, derived.removed, axis=0))
        return DocumentIds.from_arrow(self._shard_column(sha256, "id"))

    def digests(self, sha256: str) -> NDArray[np.uint8]:
        """Return uint8[n_rows, 32], the digests of a shard's rows."""
        if derived := self.shard_facts[sha256].derived:
            digests = np.delete(self.digests(derived.source), derived.removed, axis=0)
            digests[derived.fresh()] = self._listed_digests(sha256)
            return digests
        return self._listed_digests(sha256)

    def _listed_digests(self, sha256: str) -> NDArray[np.uint8]:
        column = self._shard_column(sha256, "digest")
        pieces = [
            np.frombuffer(c.buffers()[1], np.uint8).reshape(-1, 32)[c.offset : c.offset + len(c)]
            for c in column.chunks
        ]
        return np.concatenate(pieces) if pieces else np.empty((0, 32), np.uint8)

    def locate(self, ids: DocumentIds) -> dict[bytes, RowPlace]:
        """Find rows of the version by id; ids without a row are left out.

        Reads the ids of all shards once, with those of one shard in memory at a time.
        """
        wanted = set(ids)
        firsts = np.unique(ids.words[:, 0])
        found: dict[bytes, RowPlace] = {}
        for split, number, shard in self._shards() if len(firsts) else ():
            here = self.ids(shard.sha256)
            for row in np.flatnonzero(is_among(here.words[:, 0], firsts)).tolist():
                key = here[row]
                if key in wanted:
                    found[key] = RowPlace(split=split, shard=number, row=row)
        return found

    def published(self, ids: DocumentIds) -> NDArray[np.bool_]:
        """Return bool[n], whether a row of the version has this id."""
        there = self.locate(ids)
        return np.asarray([one in there for one in ids], np.bool_)

    def _shards(self) -> Iterator[tuple[str, int, ShardEntry]]:
        for name, split in self.manifest.splits.items():
            for number, shard in enumerate(split.shards):
                yield name, number, shard

    def shard_path(self, split: str, shard: int) -> Path:
        """Return the path of a shard of the version."""
        name = self.manifest.splits[split].shards[shard].path
        return self.corpus.version_file(self.manifest.version, name)

    def texts(self, ids: DocumentIds, column: str) -> dict[bytes, bytes]:
        """Read one column of some published rows, by id; only the row groups with these rows are read."""
        by_shard: dict[tuple[str, int], dict[int, bytes]] = {}
        for key, place in self.locate(ids).items():
            by_shard.setdefault((place.split, place.shard), {})[place.row] = key

        def read(where: tuple[str, int]) -> dict[bytes, bytes]:
            keys = by_shard[where]
            return {
                keys[row]: text for row, text in _read_rows(self.shard_path(*where), sorted(keys), column)
            }

        found: dict[bytes, bytes] = {}
        with ThreadPoolExecutor(max_workers=_READERS) as readers:
            for texts in readers.map(read, sorted(by_shard)):
                found |= texts
        return found


def check_segment(segment: Segment, folder: Path, *, version: str) -> None:
    """Compare an ``index.json`` with its version and with the rows of ``shards.arrow``.

    Raises:
        TamperedError: if they differ.
    """
    what = ""
    if segment.version != version:
        what = f"is the index of version {segment.version}"
    n_rows = open_arrow(folder / "shards.arrow").num_rows
    if (listed := sum(shard.listed_rows for shard in segment.shards)) != n_rows:
        what = f"lists {listed:,} rows, but shards.arrow has {n_rows:,}"
    if what:
        raise TamperedError(Fault(where=f"{version}/{INDEX_JSON}", what=what, advice="run `builder verify`"))


def check_retired(segment: Segment, n_rows: Mapping[str, int]) -> None:
    """Make sure that the rows which a segment retires exist.

    Args:
        n_rows: number of rows in the ``rows.arrow`` of each version.

    Raises:
        TamperedError: if one does not exist.
    """
    for version, rows in segment.retired.items():
        if version not in n_rows or max(rows, default=-1) >= n_rows[version]:
            what = f"retires rows of version {version} that do not exist"
            where = f"{segment.version}/{INDEX_JSON}"
            raise TamperedError(Fault(where=where, what=what, advice="run `builder verify`"))


def _refuse_circles(facts: Mapping[str, ShardFacts]) -> None:
    """Make sure that what each shard was made from ends somewhere."""
    ends: set[str] = set()
    for shard in facts.values():
        chain: dict[str, None] = {}
        at: ShardFacts | None = shard
        while at is not None and at.sha256 not in ends:
            if at.sha256 in chain:
                raise _wrong_index(at.sha256, "was made from itself")
            if len(chain) > _MAX_DERIVED:
                raise _wrong_index(at.sha256, f"was derived more than {_MAX_DERIVED} times")
            chain[at.sha256] = None
            at = facts.get(at.derived.source) if at.derived else None
        ends |= chain.keys()


def _check_derived(shard: ShardFacts, facts: Mapping[str, ShardFacts]) -> None:
    """Make sure that the rows named by a derivation are in the source, and that the sum of rows is right."""
    if (derived := shard.derived) is None:
        return
    source = facts.get(derived.source)
    n_rows = source.rows if source else 0
    named = (*derived.removed[-1:], *derived.replaced[-1:])
    if any(row >= n_rows for row in named) or shard.rows != n_rows - len(derived.removed):
        raise _wrong_index(shard.sha256, "was not made from the shard that it names")


def _wrong_index(sha256: str, what: str) -> TamperedError:
    advice = "run `builder verify`"
    return TamperedError(Fault(where=INDEX_JSON, what=f"shard {sha256[:12]} {what}", advice=advice))


_MAX_DERIVED = 500

_READERS = 4
"""Shards that are read at a time; each needs memory for one column of a row group."""


def _read_rows(path: Path, rows: Sequence[int], column: str) -> Iterator[tuple[int, bytes]]:
    """Read some rows of a shard, a row group at a time; ``rows`` is ascending."""
    with pq.ParquetFile(path) as file:
        first = 0
        at = 0
        for group in range(file.num_row_groups):
            stop = first + file.metadata.row_group(group).num_rows
            here = []
            while at < len(rows) and rows[at] < stop:
                here.append(rows[at] - first)
                at += 1
            if here:
                table = file.read_row_group(group, columns=[column])
                texts = table[column].cast(pa.large_binary()).take(pa.array(here)).to_pylist()
                yield from zip((first + row for row in here), (text or b"" for text in texts), strict=True)
            first = stop


def is_among(values: NDArray[Any], ascending: NDArray[Any]) -> NDArray[np.bool_]:
    """Return bool[n_values], whether each value is among those of a sorted array."""
    if not len(ascending):
        return np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[at] == values)
