"""Show a row of a batch to a function: its columns by name, as Python values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.registry import nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from builder.protocols import Columns


class RowView(Mapping[str, Any]):
    """One row: its columns by name, as Python values, and the columns with a role as attributes."""

    __slots__ = ("_columns", "_number")

    def __init__(self, columns: LazyColumns, number: int) -> None:
        self._columns, self._number = columns, number

    def __getitem__(self, name: str) -> Any:
        return self._columns.values(name)[self._number]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns.names)

    def __len__(self) -> int:
        return len(self._columns.names)

    @property
    def text(self) -> str:
        """The text, whatever the contract calls its column; empty if it is null or missing."""
        return self._columns.texts[self._number]

    @property
    def url(self) -> str | None:
        """The URL, whatever the contract calls its column."""
        return self._columns.urls[self._number] or None

    @property
    def source(self) -> str:
        """The name of the source that the row comes from."""
        return self._columns.sources[self._number]


class LazyColumns:
    """The columns of a batch as Python values, each converted when it is first used."""

    def __init__(self, batch: pa.RecordBatch, roles: Columns) -> None:
        self.batch, self.roles = batch, roles
        self.names = public_names(batch.schema)
        self._values: dict[str, list[Any]] = {}

    @cached_property
    def texts(self) -> list[str]:
        """The text of each row; empty if it is null or missing."""
        return self._of_role(self.roles.text)

    @cached_property
    def urls(self) -> list[str]:
        """The URL of each row; empty if it is null or missing."""
        return self._of_role(self.roles.url)

    @cached_property
    def sources(self) -> list[str]:
        """The name of the source of each row."""
        return [str(one) for one in pc.struct_field(self.batch.column(RECORD), "source").to_pylist()]

    def _of_role(self, name: str | None) -> list[str]:
        if name is None or name not in self.names:
            return [""] * self.batch.num_rows
        return [str(one or "") for one in self.values(name)]

    def values(self, name: str) -> list[Any]:
        """Return all values of a column.

        Raises:
            KeyError: if the batch does not have the column.
        """
        if name not in self._values:
            if name not in self.names and name != RECORD:
                raise KeyError(f"no column {name!r}: {nearest(name, self.names)}")
            self._values[name] = self.batch.column(name).to_pylist()
        return self._values[name]


def public_names(schema: pa.Schema) -> list[str]:
    """Return the columns that a row shows; those that begin with an underscore belong to builder."""
    return [name for name in schema.names if not name.startswith("_")]
