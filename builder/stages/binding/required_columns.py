"""The columns that a stage cannot do without: a fault for each that is missing or of the wrong type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from builder.errors import Fault

if TYPE_CHECKING:
    from builder.protocols import Resources


def text_column_faults(stage: str, schema: pa.Schema, resources: Resources, *, purpose: str) -> list[Fault]:
    """Find what is wrong with the text column for a stage that reads texts; empty if nothing is.

    Args:
        purpose: what the stage wants the text for, as a verb.
    """
    name = resources.columns.text
    if name is None or name not in schema.names:
        what = f"there is no column of text to {purpose}"
    elif not (pa.types.is_string(kind := schema.field(name).type) or pa.types.is_large_string(kind)):
        what = f"the column {name!r} is not text but {kind}"
    else:
        return []
    advice = "put extract_text before it, or say which it is with columns: {text: NAME}"
    return [Fault(where=stage, what=what, advice=advice)]


def contract_column_faults(stage: str, schema: pa.Schema, resources: Resources, *parts: str) -> list[Fault]:
    """Find the parts (``html``, ``text``, ``url``) for which the contract has no column."""
    return [
        Fault(
            where=stage,
            what=f"the contract has no column of {'URLs' if part == 'url' else part}",
            advice=f"say which it is with columns: {{{part}: NAME}}, or leave the stage out",
        )
        for part in parts
        if getattr(resources.columns, part) not in schema.names
    ]
