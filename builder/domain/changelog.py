"""What a version changed, as its manifest keeps it and as cards of later versions tell it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from builder.domain.version import Changes, SplitChanges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Reason: TypeAlias = tuple[str, str, str]
"""Outcome, stage and reason of a ledger."""
Why: TypeAlias = Literal["taken_down", "duplicate", "source_gone", "not_valid", "unknown"]

WHY: Mapping[Why, str] = {
    "taken_down": "taken down",
    "duplicate": "now a duplicate",
    "source_gone": "source gone",
    "not_valid": "no longer valid",
    "unknown": "not told by a ledger",
}
"""Why rows were removed, for people."""

_TAKEN_DOWN = frozenset({"taken_down", "tombstone"})


def why_removed(because: Reason | None) -> Why:
    """Sort what a ledger says into the reasons that a reader of a dataset asks for; None if it says nothing.

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
    """Return what a manifest keeps of the changes since the parent; splits without any are left out.

    Args:
        removed: removed rows by what the ledger says; None where it says nothing.
    """
    quiet = SplitChanges()
    ordered = sorted(removed.items(), key=lambda item: (-item[1], item[0] or ("", "", "")))
    return {
        "splits": {
            name: dataclasses.asdict(split) for name, split in changes.splits.items() if split != quiet
        },
        "removed": [
            dict(zip(("outcome", "stage", "reason"), because or (None, None, None), strict=True))
            | {"rows": n}
            for because, n in ordered
        ],
        "columns": [*changes.broken_columns, *(f"column {name} was added" for name in changes.added_columns)],
    }


def change_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Tell what a version changed, a line for each split, for why rows were removed, and for columns.

    >>> grown = changes_document(Changes(splits={"train": SplitChanges(added=1200, removed=1)}), {None: 1})
    >>> list(change_lines(grown))
    ['train: 1,200 added, 1 removed', 'removed: 1 not told by a ledger']
    """
    for name, counts in document["splits"].items():
        told = [f"{counts[fact]:,} {fact}" for fact in _FACTS if counts[fact]]
        yield f"{name}: {', '.join(told)}"
    reasons: dict[str, int] = {}
    for one in document["removed"]:
        because = None if one["outcome"] is None else (one["outcome"], one["stage"], one["reason"])
        text = WHY[why_removed(because)]
        reasons[text] = reasons.get(text, 0) + one["rows"]
    if reasons:
        yield "removed: " + ", ".join(f"{rows:,} {text}" for text, rows in reasons.items())
    yield from document["columns"]


_FACTS = ("added", "removed", "changed", "moved", "reordered")
