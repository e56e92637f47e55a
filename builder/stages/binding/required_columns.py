"""Faults for required columns of a stage that are missing or have the wrong type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from builder.errors import Fault

if TYPE_CHECKING:
    from builder.protocols import Resources


def text_column_faults(stage: str, schema: pa.Schema, resources: Resources, *, purpose: str) -> list[Fault]:
    """Check the text column of a stage that reads texts; return an empty list if it is correct.

    Args:
        purpose: what the stage does with the text, as a verb.
    """
    name = resources.columns.text
    if name is None or name not in schema.names:
        what = f"the stage has no text column to {purpose}"
    elif not (pa.types.is_string(kind := schema.field(name).type) or pa.types.is_large_string(kind)):
        what = f"the column {name!r} must be text, but its type is {kind}"
    else:
        return []
    advice = "put extract_text before this stage, or name the text column with columns: {text: NAME}"
    return [Fault(where=stage, what=what, advice=advice)]


def contract_column_faults(stage: str, schema: pa.Schema, resources: Resources, *roles: str) -> list[Fault]:
    """Return a fault for each role (``html``, ``text``, ``url``) without a column in the contract."""
    return [
        Fault(
            where=stage,
            what=f"the contract has no column for {'URLs' if role == 'url' else role}",
            advice=f"name the column with columns: {{{role}: NAME}}, or remove the stage",
        )
        for role in roles
        if getattr(resources.columns, role) not in schema.names
    ]
