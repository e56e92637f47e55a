"""The spool: finished batches on disk, from which a killed build resumes.

A part is a batch that has finished a pass. Its ``.json`` file is written last, by an atomic rename: a part
without this file is not finished. The other files are Arrow IPC and are read by memory map.

    SPOOL/0/000012/00003.rows.arrow       rows that continue, with sketches and underscore columns
    SPOOL/0/000012/00003.account.arrow    one row for each record read (first pass only)
    SPOOL/0/000012/00003.rejected.arrow   rejected rows
    SPOOL/0/000012/00003.json             counts; the part is finished
    SPOOL/0/000012/done                   the task is finished
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
from xxhash import xxh3_128_hexdigest

from builder.domain.row_numbers import FirstRows, PartRows
from builder.io.parquet_sink.mapped import MappedBatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.protocols import RefusedUnit

ROW = "_row"
"""The number of a row in the first spool; all later verdicts refer to it."""

SIZE = "_size"
"""Bytes of the row's canonical encoding, without the values that are known only at the end of the build."""

AT = "_at"
"""The place of a row in the part from which it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One finished batch: where its files are, and how many records and rows it has.

    Attributes:
        files: size in bytes and XXH3 of each file, by its content (``rows``, ``rejected``, ``account``).
        refused: stage, unit and reason of each unit that the guard refused in this part.
        base: stem of the part with the public columns, at the places in ``_at``; empty if this part has them.
    """

    stem: str
    n_records: int
    n_rows: int
    n_rejected: int
    files: Mapping[str, tuple[int, str]]
    counts: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[tuple[str, int, str]] = ()
    base: str = ""

    def batch(self, what: str) -> pa.RecordBatch:
        """Open one of the part's files by memory map; nothing is copied."""
        return MappedBatch.open(f"{self.stem}.{what}.arrow").batch

    def table(self, what: str) -> pa.Table:
        """Open one of the part's files as a table."""
        return pa.Table.from_batches([self.batch(what)])


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTask:
    """All parts of a task, and the number of records that its reader counted independently of the parts."""

    parts: Sequence[Part]
    n_records: int


def write_part(
    folder: Path,
    number: int,
    *,
    tables: Mapping[str, pa.RecordBatch],
    n_records: int,
    counts: Mapping[str, int],
    refused: Sequence[RefusedUnit] = (),
) -> Part:
    """Write one part; ``tables`` has ``rows`` and ``rejected``, and ``account`` in the first pass."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{number:05d}"
    for what, batch in tables.items():
        with pa.OSFile(f"{stem}.{what}.arrow", "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
    part = Part(
        stem=str(stem),
        n_records=n_records,
        n_rows=tables["rows"].num_rows,
        n_rejected=tables["rejected"].num_rows,
        files={what: checksum(f"{stem}.{what}.arrow") for what in tables},
        counts=dict(counts),
        refused=[(one.stage, one.unit, one.reason) for one in refused],
    )
    facts = {name: getattr(part, name) for name in _FACTS}
    _write_atomically(stem.with_suffix(".json"), orjson.dumps(facts))
    return part


_FACTS = ("n_records", "n_rows", "n_rejected", "files", "counts", "refused")
"""The keys in the ``.json`` file of a part."""


def checksum(path: str) -> tuple[int, str]:
    """Return the size of a file in bytes and the XXH3 of its bytes, read by memory map."""
    with pa.memory_map(path) as file:
        data = file.read_buffer()
        return data.size, xxh3_128_hexdigest(data)


def finished_parts(folder: Path) -> list[Part]:
    """List the finished parts of a task, up to the first missing or damaged one.

    After a power loss a written file may be empty, cut short or full of zeros. Therefore each file must have
    the recorded size and checksum. The caller makes all other parts again.
    """
    parts: list[Part] = []
    while (part := _read_part(folder / f"{len(parts):05d}.json")) is not None:
        parts.append(part)
    return parts


def _read_part(path: Path) -> Part | None:
    try:
        facts = orjson.loads(path.read_bytes())
        part = Part(stem=str(path.with_suffix("")), **{name: facts[name] for name in _FACTS})
        intact = all(
            checksum(f"{part.stem}.{what}.arrow") == (size, digest)
            for what, (size, digest) in part.files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
    return part if intact else None


def finish_task(folder: Path, finished: FinishedTask) -> None:
    """Mark a task as finished: it has no more parts."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"n_parts": len(finished.parts), "n_records": finished.n_records}
    _write_atomically(folder / TASK_DONE, orjson.dumps(facts))


