"""A stage of one's own against the filters of ``datasets`` and datatrove: the same function of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import Bench, ours, theirs
from benchmarks.environments import own
from benchmarks.measure import Measured, compare, in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Run

RULES = {
    "words": "100 words or more; the function takes most of the time",
    "characters": "1,000 characters or more; the function takes no time",
}


def measure(bench: Bench) -> list[Measured]:
    """Measure a row filter against each tool that is there, and a batch stage against the row filter."""
    return [row for rule in RULES for row in _measure_rule(bench, rule)]


def _measure_rule(bench: Bench, rule: str) -> list[Measured]:
    others: dict[str, Callable[[], Run]] = {
        "datasets.filter, which writes row numbers": lambda: theirs(
            own(), "datasets_filter.py", rule, bench.parquet, "numbers"
        ),
        "datasets.filter and flatten_indices, which writes rows": lambda: theirs(
            own(), "datasets_filter.py", rule, bench.parquet, "rows"
        ),
    }
    if tool := bench.peer("datatrove"):
        others["datatrove's LambdaFilter"] = lambda: theirs(tool, "datatrove_filter.py", rule, bench.parquet)
    rows = [_row(bench, rule, "by-row", against=name, other=other) for name, other in others.items()]
    by_row = lambda: ours(f"{rule}-by-row", bench.parquet, bench.folder)  # noqa: E731
    return [*rows, _row(bench, rule, "by-batch", against="the `RowFilter`", other=by_row)]


def _row(bench: Bench, rule: str, kind: str, *, against: str, other: Callable[[], Run]) -> Measured:
    pairs = in_turn(lambda: ours(f"{rule}-{kind}", bench.parquet, bench.folder), other, rounds=bench.rounds)
    mine, found = pairs[-1]
    kept = f"{mine.told['kept']:,} of {mine.told['documents']:,} documents kept"
    note = (
        f"{kept}, the other {found.told['kept']:,}; documents are in memory, inside the processes, one core"
    )
    what = f"`{'RowFilter' if kind == 'by-row' else 'BatchStage'}`, {RULES[rule]}"
    return compare(pairs, what=what, against=against, aim="faster", at_least=1.0, note=note)
