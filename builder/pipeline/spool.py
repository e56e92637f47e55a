"""The spool: finished batches on disk, so that a killed build goes on where it was.

A part is a batch that has passed a pass. Its files are written first and its ``.json`` last, by an atomic
rename: a part without one was never finished. Rows files are Arrow IPC and are read by memory map.

    SPOOL/0/000012/00003.rows.arrow       what goes on, with sketches and underscore columns
    SPOOL/0/000012/00003.account.arrow    one row for each record read (first pass only)
    SPOOL/0/000012/00003.rejected.arrow   what did not go on
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
"""The number of a row in the first spool: what all later verdicts are traced back to."""

SIZE = "_size"
"""Bytes of the row's canonical encoding, without what only the end of the build can fill in."""

AT = "_at"
"""The place of a row in the part that it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One finished batch: where its files are, and how many records and rows it has.

    Attributes:
        files: size in bytes and XXH3 of each file, by what it holds (``rows``, ``rejected``, ``account``).
        refused: stage, unit and reason of each unit that the guard refused while the part was made.
        base: stem of the part that still holds the public columns, at the places that ``_at`` names; empty if
            this part holds them.
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
    """All parts of a task, and how many records its reader counted, apart from the parts."""

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
"""What the ``.json`` of a part holds."""


def checksum(path: str) -> tuple[int, str]:
    """Return the size of a file in bytes and the XXH3 of its bytes, read by memory map."""
    with pa.memory_map(path) as file:
        data = file.read_buffer()
        return data.size, xxh3_128_hexdigest(data)


def finished_parts(folder: Path) -> list[Part]:
    """List the parts of a task that were finished, up to the first that is missing or damaged.

    After a power loss a file may be empty, cut short or full of zeros although it was written, so nothing is
    trusted that does not have the recorded size and checksum. The caller makes again what is not listed.
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
    """Note that a task has no more parts."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"n_parts": len(finished.parts), "n_records": finished.n_records}
    _write_atomically(folder / DONE, orjson.dumps(facts))


def finished_task(folder: Path, parts: Sequence[Part]) -> FinishedTask | None:
    """Return a task whose parts are all there; None if it must be read again from the last part on."""
    try:
        facts = orjson.loads((folder / DONE).read_bytes())
        n_parts, n_records = int(facts["n_parts"]), int(facts["n_records"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if n_parts != len(parts) or n_records != sum(part.n_records for part in parts):
        return None
    return FinishedTask(parts=parts, n_records=n_records)


DONE = "done"
"""The file that says how many parts a task has, and how many records its reader counted."""


def _write_atomically(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(data)
    beside.replace(path)


@dataclass(frozen=True)
class Spool:
    """All parts of one barrier, in the order of the build; rows are numbered through.

    Each part's file is mapped once, when it is first asked for, and as long as the spool is held.
    """

    parts: Sequence[Part]
    text_column: str | None = None

    def __reduce__(self) -> tuple[type[Spool], tuple[Sequence[Part], str | None]]:
        """Pickle what it was made of: maps are for this process only."""
        return Spool, (self.parts, self.text_column)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """int64[n_parts + 1], the number of each part's first row, and of all rows at the end."""
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
        """Rows in all parts."""
        return int(self.first_rows[-1])

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows; its pages are read when they are touched."""
        chunks = [self._rows(part.stem).column(name) for part in self.parts]
        return pa.chunked_array(chunks, type=None if chunks else pa.null())

    def values(self, name: str) -> NDArray[np.int64]:
        """Return one column of numbers over all rows, as an array."""
        return np.asarray(self.column(name).to_numpy(), dtype=np.int64)

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of some rows, in the order asked for; see ``protocols.Texts``.

        No part's pages are held any longer than its texts are copied.
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
        """Hold no page of the spool's files in memory; they are read again when they are touched."""
        for mapped in list(self._mapped.values()):
            mapped.release()

    def in_pieces(self, n_rows: int) -> Iterator[tuple[Spool, int]]:
        """Give at least one piece, of so many rows if there are, and the number of its first row."""
        start = 0
        while start < len(self.parts) or start == 0:
            wanted = self.first_rows[start] + n_rows
            stop = max(start + 1, int(np.searchsorted(self.first_rows, wanted)))
            yield Spool(self.parts[start:stop], self.text_column), int(self.first_rows[start])
            start = stop

    def has_column(self, name: str) -> bool:
        """Tell whether rows have a column; public ones may stand in another spool's parts."""
        return bool(self.parts) and name in self._rows(self.parts[0].stem).schema.names

    def take_rows(self, ascending: NDArray[np.int64], names: Sequence[str]) -> pa.Table:
        """Return some columns of at least one row, wherever they stand; rows are asked for in order."""
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
        """Rows of the spool."""
        return self.spool.n_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows."""
        return self.spool.column(sketch_name(self.stage, name))

    def release(self) -> None:
        """Hold no page of the columns in memory; they are read again when they are touched."""
        self.spool.release()


def sketch_name(stage: str, column: str) -> str:
    """Name a sketch column as it stands in the spool.

    >>> sketch_name("dedup_near", "bands")
    '_dedup_near.bands'
    """
    return f"_{stage}.{column}"


def row_numbers(spool: Spool) -> FirstRows:
    """Number the rows as the first spool does, which itself has no such column yet."""
    return FirstRows(spool.values(ROW) if spool.has_column(ROW) else np.arange(spool.n_rows))