def finished_task(folder: Path, parts: Sequence[Part]) -> FinishedTask | None:
    """Return the task if all its parts are finished; None if reading must continue after the last part."""
    try:
        facts = orjson.loads((folder / TASK_DONE).read_bytes())
        n_parts, n_records = int(facts["n_parts"]), int(facts["n_records"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if n_parts != len(parts) or n_records != sum(part.n_records for part in parts):
        return None
    return FinishedTask(parts=parts, n_records=n_records)


TASK_DONE = "done"
"""The file with the number of parts of a task, and the number of records that its reader counted."""


def _write_atomically(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(data)
    beside.replace(path)


@dataclass(frozen=True)
class Spool:
    """All parts of one barrier, in the order of the build; rows are numbered across the parts.

    Each part's file is mapped on first use, once, and stays mapped as long as the spool object exists.
    """

    parts: Sequence[Part]
    text_column: str | None = None

    def __reduce__(self) -> tuple[type[Spool], tuple[Sequence[Part], str | None]]:
        """Pickle the arguments only, because memory maps belong to this process."""
        return Spool, (self.parts, self.text_column)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """int64[n_parts + 1], the number of each part's first row; the last value counts all rows."""
        return np.concatenate([[0], np.cumsum([part.n_rows for part in self.parts])]).astype(np.int64)

    @cached_property
    def _mapped(self) -> dict[str, MappedBatch]:
        return {}

    def _map(self, stem: str) -> MappedBatch:
        if stem not in self._mapped:
            self._mapped[stem] = MappedBatch.open(f"{stem}.rows.arrow")
        return self._mapped[stem]

    def _rows(self, stem: str) -> pa.RecordBatch:
        return self._map(stem).batch

    @property
    def n_rows(self) -> int:
        """The number of rows in all parts."""
        return int(self.first_rows[-1])

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows; its memory pages are read on access."""
        chunks = [self._rows(part.stem).column(name) for part in self.parts]
        return pa.chunked_array(chunks, type=None if chunks else pa.null())

    def values(self, name: str) -> NDArray[np.int64]:
        """Return one column of numbers over all rows, as an array."""
        return np.asarray(self.column(name).to_numpy(), dtype=np.int64)

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of some rows, in the order of ``rows``; see ``protocols.Texts``.

        The memory pages of a part are released after its texts are copied.
        """
        order = np.argsort(rows, kind="stable")
        ascending = np.asarray(rows)[order]
        pieces = []
        for part, local in self._locate(ascending):
            pieces.append(self._text(part).take(pa.array(local)))
            self._map(part.stem).release()
        if not pieces:
            return pa.array([], pa.large_binary())
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_arrays(pieces).take(pa.array(back))

    def release(self) -> None:
        """Release the memory pages of the spool's files; they are read again on access."""
        for mapped in list(self._mapped.values()):
            mapped.release()

    def in_pieces(self, n_rows: int) -> Iterator[tuple[Spool, int]]:
        """Yield pieces of at least ``n_rows`` rows, with the number of the first row of each.

        The last piece may be smaller. A spool without parts yields one empty piece.
        """
        start = 0
        while start < len(self.parts) or start == 0:
            wanted = self.first_rows[start] + n_rows
            stop = max(start + 1, int(np.searchsorted(self.first_rows, wanted)))
            yield Spool(self.parts[start:stop], self.text_column), int(self.first_rows[start])
            start = stop

    def has_column(self, name: str) -> bool:
        """Return whether the parts have a column; public columns may be in the parts of another spool."""
        return bool(self.parts) and name in self._rows(self.parts[0].stem).schema.names

    def take_rows(self, ascending: NDArray[np.int64], names: Sequence[str]) -> pa.Table:
        """Return some columns of at least one row, from each part or its base part."""
        pieces = []
        for part, local in self._locate(ascending):
            here = self._rows(part.stem)
            there = here
            at = far = pa.array(local)
            if part.base:
                there, far = self._rows(part.base), here.column(AT).take(at)
            columns = [
                here.column(name).take(at) if name.startswith("_") else there.column(name).take(far)
                for name in names
            ]
            pieces.append(pa.RecordBatch.from_arrays(columns, names=list(names)))
        return pa.Table.from_batches(pieces)

    def _locate(self, ascending: NDArray[np.int64]) -> list[tuple[Part, PartRows]]:
        """Split ascending row numbers by part, as numbers within the part."""
        owner = np.searchsorted(self.first_rows, ascending, side="right") - 1
        bounds = np.searchsorted(owner, np.arange(len(self.parts) + 1))
        return [
            (part, PartRows(ascending[lo:hi] - self.first_rows[i]))
            for i, part in enumerate(self.parts)
            if (lo := bounds[i]) < (hi := bounds[i + 1])
        ]

    def _text(self, part: Part) -> pa.LargeBinaryArray:
        column = self._rows(part.stem).column(self.text_column)
        return column.fill_null("").cast(pa.large_binary())


@dataclass(frozen=True)
class StageSketches:
    """The sketch columns of one corpus stage; see ``protocols.Sketches``."""

    spool: Spool
    stage: str

    @property
    def n_rows(self) -> int:
        """The number of rows of the spool."""
        return self.spool.n_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows."""
        return self.spool.column(sketch_name(self.stage, name))

    def release(self) -> None:
        """Release the memory pages of the columns; they are read again on access."""
        self.spool.release()


def sketch_name(stage: str, column: str) -> str:
    """Return the name of a sketch column in the spool.

    >>> sketch_name("dedup_near", "bands")
    '_dedup_near.bands'
    """
    return f"_{stage}.{column}"


def row_numbers(spool: Spool) -> FirstRows:
    """Return the rows' numbers in the first spool; the first spool itself has no column of numbers."""
    return FirstRows(spool.values(ROW) if spool.has_column(ROW) else np.arange(spool.n_rows))
