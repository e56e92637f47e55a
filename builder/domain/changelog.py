"""Describe what a version changed, for its manifest and for the cards of later versions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from builder.domain.version import Changes, SplitChanges, kept_out_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Reason: TypeAlias = tuple[str, str, str]
"""Outcome, stage and reason of a ledger row."""
Why: TypeAlias = Literal["taken_down", "duplicate", "source_gone", "not_valid", "unknown"]

WHY: Mapping[Why, str] = {
    "taken_down": "taken down",
    "duplicate": "now a duplicate",
    "source_gone": "source gone",
    "not_valid": "no longer valid",
    "unknown": "not told by a ledger",
}
"""The reasons why rows were removed, in words."""

_TAKEN_DOWN = frozenset({"taken_down", "tombstone"})


def why_removed(because: Reason | None) -> Why:
    """Map the reason in a ledger to a key of ``WHY``; None means that no ledger has a reason.

    >>> why_removed(("merged", "dedup_near", "near_duplicate")), why_removed(None)
    ('duplicate', 'unknown')
    """
    if because is None:
        return "unknown"
    outcome, stage, reason = because
    if stage == "takedown" or reason in _TAKEN_DOWN:
        return "taken_down"
    if reason == "source_gone":
        return "source_gone"
    return "duplicate" if outcome == "merged" else "not_valid"


def changes_document(changes: Changes, removed: Mapping[Reason | None, int]) -> dict[str, Any]:
    """Return the changes since the parent as a manifest stores them; unchanged splits are left out.

    Args:
        removed: number of removed rows by the reason in the ledger; None if no ledger has a reason.
    """
    unchanged = SplitChanges()
    ordered = sorted(removed.items(), key=lambda item: (-item[1], item[0] or ("", "", "")))
    return {
        "splits": {
            name: dataclasses.asdict(split) for name, split in changes.splits.items() if split != unchanged
        },
        "removed": [
            dict(zip(("outcome", "stage", "reason"), because or (None, None, None), strict=True))
            | {"rows": n}
            for because, n in ordered
        ],
        "columns": [*changes.broken_columns, *(f"column {name} was added" for name in changes.added_columns)],
        **({"kept_out": changes.kept_out} if changes.kept_out else {}),
    }


def change_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a version changed: a line for each split, one for removed rows, and one for each column.

    >>> grown = changes_document(Changes(splits={"train": SplitChanges(added=1200, removed=1)}), {None: 1})
    >>> list(change_lines(grown))
    ['train: 1,200 added, 1 removed', 'removed: 1 not told by a ledger']
    """
    for name, counts in document["splits"].items():
        parts = [f"{counts[fact]:,} {fact}" for fact in _FACTS if counts[fact]]
        yield f"{name}: {', '.join(parts)}"
    reasons: dict[str, int] = {}
    for one in document["removed"]:
        because = None if one["outcome"] is None else (one["outcome"], one["stage"], one["reason"])
        text = WHY[why_removed(because)]
        reasons[text] = reasons.get(text, 0) + one["rows"]
    if reasons:
        yield "removed: " + ", ".join(f"{rows:,} {text}" for text, rows in reasons.items())
    yield from document["columns"]
    if n := document.get("kept_out"):
        yield kept_out_text(n)


_FACTS = ("added", "removed", "changed", "moved", "reordered")
