"""Digest the content of pages as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from builder.domain.json.writer import canonical_text
from builder.domain.record import PAGE_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.protocols import Columns

PAGE_KEY_TYPE = pa.binary(16)
PAGE_KEY_FIELD = pa.field(PAGE_KEY, PAGE_KEY_TYPE, nullable=False)


def page_keys(
    arrays: Sequence[pa.Array], records: Sequence[dict[str, Any]], columns: pa.Schema, roles: Columns
) -> pa.Array:
    """Digest the content of each page: its HTML, else its text, else the canonical JSON of the record."""
    from blake3 import blake3

    keys: list[bytes | None] = [None] * len(records)
    for role in (roles.html, roles.text):
        if role in columns.names and columns.field(role).type == pa.string():
            _digest_column(arrays[columns.names.index(role)], keys)
    for row, key in enumerate(keys):
        if key is None:
            keys[row] = blake3(canonical_text(records[row]).encode()).digest(length=PAGE_KEY_TYPE.byte_width)
    return pa.array(keys, PAGE_KEY_TYPE)


def _digest_column(array: pa.StringArray, keys: list[bytes | None]) -> None:
    """Fill in missing keys from the bytes of a column, where the column is not null."""
    from blake3 import blake3

    _, offset_buffer, data_buffer = array.buffers()
    data = memoryview(data_buffer or b"")
    offsets = np.frombuffer(offset_buffer, np.int32)[array.offset :].tolist() if len(array) else []
    for row, valid in enumerate(array.is_valid().to_pylist()):
        if valid and keys[row] is None:
            content = data[offsets[row] : offsets[row + 1]]
            keys[row] = blake3(content).digest(length=PAGE_KEY_TYPE.byte_width)
