"""Find the URL of a record that cannot be read as a whole, so that the ledger can name its page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.rename import rename_members
from builder.domain.record import RAW

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_URL_CHARS = 2_000
"""A longer string is hardly a URL, and the ledger has one for each record."""


def known_url(batch: pa.RecordBatch, row: int, url_column: str, renames: Mapping[str, str]) -> str | None:
    """Return the URL of one row of a source, although another value of the row cannot be read.

    A line of JSON is read as Python reads it, which accepts NaN and numbers of any size.
    """
    if RAW in batch.schema.names:
        record = _lenient(batch.column(RAW)[row].as_buffer().to_pybytes())
    else:
        wanted = [path.partition(".")[0] for path, name in renames.items() if name == url_column]
        record = _cells(batch, row, [url_column, *wanted])
    url = rename_members(record, renames)[0].get(url_column)
    return url if isinstance(url, str) and len(url) <= MAX_URL_CHARS else None


def _lenient(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8", "replace"), parse_int=float)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _cells(batch: pa.RecordBatch, row: int, names: list[str]) -> dict[str, Any]:
    cells = {}
    for name in names:
        if batch.schema.get_field_index(name) < 0:
            continue
        try:
            value = batch.column(name)[row].as_py()
            cells[name] = value.decode() if isinstance(value, bytes) else value
        except (ValueError, OverflowError, NotImplementedError, pa.ArrowException):
            continue
    return cells
