"""Rename and convert the columns of an input table so that they do not collide with ``_record``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.io.streams.limits import MAX_TABLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    if faults := list(_faults(names, public, rename)):
        raise ColumnsError("; ".join(faults))
    return public


def _faults(names: Sequence[str], public: Sequence[str], rename: Mapping[str, str]) -> Iterator[str]:
    """Explain which names cannot be used, and what to change: the file, or the option ``rename``."""
    for number, (name, new) in enumerate(zip(names, public, strict=True), start=1):
        if not name:
            yield f"column {number} has no name: name it in the file"
        elif not new:
            yield f"column {name!r} has no name without its underscores: add {name}: NAME to `rename`"
        elif new.startswith("_"):
            yield f"`rename` gives column {name!r} the name {new!r}, which is reserved: give it another name"
    for new in [new for new, n in Counter(public).items() if n > 1 and new]:
        yield _same_name(new, [i for i, one in enumerate(public) if one == new], names, rename)


def _same_name(new: str, places: Sequence[int], names: Sequence[str], rename: Mapping[str, str]) -> str:
    """Explain why several columns have the name ``new``: as they came, by ``rename``, or without underscores.

    >>> _same_name("text", [1, 2], ["url", "text", "text"], {})
    "columns 2 and 3 are both named 'text': give each column of the file its own name"
    """
    numbers = " and ".join(str(i + 1) for i in places)
    came = [names[i] for i in places]
    if twice := [name for name, n in Counter(came).items() if n > 1]:
        return f"columns {numbers} are both named {twice[0]!r}: give each column of the file its own name"
    listed = " and ".join(map(repr, came))
    changed = next(name for name in came if name != new)
    if any(name in rename for name in came if name != new):
        return f"columns {listed} are both named {new!r} by `rename`: give one of them another name"
    return f"columns {listed} are both named {new!r} without underscores: add {changed}: NAME to `rename`"


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
