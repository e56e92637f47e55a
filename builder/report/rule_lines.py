"""Print how often each rule of a filter was the first to fire, and how often it would have fired alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.report.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST, _ALONE = ".first.", ".alone."


def rule_lines(counts: Mapping[str, int]) -> list[str]:
    """Return the table of the rules that fired, by stage, most documents first; empty without one.

    >>> rule_lines({"filter.first.words_below": 1, "filter.alone.words_below": 2})[1].split()
    ['filter', 'words_below', '1', '2']
    """
    rows: list[tuple[str, str, int, int]] = []
    for name, n_alone in counts.items():
        stage, found, rule = name.partition(_ALONE)
        if found and n_alone:
            rows.append((stage, rule, counts.get(f"{stage}{_FIRST}{rule}", 0), n_alone))
    rows.sort(key=lambda row: (row[0], -row[3], row[1]))
    return table_lines(rows, header=["filter", "rule", "first to fire", "alone"]) if rows else []
