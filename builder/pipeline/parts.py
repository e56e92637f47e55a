"""Finished batches on disk, from which a killed build resumes.

A part is a batch that has finished a pass. All parts of a task are in a few files, because a process can map
only some 65,000 files. An attempt to run a task writes files of its own, under a name that no other attempt
has: it never changes a file that another process reads, and two attempts at once do no harm.

    SPOOL/0/000012/ATTEMPT.rows.arrows       rows that continue, with sketches and underscore columns
    SPOOL/0/000012/ATTEMPT.account.arrows    one row for each record read (first pass only)
    SPOOL/0/000012/ATTEMPT.rejected.arrows   rejected rows
    SPOOL/0/000012/ATTEMPT.parts             one line for each finished part: where it is, and its counts
    SPOOL/0/000012/done                      the task is finished: how many parts and records it has

Each ``.arrows`` file has one Arrow IPC stream for each part, at the offset in the list. A line of the list
is written after the data. The next attempt begins its list with the parts that earlier attempts have
finished, and then adds its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pyarrow as pa
from xxhash import xxh3_64_hexdigest, xxh3_128_hexdigest

from builder.io.parquet_sink.mapped import MappedFile
from builder.io.streams.replacing import attempt_name, write_replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from builder.protocols import RefusedUnit

LIST, TASK_DONE = ".parts", "done"
"""The suffix of a list of parts; the file that marks a task as finished."""

_ALIGNMENT = 64
"""Each stream begins at a multiple of this number of bytes, so that its buffers are aligned as in memory."""


class Extent(NamedTuple):
    """The place of one batch: a range of bytes of a file, and the XXH3 of these bytes."""

    path: str
    offset: int
    size: int
    digest: str

    def read(self) -> pa.RecordBatch:
        """Read the batch into memory."""
        with pa.OSFile(self.path) as file:
            file.seek(self.offset)
            return pa.ipc.open_stream(file.read_buffer(self.size)).read_next_batch()

    def is_intact(self) -> bool:
        """Return whether the file has these bytes."""
        try:
            return _digest(self.path, self.offset, self.size) == self.digest
        except (OSError, pa.ArrowException):
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One finished batch: where its files are, and how many records and rows it has.

    Attributes:
        files: the place of each batch, by its content (``rows``, ``rejected``, ``account``).
        refused: stage, unit and reason of each unit that the guard refused in this part.
        made_from: the rows of the earlier pass that the part was made from; empty in the first pass.
        base: the rows of the part with the public columns, at the places in ``_at``; None if this part has
            them.
    """

    n_records: int
    n_rows: int
    n_rejected: int
    files: Mapping[str, Extent]
    counts: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[tuple[str, int, str]] = ()
    made_from: str = ""
    base: Extent | None = None

    def open_rows(self) -> pa.RecordBatch:
        """Open the rows by memory map; nothing is copied."""
        at = self.files["rows"]
        return MappedFile.open(at.path).batch(at.offset, at.size)

    def table(self, what: str) -> pa.Table:
        """Read one of the part's batches into memory, as a table."""
        return pa.Table.from_batches([self.files[what].read()])


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTask:
    """All parts of a task, and the number of records that its reader counted independently of the parts."""

    parts: Sequence[Part]
    n_records: int


