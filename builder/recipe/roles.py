"""Assign the columns of a contract to the roles of a page: text, HTML, URL, fetch time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from builder.errors import Fault, RecipeError
from builder.protocols import ROLES, Columns
from builder.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.domain.contract.contract import Contract


def assign_columns(named: Mapping[str, str | None], contract: Contract) -> Columns:
    """Assign a column to each role; the default is the column with the name of the role."""
    known = contract.columns.names
    faults = [
        Fault(
            where=f"columns.{role}", what=f"the contract has no column {name!r}", advice=nearest(name, known)
        )
        for role, name in named.items()
        if name is not None and name not in known and role != "id"
    ]
    if faults:
        raise RecipeError(*faults)
    columns = Columns.among(known, named=named)
    if faults := list(_type_faults(columns, named, contract)):
        raise RecipeError(*faults)
    return columns


def _type_faults(columns: Columns, named: Mapping[str, str | None], contract: Contract) -> Iterator[Fault]:
    """Find columns of a type that does not fit their role: text for texts and URLs, instants for times.

    Text is accepted as a fetch time that the recipe does not name: it is never read as an instant.
    """
    for role in ROLES:
        name = getattr(columns, role)
        if name is None:
            continue
        kind = contract.columns.field(name).type
        fits = pa.types.is_timestamp(kind) if role == "fetched_at" else kind == pa.string()
        if fits or (role == "fetched_at" and role not in named and kind == pa.string()):
            continue
        wanted = "a date-time (`format: date-time`)" if role == "fetched_at" else "text (`type: string`)"
        what = f"the column {name!r} must be {wanted}, but its type is {kind}"
        advice = f"name another column, or write columns: {{{role}: null}}"
        yield Fault(where=f"columns.{role}", what=what, advice=advice)
