"""Ask a second detector about texts, one at a time, under the guard of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.domain.record import RECORD
from builder.stages.identification.cld2 import find_language
from builder.stages.identification.same_language import base_language

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pyarrow as pa

    from builder.protocols import Guard

_LIMIT_S = 60.0


def find_disagreements(
    batch: pa.RecordBatch,
    texts: pa.Array,
    languages: Sequence[str],
    *,
    rows: Collection[int],
    stage: str,
    guard: Guard,
) -> dict[int, dict[str, Any]]:
    """Return a fault for each of ``rows`` in which CLD2 does not find the same language."""
    faults: dict[int, dict[str, Any]] = {}
    for row in rows:
        ordinal = batch.column(RECORD)[row]["ordinal"].as_py()
        refused = guard.enter(stage, ordinal, limit_s=_LIMIT_S)
        if refused is not None:
            limit = f"{_LIMIT_S:g} s" if refused == "timeout" else None
            faults[row] = {"reason": refused, "outcome": "failed", "limit": limit}
            continue
        try:
            other = find_language(texts[row].as_py())
        finally:
            guard.leave()
        if base_language(other) != base_language(languages[row]):
            faults[row] = {
                "reason": "language_disagreement",
                "value": other,
                "limit": languages[row],
                "message": f"cld2 finds {other}, the model {languages[row]}",
            }
    return faults
