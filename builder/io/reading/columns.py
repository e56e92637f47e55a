"""Rename and convert the columns of an input table so that they do not collide with ``_record``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.io.streams.limits import MAX_TABLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class ColumnsError(ValueError):
    """The names of a table's columns are missing or not unique; the source turns it into a failed record."""


class TooManyColumnsError(ColumnsError):
    """A table has more columns than ``MAX_TABLE_COLUMNS``."""

    def __init__(self, n_columns: int) -> None:
        super().__init__(f"the table has {n_columns} columns; at most {MAX_TABLE_COLUMNS} can be read")


def public_columns(names: Sequence[str], *, rename: Mapping[str, str]) -> list[str]:
    """Rename columns that begin with an underscore; such names are reserved for columns of the build.

    A column that begins with an underscore gets its name in ``rename``, else it loses the leading
    underscores.

    Raises:
        TooManyColumnsError: if the table has more columns than ``MAX_TABLE_COLUMNS``.
        ColumnsError: if two columns then have the same name, or one has an empty name.

    >>> public_columns(["text", "_id", "__index_level_0__"], rename={"_id": "key"})
    ['text', 'key', 'index_level_0__']
    """
    if len(names) > MAX_TABLE_COLUMNS:
        raise TooManyColumnsError(len(names))
    public = [rename.get(name, name.lstrip("_")) if name.startswith("_") else name for name in names]
    twice = [name for name, n in Counter(public).items() if n > 1]
    if twice or "" in public or any(name.startswith("_") for name in public):
        wrong = ", ".join(repr(name) for name in twice or names)
        message = "without their leading underscores, these column names are empty or not unique"
        raise ColumnsError(f"{message}: {wrong}; rename the columns with `rename`, or fix the file")
    return public


def plain_batch(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    """Rename columns, decode dictionaries, and replace extension types by their storage types."""
    return pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], names=list(names))


def row_bytes(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Return int64[n_rows], the bytes of each row's strings and binaries outside lists and structs."""
    sizes = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        if _has_bytes(column.type):
            lengths = pc.fill_null(pc.binary_length(column).cast(pa.int64()), 0)
            sizes += lengths.to_numpy(zero_copy_only=False)
    return sizes


def _plain(column: pa.Array) -> pa.Array:
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column


def _has_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )
