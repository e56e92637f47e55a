"""Define rejections: one record, one stage, one reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from builder.domain.record import RECORD, RECORD_FIELD, RECORD_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_RECORD_KEPT = 1 << 20
"""Bytes of a rejected record that are kept so that you can fix it; the rest is cut."""

MAX_VALUE_CHARS = 200
"""Characters of an offending value that are shown."""

STAGE_ERROR = "stage_error"
"""Reason code of a row on which code that is not part of builder raises."""

FILTERED = "filtered"
"""Reason code of a row that a filter rejects without a reason of its own."""

CODE_REASONS = {
    STAGE_ERROR: "The code raised an error on this row; `message` is the error. The outcome is `failed`.",
    FILTERED: "A filter rejected the row without a reason of its own. The outcome is `rejected`.",
}
"""Reasons that any code that is not part of builder can give."""

NO_RECORDS = "no_records"
"""Reason code of a file of many records that has none."""

SOURCE_CODE_REASONS = {
    STAGE_ERROR: "The code raised an error on this file; `message` is the error. The outcome is `failed`.",
    NO_RECORDS: "The file has no record. The outcome is `failed`.",
}
"""Reasons that any source that is not part of builder can give."""

FAULT_TYPE = pa.struct(
    [
        pa.field("pointer", pa.string(), nullable=False),
        pa.field("keyword", pa.string(), nullable=False),
        pa.field("value", pa.string()),
        pa.field("limit", pa.string()),
        pa.field("message", pa.string()),
    ]
)

REJECTION_SCHEMA = pa.schema(
    [
        RECORD_FIELD,
        pa.field("url", pa.string()),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("pointer", pa.string()),
        pa.field("value", pa.string()),
        pa.field("limit", pa.string()),
        pa.field("message", pa.string()),
        pa.field("faults", pa.list_(FAULT_TYPE)),
        pa.field("record", pa.large_binary()),
        pa.field("refers_to", pa.list_(pa.string())),
    ]
)


REFUSED_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("value", pa.string()),
        pa.field("limit", pa.string()),
        pa.field("message", pa.string()),
    ]
)
"""Rows of a spool that a corpus stage rejects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFault:
    """One way in which a record breaks its contract: a JSON pointer and a schema keyword."""

    pointer: str
    keyword: str
    value: str | None = None
    limit: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One record, one stage, one reason.

    A rejected record reaches no later stage. So a record is rejected at most once, and the rejections of
    all stages add up to the missing rows. ``reason`` is a stable code to count by; ``message`` is for people
    and may change between releases. ``outcome`` distinguishes a record that was read and refused
    (``rejected``) from one that could not be read or processed (``failed``). ``refers_to`` lists the aliases
    of the record that this one repeats (a WARC revisit): if that record is in the same build, the ledger
    merges this one into it.

    >>> r = Rejection(record={"id": "jsonl/a.jsonl@0"}, stage="validate", reason="required", pointer="/url")
    >>> str(r)
    'jsonl/a.jsonl@0: validate/required at /url'
    """

    record: Mapping[str, object]
    stage: str
    reason: str
    outcome: Literal["rejected", "failed"] = "rejected"
    url: str | None = None
    pointer: str | None = None
    value: str | None = None
    limit: str | None = None
    message: str | None = None
    faults: Sequence[ContractFault] = ()
    raw: bytes | None = None
    refers_to: Sequence[str] = ()

    def __str__(self) -> str:
        place = f" at {self.pointer}" if self.pointer else ""
        return f"{self.record['id']}: {self.stage}/{self.reason}{place}"


def rejection_batch(rejections: Iterable[Rejection]) -> pa.RecordBatch:
    """Convert rejections to a batch of ``REJECTION_SCHEMA``; long values and records are cut."""
    rows = [_row(rejection) for rejection in rejections]
    return _batch_of(rows) if rows else no_rejections()


def _batch_of(rows: Sequence[Mapping[str, object]]) -> pa.RecordBatch:
    columns = [pa.array([row[f.name] for row in rows], f.type) for f in REJECTION_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTION_SCHEMA)


def rejected_rows(
    batch: pa.RecordBatch, reasons: Mapping[int, str], *, stage: str, url: str | None
) -> pa.RecordBatch:
    """Return the rejections of some rows of a batch, column by column: fast for many rows.

    Args:
        reasons: why rows are rejected, by row number.
        url: the column with the URLs; it may be missing in the batch.
    """
    numbers = sorted(reasons)
    there = [name for name in (RECORD, url) if name in batch.schema.names]
    rows = batch.select(there).take(pa.array(numbers, pa.int64()))  # texts are not copied
    columns = {
        RECORD: rows.column(RECORD),
        "outcome": pa.repeat(pa.scalar("rejected"), len(numbers)),
        "stage": pa.repeat(pa.scalar(stage), len(numbers)),
        "reason": pa.array([reasons[number] for number in numbers], pa.string()),
    }
    if url in there:
        columns["url"] = rows.column(url).cast(pa.string())
    arrays = [columns.get(one.name, pa.nulls(len(numbers), one.type)) for one in REJECTION_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=REJECTION_SCHEMA)


@lru_cache(maxsize=1)
def no_rejections() -> pa.RecordBatch:
    """Return the empty batch of ``REJECTION_SCHEMA``, the same for all callers: most batches need one."""
    return _batch_of([])


def cut_text(text: str | None, *, chars: int = MAX_VALUE_CHARS) -> str | None:
    """Shorten a value to a length that a table can show.

    >>> cut_text("abcdef", chars=3)
    'abc…'
    """
    if text is None or len(text) <= chars:
        return text
    return text[:chars] + "…"


def _row(rejection: Rejection) -> dict[str, object]:
    faults = [
        {
            "pointer": f.pointer,
            "keyword": f.keyword,
            "value": cut_text(f.value),
            "limit": cut_text(f.limit),
            "message": f.message,
        }
        for f in rejection.faults
    ]
    return {
        "_record": {field.name: rejection.record[field.name] for field in RECORD_TYPE},
        "url": rejection.url,
        "outcome": rejection.outcome,
        "stage": rejection.stage,
        "reason": rejection.reason,
        "pointer": rejection.pointer,
        "value": cut_text(rejection.value),
        "limit": cut_text(rejection.limit),
        "message": rejection.message,
        "faults": faults or None,
        "record": None if rejection.raw is None else rejection.raw[:MAX_RECORD_KEPT],
        "refers_to": list(rejection.refers_to) or None,
    }
