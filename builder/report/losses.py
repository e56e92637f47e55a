"""Format what records were lost for: outcomes by stage and reason, and contract faults by rule and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.domain.fault_groups import FaultGroup
    from builder.release.losses import LossMessage, UnreadableFile

MAX_GROUPS_SHOWN = 20
"""Maximum number of groups of faults to show; ``--json`` lists all."""

MAX_FILES_SHOWN = 10
"""Maximum number of unreadable files to show; ``--json`` lists all."""

MAX_MESSAGES_SHOWN = 10
"""Maximum number of messages to show; ``--json`` lists all."""

_MAX_EXAMPLE_CHARS = 60
_MAX_MESSAGE_CHARS = 300


def outcome_lines(reasons: Sequence[tuple[tuple[str, str, str], int]]) -> list[str]:
    """Return the table of the records that were not kept, by outcome, stage and reason."""
    if not reasons:
        return ["all records were kept"]
    rows = [[outcome, stage, reason, n] for (outcome, stage, reason), n in reasons]
    return table_lines(rows, header=["outcome", "stage", "reason", "records"])


def fault_lines(groups: Sequence[FaultGroup]) -> list[str]:
    """Return the table of contract faults, with one example for each; empty without a fault."""
    if not groups:
        return []
    rows = [
        [one.rule, one.pointer or "(record)", one.count, _example(one)] for one in groups[:MAX_GROUPS_SHOWN]
    ]
    header = ["contract fault", "place", "records", "example"]
    return [*table_lines(rows, header=header), *_more(len(groups) - MAX_GROUPS_SHOWN, "more kind")]


def unreadable_lines(files: Sequence[UnreadableFile]) -> list[str]:
    """Return one line for each file of which nothing could be read."""
    if not files:
        return []
    lines = [
        f"  {one.source}/{one.path}: {one.reason}" + (f": {one.message}" if one.message else "")
        for one in files[:MAX_FILES_SHOWN]
    ]
    head = f"{counted(len(files), 'file')} cannot be read at all; the number of records in it is unknown:"
    return [head, *lines, *_more(len(files) - MAX_FILES_SHOWN, "more file")]


def message_lines(messages: Sequence[LossMessage], files: Sequence[UnreadableFile]) -> list[str]:
    """Return one line for the first record of each reason that says more than its reason; no file twice."""
    shown = {(one.reason, one.message) for one in files}
    left = [one for one in messages if (one.reason, one.message) not in shown]
    if not left:
        return []
    lines = [
        f"  {one.reason}: {one.record_id}: {one.message[:_MAX_MESSAGE_CHARS]}"
        for one in left[:MAX_MESSAGES_SHOWN]
    ]
    head = "the first record of each reason, and what it says:"
    return [head, *lines, *_more(len(left) - MAX_MESSAGES_SHOWN, "more reason")]


def _example(group: FaultGroup) -> str:
    if group.example is None:
        return f"{group.limit} is missing" if group.limit else ""
    if group.example == "{}" and not group.pointer:
        return "no field that the contract has"
    return (
        group.example
        if len(group.example) <= _MAX_EXAMPLE_CHARS
        else group.example[:_MAX_EXAMPLE_CHARS] + "…"
    )


def _more(left: int, noun: str) -> list[str]:
    return [f"  {counted(left, noun)} (use --json to list all)"] if left > 0 else []
