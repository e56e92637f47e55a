"""Take the columns that the recipe publishes and the contract does not declare out of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.carried import carried_array, column_at
from builder.domain.contract.rename import take_member
from builder.domain.contract.tabulate import tabulate
from builder.domain.record import RAW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.contract.carried import CarriedColumn
    from builder.domain.rejection import ContractFault


class Carrier:
    """The values of the carried columns of one batch; the contract does not judge them.

    Attributes:
        rest: the batch without the carried columns. Members of JSON records are taken out by ``take``.
    """

    def __init__(
        self, batch: pa.RecordBatch, columns: Sequence[CarriedColumn], renames: Mapping[str, str]
    ) -> None:
        self._columns, self.rest = columns, batch
        self._values: dict[int, dict[str, Any]] = {}
        self._arrays: list[pa.Array] | None = None
        if columns and RAW not in batch.schema.names:
            came = {new: path for path, new in renames.items()}
            places = [c.name if c.name in batch.schema.names else came.get(c.name, c.name) for c in columns]
            found = [column_at(batch, place) for place in places]
            self._arrays = [
                carried_array(array, column, batch.num_rows)
                for array, column in zip(found, columns, strict=True)
            ]
            self.rest = batch.drop_columns([place for place in places if place in batch.schema.names])

    def take(self, row: int, record: dict[str, Any]) -> dict[str, Any]:
        """Take the carried members out of a record of JSON; return the rest of it."""
        if not self._columns or self._arrays is not None:
            return record
        rest = dict(record)
        self._values[row] = {c.name: take_member(rest, c.name)[1] for c in self._columns}
        return rest

    def arrays(self, rows: Sequence[int]) -> tuple[list[pa.Array], dict[int, tuple[ContractFault, ...]]]:
        """Return the carried columns of some rows, and the faults of rows whose values do not fit.

        A value does not fit if a number has no exact form; the array then does not have the row.
        """
        if self._arrays is not None:
            at = pa.array(rows, pa.int64())
            return [array.take(at) for array in self._arrays], {}
        if not self._columns:
            return [], {}
        schema = pa.schema([column.field for column in self._columns])
        return tabulate([self._values[row] for row in rows], schema)
