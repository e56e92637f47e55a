"""Make columns of folders named ``key=value``, in which Spark, Hive and DuckDB write a table."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa

from builder.domain.record import RECORD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.protocols import Reading

_FOLDER = re.compile(r"_*([A-Za-z][^=/]*)=(.*)", re.DOTALL)
_NULL = "__HIVE_DEFAULT_PARTITION__"
"""The value that Hive and Spark write for null."""


def partition_values(path: str, name: str) -> dict[str, str | None]:
    """Return the values of a file's partitions, by column.

    The folders in the name of a file count, and those directly above: ``out/lang=en/*.parquet`` selects one
    partition. Other folders do not, so that rows do not depend on where the inputs are.

    >>> partition_values("/data/out/lang=en/year=2017/0.parquet", "year=2017/0.parquet")
    {'lang': 'en', 'year': '2017'}

    Args:
        path: the address of the file.
        name: the path below the fixed part of the glob.
    """
    above = path.removesuffix(name).rstrip("/").split("/") if path.endswith(name) else []
    folders = name.split("/")[:-1]
    while above and _FOLDER.fullmatch(above[-1]):
        folders.insert(0, above.pop())
    found = [match.groups() for folder in folders if (match := _FOLDER.fullmatch(folder))]
    return {unquote(key): None if value == _NULL else unquote(value) for key, value in found}


def with_partitions(reading: Reading, values: Mapping[str, str | None], columns: pa.Schema) -> Reading:
    """Add the partitions of a file to its rows; a column of the file itself wins.

    Args:
        columns: the columns of the contract, which decide the types: a partition is text.
    """
    batch = reading.batch
    for name, value in values.items():
        if name not in batch.schema.names and batch.schema.names != [RECORD]:
            batch = batch.append_column(name, pa.repeat(_typed(value, name, columns), batch.num_rows))
    return replace(reading, batch=batch)


def _typed(value: str | None, name: str, columns: pa.Schema) -> pa.Scalar:
    """Return a value with the type of its column, or as text, which the contract then judges."""
    text = pa.scalar(value, pa.string())
    kind = columns.field(name).type if name in columns.names else pa.string()
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return text
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        return text
