"""Draw the way of the records through the stages: how many each stage dropped, and how many are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from builder.card.facts import Count
from builder.card.funnel import funnel
from builder.report.bars.bar import WIDTH, bar, cut_end

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_NAME = 22
_HEADER = ("stage", "dropped", "of all", "left")


def funnel_lines(
    reasons: Sequence[tuple[tuple[str, str, str], int]],
    *,
    n_records: int,
    stages: Sequence[str],
    sources: Sequence[str],
) -> list[str]:
    """Return a line for the records that were read, for each stage, and for the kept records.

    Shares are those of all records. A bar is as long as the share of the records that are left.

    Args:
        reasons: ((outcome, stage, reason), records), as a build counts them.
        n_records: the records that were read, with all outcomes.
        stages: the names of the stages in the order of the chain.
        sources: the names under which sources reject records.
    """
    if not n_records:
        return []
    counts = [
        Count(stage=stage, reason=reason, outcome=cast("Any", outcome), records=n)
        for (outcome, stage, reason), n in reasons
    ]
    steps = funnel(n_records, stages, counts, sources=sources)
    rows = [("read", 0, n_records)]
    reading = steps[:1] if sources else []
    shown = [step for step in steps if step.came > step.went_on or step not in reading]
    rows += [(step.stage, step.came - step.went_on, step.went_on) for step in shown]
    rows += [("kept", 0, steps[-1].went_on if steps else n_records)]
    cells = [
        (
            cut_end(name, width=_MAX_NAME),
            f"{gone:,}" if gone else "",
            percent_text(gone, n_records),
            f"{left:,}",
        )
        for name, gone, left in rows
    ]
    widths = [max(len(row[i]) for row in (_HEADER, *cells)) for i in range(len(_HEADER))]
    room = WIDTH - sum(widths) - 2 * len(widths)
    lines = [_line(_HEADER, widths, "")]
    lines += [
        _line(row, widths, bar(left / n_records, width=room))
        for row, (_, _, left) in zip(cells, rows, strict=True)
    ]
    return lines


def percent_text(n: int, total: int) -> str:
    """Return a share in percent; empty without a record.

    >>> percent_text(1, 8), percent_text(1, 100_000), percent_text(0, 8)
    ('12.5%', '<0.1%', '')
    """
    if not n:
        return ""
    share = n / total
    return "<0.1%" if share < 0.0005 else f"{share:.1%}"


def _line(row: Sequence[str], widths: Sequence[int], drawn: str) -> str:
    name, *numbers = row
    cells = [name.ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([*cells, drawn]).rstrip()
