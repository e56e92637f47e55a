"""Find why rows were removed: by the rows of later ledgers on their documents, or on their records.

A build on a parent writes a ledger row for each document that it removes. A full rebuild does not know the
earlier documents. But its ledger has a row for the record that a document came from, and an older ledger
shows which record this is. Facts of fixed size are joined part by part, as in the comparison of rows.
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

_STATEMENT = np.dtype([("key", "<u8", 2), ("ledger", "<i4"), ("why", "<i2")])
_CAME_FROM = np.dtype([("key", "<u8", 2), ("ledger", "<i4"), ("record", "<u8", 2)])
_ROW = np.dtype([("key", "<u8", 2), ("place", "<i8"), ("split", "<i2")])


class RemovalReasons:
    """Looks up removed rows: first by document, and the remaining ones by record.

    Args:
        ledgers: those of the versions after the old one, oldest first.
        older: those of the old version and the versions before it, oldest first.
    """

    def __init__(self, folder: Path, *, ledgers: Sequence[Path], older: Sequence[Path], n_parts: int) -> None:
        folder.mkdir()
        self._folder, self._n_parts = folder, n_parts
        self._ledgers, self._older = ledgers, older
        self._numbers: dict[Reason, int] = {}
        self._by_document = self._read_statements("documents", "document_id", _document_keys)
        self._unresolved = BucketFiles(folder / "left", _ROW)
        self._n_unresolved = 0

    @property
    def reasons(self) -> list[Reason]:
        """The reasons that were found in the ledgers; a number of a reason is a position in this list."""
        return list(self._numbers)

    def look_up(
        self, part: int, keys: NDArray[np.uint64], places: NDArray[np.int64], splits: NDArray[np.int16]
    ) -> NDArray[np.int16]:
        """Return int16[n_rows], the reasons of rows of one part; ``remaining`` looks up ``_UNKNOWN`` ones."""
        stated = newest(self._by_document.read(part))
        why = np.full(len(keys), _UNKNOWN, np.int16)
        rows, found = match(keys, stated["key"])
        why[rows] = stated["why"][found]
        left = why == _UNKNOWN
        facts = np.empty(int(left.sum()), _ROW)
        facts["key"], facts["place"], facts["split"] = keys[left], places[left], splits[left]
        self._unresolved.add(parts_of(facts["key"], self._n_parts), facts)
        self._n_unresolved += len(facts)
        return why

    def remaining(self) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int16]]]:
        """Yield splits, places and reasons of the rows whose documents no later ledger has; each row once."""
        if not self._n_unresolved:
            return
        asked = BucketFiles(self._folder / "asked", _ROW)
        came_from = self._read_origins()
        for part in range(self._n_parts):
            left, origins = self._unresolved.read(part), newest(came_from.read(part))
            rows, found = match(left["key"], origins["key"])
            unknown = np.ones(len(left), np.bool_)
            unknown[rows] = False
            yield _unknown(left[unknown])
            left = left[rows]
            left["key"] = origins["record"][found]
            asked.add(parts_of(left["key"], self._n_parts), left)
        stated_by_record = self._read_statements("records", "record_id", _record_keys)
        for part in range(self._n_parts):
            left, stated = asked.read(part), newest(stated_by_record.read(part))
            why = np.full(len(left), _UNKNOWN, np.int16)
            rows, found = match_many(left["key"], stated["key"])
            why[rows] = stated["why"][found]
            yield left["split"], left["place"], why

    def _read_statements(
        self, name: str, column: str, keys_of: Callable[[pa.RecordBatch], NDArray[np.uint64]]
    ) -> BucketFiles:
        """Write the reasons of all records that the later ledgers do not keep to buckets."""
        stated = BucketFiles(self._folder / name, _STATEMENT)
        for number, batch in _batches(self._ledgers, kept=False, column=column):
            reasons = zip(*(batch[n].to_pylist() for n in ("outcome", "stage", "reason")), strict=True)
            facts = np.empty(batch.num_rows, _STATEMENT)
            facts["key"], facts["ledger"] = keys_of(batch), number
            facts["why"] = [self._numbers.setdefault(reason, len(self._numbers)) for reason in reasons]
            stated.add(parts_of(facts["key"], self._n_parts), facts)
        return stated

    def _read_origins(self) -> BucketFiles:
        """Write the record from which each document of the older ledgers comes to buckets."""
        origins = BucketFiles(self._folder / "origins", _CAME_FROM)
        for number, batch in _batches(self._older, kept=True, column="document_id"):
            facts = np.empty(batch.num_rows, _CAME_FROM)
            facts["key"], facts["ledger"] = _document_keys(batch), number
            facts["record"] = _record_keys(batch)
            origins.add(parts_of(facts["key"], self._n_parts), facts)
        return origins


def _batches(ledgers: Sequence[Path], *, kept: bool, column: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the kept rows, or the other rows, that have a value in ``column``, with the ledger's number."""
    names = ["record_id", "url", "outcome", "stage", "reason", "document_id"]
    for number, path in enumerate(ledgers):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                is_kept = pc.equal(batch["outcome"], "kept")
                rows = pc.and_(is_kept if kept else pc.invert(is_kept), pc.is_valid(batch[column]))
                some = batch.filter(rows)
                if some.num_rows:
                    yield number, some


def _document_keys(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    return DocumentIds.of_texts(batch["document_id"]).words


def _record_keys(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    """Hash each record with its URL, because another page may have the same record id in a later build."""
    urls = pc.fill_null(batch["url"], "")
    return DocumentIds.of_texts(pc.binary_join_element_wise(batch["record_id"], urls, "\n")).words


def _unknown(rows: NDArray[Any]) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int16]]:
    return rows["split"], rows["place"], np.full(len(rows), _UNKNOWN, np.int16)


# -- joining ---------------------------------------------------------------------------------------


def parts_of(keys: NDArray[np.uint64], n_parts: int) -> NDArray[np.int64]:
    """Return int64[n_rows], the part in which each key is joined.

    Keys are hashed first, because ids that builder did not make may not be random.
    """
    return (DocumentIds(keys).hashes(seed=2) % np.uint64(n_parts)).astype(np.int64)


def newest(facts: NDArray[Any]) -> NDArray[Any]:
    """Return the fact of the newest ledger for each key, in the order of the keys."""
    facts = facts[np.lexsort((-facts["ledger"], facts["key"][:, 1], facts["key"][:, 0]))]
    first = np.ones(len(facts), np.bool_)
    first[1:] = (facts["key"][1:] != facts["key"][:-1]).any(axis=1)
    return facts[first]


def match(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of equal keys, int64[n_pairs] each; a key occurs at most once on each side."""
    keys = np.concatenate([left, right])
    order = np.lexsort((np.arange(len(keys)), keys[:, 1], keys[:, 0]))
    same = np.flatnonzero((keys[order[1:]] == keys[order[:-1]]).all(axis=1))
    return order[same], order[same + 1] - len(left)


def match_many(
    left: NDArray[np.uint64], right: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of equal keys; a key may occur more than once on the left side."""
    kinds, numbers = np.unique(left, axis=0, return_inverse=True)
    found, there = match(kinds, right)
    at = np.full(len(kinds), -1, np.int64)
    at[found] = there
    rows = np.flatnonzero(at[numbers.reshape(-1)] >= 0) if len(left) else np.empty(0, np.int64)
    return rows, at[numbers.reshape(-1)[rows]] if len(rows) else rows
