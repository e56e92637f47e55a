"""Tests of `Merges`: the verdicts of barriers, traced to the first spool and to past rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.row_numbers import BarrierOrMemory, FirstRows, MemoryRows, PastRows
from builder.pipeline.barriers import Merges, with_past_rows
from builder.protocols import Verdicts

N_PAST = 40


def as_array(numbers: list[int]) -> np.ndarray:
    return np.asarray(numbers, np.int64)


@st.composite
def stages(draw: st.DrawFn) -> tuple[int, list[tuple[list[int], list[int], list[int], list[int]]]]:
    """Draw the number of rows, and for each stage its rows, their keepers, what they replace, and its memory.

    A row is merged into an earlier row or into a row of the memory. A merged row reaches no later stage.
    """
    n_rows = draw(st.integers(1, 12))
    there = list(range(n_rows))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        memory = sorted(draw(st.sets(st.integers(0, N_PAST - 1), max_size=6)))
        keeper, replaces = [], []
        for row in range(len(there)):
            stays = [r for r in range(row) if keeper[r] == r]
            old = [-2 - k for k in range(len(memory))]
            keeper.append(draw(st.sampled_from([row, -1, *stays, *old])))
            is_new = keeper[-1] == row and bool(memory)
            replaces.append(draw(st.integers(-1, len(memory) - 1)) if is_new else -1)
        found.append((list(there), keeper, replaces, memory))
        there = [one for row, one in enumerate(there) if keeper[row] in (row, -1)]
    return n_rows, found


@given(stages())
def test_merges_are_traced_to_the_last_keeper(case: tuple[int, list[tuple[list[int], ...]]]) -> None:
    """The slow twin has a dictionary of merges, with past rows by name."""
    n_rows, found = case
    merges = Merges.none(n_rows)
    into: dict[int, int | str] = {}
    replaced: dict[int, int] = {}
    for there, keeper, replaces, memory in found:
        answer = Verdicts(
            keeper=BarrierOrMemory(as_array(keeper)),
            similarity=np.full(len(keeper), np.nan),
            reason="same",
            replaces=MemoryRows(as_array(replaces)),
        )
        merges.note(
            "stage", with_past_rows(answer, PastRows(as_array(memory))), rows=FirstRows(as_array(there))
        )
        for row, one in enumerate(keeper):
            if one <= -2:
                into[there[row]] = f"past {memory[-2 - one]}"
            elif one not in (-1, row):
                into[there[row]] = there[one]
            if replaces[row] >= 0:
                replaced[there[row]] = memory[replaces[row]]

    def end(row: int | str) -> int | str:
        return end(into[row]) if row in into else row  # type: ignore[index]

    def named(number: int) -> int | str:
        return f"past {-2 - number}" if number <= -2 else number

    assert {row: named(n) for row, n in enumerate(merges.into.tolist()) if n != -1} == into
    assert [named(n) for n in merges.last.tolist()] == [end(row) for row in range(n_rows)]
    assert {row: n for row, n in enumerate(merges.replaces.tolist()) if n != -1} == replaced
    assert merges.replaced.tolist() == sorted(set(replaced.values()))
