"""Show a row of a batch to a function: its columns by name, as Python values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from builder.domain.record import RECORD
from builder.registry import nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from builder.protocols import Columns


class RowView(Mapping[str, Any]):
    """One row: its columns by name, as Python values, and the columns with a role as attributes."""

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
        return self._of_role(self._columns.roles.text) or ""

    @property
    def url(self) -> str | None:
        """The URL, whatever the contract calls its column."""
        return self._of_role(self._columns.roles.url) or None

    @property
    def source(self) -> str:
        """The name of the source that the row comes from."""
        return str(self._columns.values(RECORD)[self._number]["source"])

    def _of_role(self, name: str | None) -> str:
        return str(self[name] or "") if name in self._columns.names else ""


class LazyColumns:
    """The columns of a batch as Python values, each converted when it is first used."""

    def __init__(self, batch: pa.RecordBatch, roles: Columns) -> None:
        self.batch, self.roles = batch, roles
        self.names = public_names(batch.schema)
        self._values: dict[str, list[Any]] = {}

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
