"""The funnel at the end of `build` and `check`: numbers that add up, in 80 columns, with any encoding."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.report.bars.bar import bar, cut_end
from builder.report.bars.funnel import funnel_lines

STAGES = ("validate", "filter", "dedup_near")
REASONS = st.lists(
    st.tuples(
        st.tuples(
            st.sampled_from(["rejected", "merged", "failed"]),
            st.sampled_from([*STAGES, "jsonl", "publishable"]),
            st.sampled_from(["a", "b"]),
        ),
        st.integers(1, 10**9),
    ),
    unique_by=lambda one: one[0],
)


def _numbers(line: str) -> list[int]:
    words = [word.replace(",", "") for word in line.split()[1:]]
    return [int(word) for word in words if word.isdigit()]


@given(reasons=REASONS, n_kept=st.integers(0, 10**9))
def test_every_record_leaves_at_a_stage_or_is_kept(
    reasons: list[tuple[tuple[str, str, str], int]], n_kept: int
) -> None:
    """The dropped records of all lines and the kept ones are the records that were read."""
    n_records = n_kept + sum(n for _, n in reasons)
    lines = funnel_lines(reasons, n_records=n_records, stages=STAGES, sources=["jsonl"])
    if not n_records:
        assert lines == []
        return
    numbers = [_numbers(line) for line in lines[1:]]
    assert numbers[0] == [n_records]
    assert numbers[-1] == [n_kept]
    assert sum(one[0] for one in numbers if len(one) == 2) == n_records - n_kept
    assert all(len(line) <= 80 for line in lines)


def test_the_funnel_lists_each_stage_with_what_it_dropped() -> None:
    """A source is listed only if it lost records; a stage is always listed."""
    reasons = [(("rejected", "filter", "words_below"), 25), (("merged", "dedup_near", "near_duplicate"), 50)]
    lines = funnel_lines(reasons, n_records=100, stages=STAGES, sources=["jsonl"])
    assert [line.replace("█", "#").rstrip("#").split() for line in lines] == [
        ["stage", "dropped", "of", "all", "left"],
        ["read", "100"],
        ["validate", "100"],
        ["filter", "25", "25.0%", "75"],
        ["dedup_near", "50", "50.0%", "25"],
        ["kept", "25"],
    ]
    lengths = [line.replace("█", "#").count("#") for line in lines[1:]]
    assert lengths[1] == lengths[0]
    assert lengths[2] == pytest.approx(0.75 * lengths[0], abs=1)
    assert lengths[3] == lengths[4] == pytest.approx(0.25 * lengths[0], abs=1)


def test_an_output_in_ascii_gets_bars_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """An escape in place of each block would make lines of any length."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    lines = funnel_lines([], n_records=3, stages=["a" * 40], sources=[])
    assert "".join(lines).isascii()
    assert all(len(line) <= 80 for line in lines)


def test_a_name_with_control_characters_is_cut_where_it_is_shown() -> None:
    """The escapes are what has a width."""
    assert len(cut_end("\x1b]0;owned\x07" * 9, width=22)) == 22
    assert bar(float("nan"), width=9) == ""