class TaskParts:
    """The parts of one task, as one attempt finds and continues them.

    After a power loss a written file may be empty, cut short or full of zeros. Therefore parts of earlier
    attempts are taken up to the first one whose bytes have another checksum; the caller makes the others
    again.

    Attributes:
        folder: the folder of the task.
        parts: the finished parts, in their order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._attempt = attempt_name()
        self._has_list = False
        self.parts: list[Part] = _longest(folder)

    def finished(self) -> FinishedTask | None:
        """Return the task if all its parts are finished; None if it must continue after the last part."""
        try:
            facts = orjson.loads((self.folder / TASK_DONE).read_bytes())
            n_parts, n_records = int(facts["n_parts"]), int(facts["n_records"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if n_parts != len(self.parts) or n_records != sum(part.n_records for part in self.parts):
            return None
        return FinishedTask(parts=self.parts, n_records=n_records)

    def add(
        self,
        tables: Mapping[str, pa.RecordBatch],
        *,
        n_records: int,
        counts: Mapping[str, int],
        refused: Sequence[RefusedUnit] = (),
        made_from: str = "",
    ) -> Part:
        """Write one part; ``tables`` has ``rows`` and ``rejected``, and ``account`` in the first pass."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = Part(
            n_records=n_records,
            n_rows=tables["rows"].num_rows,
            n_rejected=tables["rejected"].num_rows,
            files={what: self._append(what, batch) for what, batch in tables.items()},
            counts=dict(counts),
            refused=[(one.stage, one.unit, one.reason) for one in refused],
            made_from=made_from,
        )
        self._list([part])
        self.parts.append(part)
        return part

    def keep_made_from(self, wanted: Sequence[str]) -> None:
        """Keep the parts up to the first one that was made from other rows than now; add the others again.

        An earlier pass that was repeated after damage can have cut its rows into other parts.
        """
        n_same = 0
        while n_same < min(len(wanted), len(self.parts)) and self.parts[n_same].made_from == wanted[n_same]:
            n_same += 1
        del self.parts[n_same:]

    def finish(self, n_records: int) -> FinishedTask:
        """Mark the task as finished: it has no more parts. The reader has counted ``n_records``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        finished = FinishedTask(parts=self.parts, n_records=n_records)
        facts = {"n_parts": len(self.parts), "n_records": n_records}
        write_replacing(self.folder / TASK_DONE, orjson.dumps(facts))
        return finished

    def _append(self, what: str, batch: pa.RecordBatch) -> Extent:
        path = str(self.folder / f"{self._attempt}.{what}.arrows")
        with pa.OSFile(path, "ab") as file:
            offset = file.tell()
            with pa.ipc.new_stream(file, batch.schema) as writer:
                writer.write_batch(batch)
            size = file.tell() - offset
            file.write(bytes(-size % _ALIGNMENT))
        return Extent(path, offset, size, _digest(path, offset, size))

    def _list(self, parts: Iterable[Part]) -> None:
        """Add lines to this attempt's list, which begins with the parts of earlier attempts."""
        if not self._has_list:
            parts = [*self.parts, *parts]
            self._has_list = True
        with (self.folder / f"{self._attempt}{LIST}").open("ab") as file:
            file.write(b"".join(map(_line, parts)))


def _digest(path: str, offset: int, size: int) -> str:
    """Return the XXH3 of a range of bytes, read by memory map."""
    with pa.memory_map(path) as file:
        data = file.read_buffer().slice(offset, size)
        return xxh3_128_hexdigest(data) if data.size == size else ""


_FACTS = [one.name for one in fields(Part) if one.name != "base"]


def _line(part: Part) -> bytes:
    """Return the line of a part, which begins with a checksum; names of files are relative to the list."""
    facts: dict[str, Any] = {name: getattr(part, name) for name in _FACTS}
    facts["files"] = {what: [Path(one.path).name, *one[1:]] for what, one in part.files.items()}
    data = orjson.dumps(facts)
    return f"{xxh3_64_hexdigest(data)} ".encode() + data + b"\n"


def _longest(folder: Path) -> list[Part]:
    """Return the intact parts of the list with the most of them; they begin at the first record."""
    found: list[Part] = []
    lists = [_read_list(path) for path in sorted(folder.glob(f"*{LIST}"))]
    for parts in sorted(lists, key=len, reverse=True):
        if len(parts) > len(found):
            found = max(found, _intact(parts), key=len)
    return found


def _read_list(path: Path) -> list[Part]:
    """Read the lines of a list up to the first one that is not whole."""
    parts = []
    for line in path.read_bytes().splitlines():
        checksum, _, data = line.partition(b" ")
        if xxh3_64_hexdigest(data).encode() != checksum:
            break
        facts = orjson.loads(data)
        places = facts.pop("files").items()
        files = {what: Extent(str(path.parent / name), *place) for what, (name, *place) in places}
        parts.append(Part(files=files, **facts))
    return parts


def _intact(parts: Sequence[Part]) -> list[Part]:
    for n, part in enumerate(parts):
        if not all(one.is_intact() for one in part.files.values()):
            return list(parts[:n])
    return list(parts)
