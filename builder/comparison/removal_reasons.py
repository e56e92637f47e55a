"""Why rows were removed: what the ledgers of later versions say of their documents, or of their records.

A build that goes on from the version before restates each document that goes. One that makes everything anew
knows nothing of the documents of before; but the record that a document came from has a row in its ledger,
and an older ledger knows which record that is. Facts of fixed size are joined part by part, as for rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.comparison.buckets import BucketFiles
from builder.domain.document_ids import DocumentIds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.domain.changelog import Reason

_UNKNOWN = -1
_BATCH_ROWS = 2_048

_TOLD = np.dtype([("key", "<u8", 2), ("turn", "<i4"), ("why", "<i2")])
_CAME_FROM = np.dtype([("key", "<u8", 2), ("turn", "<i4"), ("record", "<u8", 2)])
_ROW = np.dtype([("key", "<u8", 2), ("place", "<i8"), ("split", "<i2")])


class RemovalReasons:
    """Looks removed rows up, first by document and then, for what is left, by record.

    Args:
        ledgers: of the versions behind the old one, oldest first.
        older: of the old version and those before it, oldest first.
    """

    def __init__(self, folder: Path, *, ledgers: Sequence[Path], older: Sequence[Path], n_parts: int) -> None:
        folder.mkdir()
        self._folder, self._n_parts = folder, n_parts
        self._ledgers, self._older = ledgers, older
        self._numbers: dict[Reason, int] = {}
        self._by_document = self._read_told("documents", "document_id", _document_keys)
        self._left = BucketFiles(folder / "left", _ROW)
        self._n_left = 0

    @property
    def reasons(self) -> list[Reason]:
        """What was found in the ledgers; a reason is known by its position."""
        return list(self._numbers)

    def look_up(
        self, part: int, keys: NDArray[np.uint64], places: NDArray[np.int64], splits: NDArray[np.int16]
    ) -> NDArray[np.int16]:
        """int16[n_rows], why the rows of one part were removed; ``_UNKNOWN`` if ``rest`` will give it."""
        told = newest(self._by_document.read(part))
        why = np.full(len(keys), _UNKNOWN, np.int16)
        rows, found = match(keys, told["key"])
        why[rows] = told["why"][found]
        left = why == _UNKNOWN
        facts = np.empty(int(left.sum()), _ROW)
        facts["key"], facts["place"], facts["split"] = keys[left], places[left], splits[left]
        self._left.add(parts_of(facts["key"], self._n_parts), facts)
        self._n_left += len(facts)
        return why

    def rest(self) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int16]]]:
        """Give the rows that no ledger names by their document: splits, places, and why; each row once."""
        if not self._n_left:
            return
        asked = BucketFiles(self._folder / "asked", _ROW)
        came_from = self._read_origins()
        for part in range(self._n_parts):
            left, origins = self._left.read(part), newest(came_from.read(part))
            rows, found = match(left["key"], origins["key"])
            unknown = np.ones(len(left), np.bool_)
            unknown[rows] = False
            yield _unknown(left[unknown])
            left = left[rows]
            left["key"] = origins["record"][found]
            asked.add(parts_of(left["key"], self._n_parts), left)
        told_by_record = self._read_told("records", "record_id", _record_keys)
        for part in range(self._n_parts):
            left, told = asked.read(part), newest(told_by_record.read(part))
            why = np.full(len(left), _UNKNOWN, np.int16)
            rows, found = match_many(left["key"], told["key"])
            why[rows] = told["why"][found]
            yield left["split"], left["place"], why

    def _read_told(
        self, name: str, column: str, keys_of: Callable[[pa.RecordBatch], NDArray[np.uint64]]
    ) -> BucketFiles:
        """Put away what the later ledgers say on all that is not kept."""
        told = BucketFiles(self._folder / name, _TOLD)
        for turn, batch in _batches(self._ledgers, kept=False, column=column):
            reasons = zip(*(batch[n].to_pylist() for n in ("outcome", "stage", "reason")), strict=True)
            facts = np.empty(batch.num_rows, _TOLD)
            facts["key"], facts["turn"] = keys_of(batch), turn
            facts["why"] = [self._numbers.setdefault(reason, len(self._numbers)) for reason in reasons]
            told.add(parts_of(facts["key"], self._n_parts), facts)
        return told

    def _read_origins(self) -> BucketFiles:
        """Put away which record each document of the older ledgers came from."""
        origins = BucketFiles(self._folder / "origins", _CAME_FROM)
        for turn, batch in _batches(self._older, kept=True, column="document_id"):
            facts = np.empty(batch.num_rows, _CAME_FROM)
            facts["key"], facts["turn"], facts["record"] = _document_keys(batch), turn, _record_keys(batch)
            origins.add(parts_of(facts["key"], self._n_parts), facts)
        return origins


def _batches(ledgers: Sequence[Path], *, kept: bool, column: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Go through rows that are kept, or are not, and have a value in a column; with the ledger's number."""
    names = ["record_id", "url", "outcome", "stage", "reason", "document_id"]
    for turn, path in enumerate(ledgers):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                is_kept = pc.equal(batch["outcome"], "kept")
                rows = pc.and_(is_kept if kept else pc.invert(is_kept), pc.is_valid(batch[column]))
                some = batch.filter(rows)
                if some.num_rows:
                    yield turn, some


def _document_keys(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    return DocumentIds.of_texts(batch["document_id"]).words


def _record_keys(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    """Hash each record with its URL: another page may have come to its place."""
    urls = pc.fill_null(batch["url"], "")
    return DocumentIds.of_texts(pc.binary_join_element_wise(batch["record_id"], urls, "\n")).words


def _unknown(rows: NDArray[Any]) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int16]]:
    return rows["split"], rows["place"], np.full(len(rows), _UNKNOWN, np.int16)


# -- joining ---------------------------------------------------------------------------------------


def parts_of(keys: NDArray[np.uint64], n_parts: int) -> NDArray[np.int64]:
    """int64[n_rows], the part in which each key is joined; ids of others need not be as random as ours."""
    return (DocumentIds(keys).hashes(seed=2) % np.uint64(n_parts)).astype(np.int64)


def newest(facts: NDArray[Any]) -> NDArray[Any]:
    """Keep the fact of the highest turn of each key, in the order of the keys."""
    facts = facts[np.lexsort((-facts["turn"], facts["key"][:, 1], facts["key"][:, 0]))]
    first = np.ones(len(facts), np.bool_)
    first[1:] = (facts["key"][1:] != facts["key"][:-1]).any(axis=1)
    return facts[first]


def match(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of equal keys, int64[n_pairs] each; a key is on each side once at most."""
    keys = np.concatenate([left, right])
    order = np.lexsort((np.arange(len(keys)), keys[:, 1], keys[:, 0]))
    same = np.flatnonzero((keys[order[1:]] == keys[order[:-1]]).all(axis=1))
    return order[same], order[same + 1] - len(left)


def match_many(
    left: NDArray[np.uint64], right: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of equal keys; a key may be on the left side more than once."""
    kinds, numbers = np.unique(left, axis=0, return_inverse=True)
    found, there = match(kinds, right)
    at = np.full(len(kinds), -1, np.int64)
    at[found] = there
    rows = np.flatnonzero(at[numbers.reshape(-1)] >= 0) if len(left) else np.empty(0, np.int64)
    return rows, at[numbers.reshape(-1)[rows]] if len(rows) else rows
