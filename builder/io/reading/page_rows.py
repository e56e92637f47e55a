"""Collect pages into batches with the columns that all page sources share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.ledger import NOTED_SCHEMAS
from builder.domain.record import ALIASES, JSON_FIELD, NOTE, RECORD_FIELD, record_id
from builder.domain.rejection import Rejection, rejection_batch
from builder.protocols import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BATCH_BYTES = 16 << 20
"""Bytes of pages at which a batch ends, whatever its number of rows."""

PAGE_SCHEMA = pa.schema(
    [
        RECORD_FIELD,
        pa.field("url", pa.string()),
        pa.field("html", pa.string()),
        pa.field("text", pa.string()),
        pa.field("fetched_at", pa.string()),
        pa.field("status", pa.int64()),
        pa.field("content_type", pa.string()),
        pa.field("headers", pa.string(), metadata=JSON_FIELD),
        pa.field(ALIASES, pa.list_(pa.string())),
        pa.field(NOTE, pa.string()),
    ]
)
"""The values are as in JSON: times are strings, and ``headers`` is the text of a JSON object."""


class PageRows:
    """Collects pages and rejections of one task into readings.

    The reader calls ``count`` when it finds a record, then ``add`` or ``reject`` with the result, in order.
    The two numbers are counted independently, so that a lost record is detected.
    """

    def __init__(
        self,
        *,
        source: str,
        name: str,
        batch_rows: int,
        batch_bytes: int = BATCH_BYTES,
        schema: pa.Schema = PAGE_SCHEMA,
    ) -> None:
        self._schema = schema
        self._source, self._name = source, name
        self._batch_rows, self._batch_bytes = batch_rows, batch_bytes
        self._ordinal = 0
        self._clear()

    def count(self, *, offset: int, name: str | None = None) -> dict[str, Any]:
        """Count one record and return its ``_record``; ``name`` is its file in a task of several files."""
        path = self._name if name is None else name
        ordinal = self._ordinal
        self._ordinal += 1
        self._n_records += 1
        position = {"id": record_id(self._source, path, offset)}
        return {**position, "source": self._source, "path": path, "ordinal": ordinal, "offset": offset}

    def add(
        self, record: dict[str, Any], *, aliases: Sequence[str] = (), note: str | None = None, **page: Any
    ) -> None:
        """Add one page; columns that are not given are null."""
        self._pages.append({"_record": record, ALIASES: list(aliases) or None, NOTE: note, **page})
        self._n_bytes += len(page.get("html") or "") + len(page.get("text") or "")

    def reject(self, rejection: Rejection) -> None:
        """Add one record that does not become a page."""
        self._rejections.append(rejection)

    def note(self, table: str, record: dict[str, Any], facts: Mapping[str, Any]) -> None:
        """Note facts of a counted record for a table of the audit."""
        self._noted.setdefault(table, []).append({"_record": record, **facts})

    def add_count(self, name: str, n: int = 1) -> None:
        """Add to a count that the build reports, such as replaced characters."""
        self._counts[name] = self._counts.get(name, 0) + n

    @property
    def full(self) -> bool:
        """Whether the reading has reached its limit of rows or bytes."""
        return self._n_records >= self._batch_rows or self._n_bytes >= self._batch_bytes

    def take(self) -> Reading:
        """Return the collected rows as a reading, and start a new one."""
        columns = [pa.array([row.get(f.name) for row in self._pages], f.type) for f in self._schema]
        reading = Reading(
            batch=pa.RecordBatch.from_arrays(columns, schema=self._schema),
            rejected=rejection_batch(self._rejections),
            n_records=self._n_records,
            counts=self._counts,
            noted={
                table: pa.RecordBatch.from_pylist(rows, schema=NOTED_SCHEMAS[table])
                for table, rows in self._noted.items()
            },
        )
        self._clear()
        return reading

    def _clear(self) -> None:
        self._pages: list[dict[str, Any]] = []
        self._rejections: list[Rejection] = []
        self._counts: dict[str, int] = {}
        self._noted: dict[str, list[dict[str, Any]]] = {}
        self._n_records = 0
        self._n_bytes = 0
