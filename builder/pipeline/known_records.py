"""Find records that an earlier build has accounted for: the same bytes in a file of the same name."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from builder.domain.document_ids import sixteen_bytes
from builder.domain.record import RAW, RECORD
from builder.domain.text_buffers import text_buffers
from builder.history.index import RECORD_KEY_TYPE
from builder.io.parquet_sink.rows import encode_rows
from builder.io.streams.replacing import save_array
from builder.protocols import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_REJECTED_COLUMNS = ("stage", "reason", "url", "value", "message", "record")


def record_keys(reading: Reading) -> tuple[pa.Array, pa.Array]:
    """Hash each record as its source returned it, with the names of source and file, to 16 bytes (XXH3).

    Returns:
        The keys of ``reading.batch`` and of ``reading.rejected``, binary(16)[n_rows] each.
    """
    batch, rejected = reading.batch, reading.rejected
    names = [RAW] if RAW in batch.schema.names else [n for n in batch.schema.names if not n.startswith("_")]
    return _keys(batch, names), _keys(rejected, _REJECTED_COLUMNS)


def keyed_ordinals(reading: Reading, keys: tuple[pa.Array, pa.Array]) -> pa.RecordBatch:
    """Return the keys of both batches, with the ordinals of their records."""
    ordinals = [pc.struct_field(one.column(RECORD), "ordinal") for one in (reading.batch, reading.rejected)]
    return pa.RecordBatch.from_pydict(
        {"ordinal": pa.concat_arrays(ordinals), "key": pa.concat_arrays(list(keys))}
    )


def _keys(batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    if not batch.num_rows:
        return pa.array([], RECORD_KEY_TYPE)
    if list(names) == [RAW]:
        data, offsets = text_buffers(batch.column(RAW))
    else:
        data, offsets = encode_rows(batch.select(list(names)))
    view = memoryview(data)  # type: ignore[arg-type]
    seeds = _seeds(batch)
    rows = zip(pairwise(offsets.tolist()), seeds, strict=True)
    return pa.array([xxh3_128_digest(view[start:end], seed) for (start, end), seed in rows], RECORD_KEY_TYPE)


def _seeds(batch: pa.RecordBatch) -> list[int]:
    """Hash the names of source and file of each record to one number."""
    record = batch.column(RECORD)
    names = pc.binary_join_element_wise(
        pc.struct_field(record, "source"), pc.struct_field(record, "path"), "\0"
    )
    coded = names.dictionary_encode()
    seeds = [xxh3_64_intdigest(name.encode()) for name in coded.dictionary.to_pylist()]
    return [seeds[code] for code in coded.indices.to_pylist()]


def write_known(path: Path, columns: Sequence[pa.ChunkedArray], *, excluding: frozenset[bytes]) -> None:
    """Write the keys of known records, except ``excluding``, in the order that ``find_known`` needs."""
    apart = pa.array(sorted(excluding), RECORD_KEY_TYPE)
    columns = [column.filter(pc.invert(pc.is_in(column, value_set=apart))) for column in columns]
    words = np.concatenate([np.empty((0, 2), np.uint64), *(sixteen_bytes(column) for column in columns)])
    save_array(path, words[np.lexsort((words[:, 1], words[:, 0]))])


def find_known(keys: pa.Array, known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return bool[n_rows], which keys are among ``known``, which is uint64[n_known, 2] in order."""
    words = sixteen_bytes(keys)
    first, last = (np.searchsorted(known[:, 0], words[:, 0], side=side) for side in ("left", "right"))
    found = np.zeros(len(words), np.bool_)
    for row in np.flatnonzero(last > first):
        found[row] = (known[first[row] : last[row], 1] == words[row, 1]).any()
    return found


def drop_known(
    reading: Reading, keys: tuple[pa.Array, pa.Array], known: Path | str | None
) -> tuple[Reading, list[pa.RecordBatch]]:
    """Separate new records from known ones; return the new ones, and batches of the known ones.

    The returned reading still counts all its records, because each one gets a row in the part's account.
    """
    if known is None:
        return reading, []
    there = np.load(known, mmap_mode="r")
    old, old_rejected = (pa.array(find_known(one, there)) for one in keys)
    fresh = Reading(
        batch=reading.batch.filter(pc.invert(old)),
        rejected=reading.rejected.filter(pc.invert(old_rejected)),
        n_records=reading.n_records,
        counts=reading.counts,
        noted=_noted_of(reading, [reading.batch.filter(old), reading.rejected.filter(old_rejected)]),
    )
    return fresh, [
        reading.batch.filter(old).select([RECORD]),
        reading.rejected.filter(old_rejected).select([RECORD]),
    ]


def _noted_of(reading: Reading, known: Sequence[pa.RecordBatch]) -> dict[str, pa.RecordBatch]:
    """Return what a source noted of new records; an earlier version has what it noted of known ones."""
    ids = pa.concat_arrays([pc.struct_field(one.column(RECORD), "id") for one in known])
    return {
        name: table.filter(pc.invert(pc.is_in(pc.struct_field(table.column(RECORD), "id"), value_set=ids)))
        for name, table in reading.noted.items()
    }
