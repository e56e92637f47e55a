"""Builds with the stages ``signals`` and ``filter``: verdicts, counts, explanations and further versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import ledger_of, pages, write_lines

from builder import BuildResult
from builder.errors import RecipeError
from builder.operations.why import why
from builder.report.build import summary_lines
from builder.report.rule_lines import rule_lines

Make = Callable[..., BuildResult]

STAGES: list[dict[str, Any]] = [
    {"validate": {}},
    {"repair_text": {}},
    {"signals": {"columns": ["words", "dup_5gram"]}},
    {"filter": {"words": {"min": 8}, "dup_5gram": {"max": 0.3}, "stop_words": {"max": 9}}},
]
SHORT = {"url": "https://example.org/short", "text": "Too short."}
AGAIN = {"url": "https://example.org/again", "text": "one and two and three and four. " * 9}


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    write_lines(tmp_path / "feed/a.jsonl", [*pages(20), SHORT, AGAIN])
    return tmp_path / "feed"


def test_a_build_gives_the_same_bytes_for_any_workers_and_batches(feed: Path, make: Make) -> None:
    """Neither the seed of a process nor the documents next to one reach a row."""
    calm = make(corpus="calm", stages=STAGES, workers=1)
    other = make(corpus="other", stages=STAGES, workers=2, batch_rows=3)
    assert calm.digest == other.digest
    assert calm.counts["filter.first.words_below"] == 1
    assert calm.counts == other.counts


def test_the_ledger_and_the_summary_explain_each_verdict(feed: Path, make: Make) -> None:
    """The ledger has reason, value and limit, and the message has all values; the summary has both counts."""
    result = make(stages=STAGES)
    rejected = {row["url"]: row for row in ledger_of(result) if row["outcome"] == "rejected"}
    short, again = rejected[SHORT["url"]], rejected[AGAIN["url"]]
    assert (short["stage"], short["reason"], short["value"], short["limit"]) == (
        "filter",
        "words_below",
        "2",
        "min 8",
    )
    assert short["message"] == "words 2, dup_5gram 0, stop_words 0"
    assert again["reason"] == "dup_5gram_above"
    (history,) = why(str(result.corpus), AGAIN["url"]).histories
    assert "dup_5gram 0." in history.records[0]["message"]
    assert rule_lines(result.counts)[1].split() == ["filter", "dup_5gram_above", "1", "1"]
    assert summary_lines(result)


def test_additions_equal_a_full_build(feed: Path, make: Make) -> None:
    """A document is judged alone, so an addition decides as a full build does."""
    first = make(stages=STAGES)
    write_lines(feed / "b.jsonl", [*pages(25)[20:], {**SHORT, "url": "https://example.org/short-too"}])
    added = make(stages=STAGES)
    full = make(corpus="full", stages=STAGES)
    decided = [{(row["url"], row["reason"]) for row in ledger_of(one)} for one in (first, added, full)]
    assert decided[0] | decided[1] == decided[2]
    assert ("https://example.org/short-too", "words_below") in decided[1]


def test_a_rule_on_signals_of_another_text_is_refused(feed: Path, make: Make) -> None:
    """``repair_text`` edits the text that ``signals`` measured."""
    late = [STAGES[0], STAGES[2], STAGES[1], STAGES[3]]
    with pytest.raises(RecipeError, match="'words' was measured before 'repair_text' edited the text"):
        make(stages=late)


def test_a_filter_can_repeat_under_another_name(feed: Path, make: Make) -> None:
    """The ledger and the counts have the name."""
    second = {"filter": {"name": "second", "any": [{"words": {"max": 3}}, {"dup_5gram": {"max": 0.3}}]}}
    result = make(stages=[*STAGES[:3], {"filter": {"words": {"min": 1}}}, second])
    rejected = [row for row in ledger_of(result) if row["outcome"] == "rejected"]
    assert [(row["stage"], row["reason"]) for row in rejected if row["url"] == AGAIN["url"]] == [
        ("second", "no_alternative")
    ]
    assert result.counts["second.alone.no_alternative"] == 1
