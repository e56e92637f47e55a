"""Read JSON files, one record each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from builder.domain.record import RAW, RECORD_FIELD, RECORD_TYPE
from builder.domain.rejection import rejection_batch
from builder.io.reading.file_source import (
    COMPRESSED,
    GUARD_REASONS,
    MAX_RECORD_BYTES,
    TOO_BIG,
    FileSource,
    files_of,
    read_whole,
)
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.streams.streams import REASONS
from builder.protocols import Reading
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.rejection import Rejection
    from builder.protocols import Guard, Task

_BOM = b"\xef\xbb\xbf"
_SCHEMA = pa.schema([RECORD_FIELD, pa.field(RAW, pa.large_binary())])


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSource(FileSource):
    """Read files that contain one JSON document each.

    Each file is one record, whatever its content; the stage ``validate`` parses it. A byte order mark is
    skipped. Files may be compressed. Small files are read in groups. A file over ``max_record_bytes`` fails
    without being read. A damaged compressed file fails; the part that can be decompressed is kept with the
    rejection.
    """

    kind: ClassVar[str] = "json"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(".json" + codec for codec in COMPRESSED)
    reasons: ClassVar[Mapping[str, str]] = {**TOO_BIG, **REASONS, **GUARD_REASONS}

    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="New names for fields: dotted path -> column."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Maximum bytes of a file; a larger file fails.", minimum=1
    )

    def tasks(self) -> list[Task]:
        """Group consecutive small files into tasks."""
        return self.grouped_tasks()

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the unparsed bytes of each file in a column ``_raw``."""
        units = count()
        rows: list[dict[str, object]] = []
        failures: list[Rejection] = []
        n_records = n_bytes = 0
        for ordinal, found in enumerate(files_of(task)):
            n_records += 1
            record = self.record(found, ordinal=ordinal)
            data, fault = read_whole(
                found, stage=self.kind, guard=guard, units=units, max_bytes=self.max_record_bytes
            )
            n_bytes += len(data)
            if fault is None:
                rows.append({"_record": record, RAW: data.removeprefix(_BOM)})
            else:
                failures.append(self.failure(record, fault.reason, message=fault.message, raw=data))
            if n_records >= batch_rows or n_bytes >= BATCH_BYTES:
                yield _reading(rows, failures, n_records)
                rows, failures, n_records, n_bytes = [], [], 0, 0
        if n_records:
            yield _reading(rows, failures, n_records)


def _reading(rows: list[dict[str, object]], failures: list[Rejection], n_records: int) -> Reading:
    columns = [
        pa.array([row["_record"] for row in rows], RECORD_TYPE),
        pa.array([row[RAW] for row in rows], pa.large_binary()),
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)
    return Reading(batch=batch, rejected=rejection_batch(failures), n_records=n_records)
