"""The limit on the steps of ``repair_text``, which are counted and do not depend on the clock."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from builder.stages.repair import work
from builder.stages.repair.column import RepairedColumn, repair_column
from builder.stages.repair.rules import Options, fix_bytes
from builder.stages.repair.work import CALL_STEPS, MAX_STEPS, Work
from builder.stages.repair_text import RepairText

OFF = Options(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)


def repaired(text: str) -> RepairedColumn:
    return repair_column(pa.array([text, "café &amp;"]), options=OFF)


def steps_of(text: str) -> int:
    done = Work()
    fix_bytes(memoryview(text.encode()), is_html=False, options=OFF, work=done)
    return done.n_steps


@pytest.mark.parametrize("text", ["Ã©tÃ© " * 20, "&amp;amp;amp;", "x" * 3_000 + "Ã©"])
def test_a_text_at_the_limit_is_repaired_and_one_step_more_fails(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each document has its own count, so the next document is repaired. A cached line counts the same."""
    n_steps = steps_of(text)
    for _ in ("first", "cached"):
        monkeypatch.setattr(work, "MAX_STEPS", n_steps)
        assert repaired(text).refused == {}
        monkeypatch.setattr(work, "MAX_STEPS", n_steps - 1)
        found = repaired(text)
        assert found.refused == {0: "too_much_repair"}
        assert found.column.to_pylist()[1] == "café &"


def test_a_round_costs_one_step_for_each_character_and_a_constant() -> None:
    """Mojibake: one round that repairs it, one that finds no more, and both again for the check."""
    assert steps_of("Ã©") == 3 * (2 + CALL_STEPS) + 2 * (1 + CALL_STEPS)


def test_a_text_that_would_take_hours_is_a_failed_row(pages: Any, resources: Any, guard: Any) -> None:
    """Each round removes one of the 300,000 layers of escapes, and passes over the whole text."""
    text = "&" + "amp;" * 300_000
    outcome = RepairText().apply(pages(text=["a", text, "b "]), resources=resources, guard=guard)
    (rejected,) = outcome.rejected.to_pylist()
    assert (rejected["reason"], rejected["outcome"], rejected["limit"]) == (
        "too_much_repair",
        "failed",
        str(MAX_STEPS),
    )
    assert outcome.kept["text"].to_pylist() == ["a", "b"]
