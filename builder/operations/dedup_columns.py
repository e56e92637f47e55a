"""Check that the files of ``dedup`` have the column with the text, before all of them are read."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from builder.domain.contract.incoming import raw_records
from builder.domain.json.exact import Parsed
from builder.domain.json.text import parse
from builder.domain.record import RAW
from builder.engines.guard import NullGuard
from builder.errors import Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.protocols import Source

_RECORDS = 1_000
"""Records of each input to look at."""

_SHOWN = 20


def check_column(sources: Sequence[Source], column: str) -> None:
    """Look for a column in the first records of each input.

    Raises:
        RecipeError: for each input that has records, but none with the column. The fault lists the columns.
    """
    faults = []
    for source in sources:
        names = _first_columns(source)
        if names and column not in names:
            close = get_close_matches(column, names, n=1)
            hint = f"did you mean --column {close[0]}? " if close else "name it with --column; "
            faults.append(
                Fault(
                    where=source.inputs()[0].name,
                    what=f"has no column {column!r} in its first records",
                    advice=f"{hint}the columns are {', '.join(names[:_SHOWN])}",
                )
            )
    if faults:
        raise RecipeError(*faults)


def _first_columns(source: Source) -> list[str]:
    """List the columns of the first batch of a source in their order; empty without a record."""
    for task in source.tasks():
        for reading in source.read(task, guard=NullGuard(), batch_rows=_RECORDS):
            if not reading.batch.num_rows:
                continue
            if RAW not in reading.batch.schema.names:
                return [name for name in reading.batch.schema.names if not name.startswith("_")]
            names: dict[str, None] = {}
            for record in raw_records(reading.batch.column(RAW)):
                parsed = parse(record)
                if isinstance(parsed, Parsed) and isinstance(parsed.value, dict):
                    names.update(dict.fromkeys(parsed.value))
            if names:
                return list(names)
    return []
