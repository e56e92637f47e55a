"""The laws of versions, over generated corpora of a few records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from version_laws import (
    LEAST_SHARE,
    check_appending,
    check_crawling,
    check_taking_down,
    corpora,
    crawls,
    seen,
)

thorough = settings(max_examples=700, suppress_health_check=[HealthCheck.too_slow])

quick = settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(corpora, corpora)
def test_appending_gives_the_same_splits_as_building_at_once(first: list[Any], more: list[Any]) -> None:
    """Otherwise a corpus would depend on when its inputs arrived."""
    check_appending(first, more)


FEW_WORDS = [{"url": "https://example.org/6", "text": "One  two!", "fetched_at": None}]


@quick
@given(corpora, corpora, st.integers(0, 12))
@example(FEW_WORDS, [{"url": None, "text": "one two", "fetched_at": None}] * 2, 0)
def test_a_tombstone_acts_as_a_keeper_that_is_not_published(
    first: list[Any], more: list[Any], which: int
) -> None:
    """A record that would be merged into the page is rejected by its tombstone."""
    check_taking_down(first, more, which)


@quick
@given(crawls)
def test_a_recrawl_changes_no_row_without_a_ledger_row(several: list[list[Any]]) -> None:
    """Users who compare two versions can explain each change from the ledger."""
    check_crawling(several)


@pytest.mark.long
@pytest.mark.parametrize("law", ["appending", "taking down", "crawling"])
def test_laws_hold_for_many_corpora(law: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At least one corpus in five has the case that its law is about; the others would pass any law."""
    seen.clear()
    laws = {
        "appending": given(corpora, corpora)(check_appending),
        "taking down": given(corpora, corpora, st.integers(0, 12))(check_taking_down),
        "crawling": given(crawls)(check_crawling),
    }
    thorough(laws[law])()
    shares = {name: n / seen["corpora"] for name, n in seen.items() if name != "corpora"}
    with capsys.disabled():
        print(f"\n{law}: {seen['corpora']} corpora, {shares}")  # noqa: T201 - each run reports
    assert shares
    assert all(share >= LEAST_SHARE for share in shares.values())
