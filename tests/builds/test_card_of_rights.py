"""The card states what pages say about their use: the policy, the signals, and the licences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from reserving_sites import EARLY, LATE, OTHER, page, robots, run, run_stages

from builder import takedown
from builder.release import rights_facts

BY = "https://creativecommons.org/licenses/by/4.0/"


def section(result: Any) -> str:
    """Return the part of the card about rights; empty without one."""
    card = (result.corpus / result.version / "README.md").read_text()
    return card.partition("builder:begin rights -->")[2].partition("<!-- builder:end rights")[0]


def test_signals_are_counted_by_place_and_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page once, although it has two signals of one kind, and wherever a batch of the evidence ends."""
    usage = {"Content-Usage": "train-ai=y", "X-Robots-Tag": "noindex, noarchive"}
    result = run(tmp_path, robots(), page(), page("b.example", headers=usage), page("c.example"), OTHER)
    found = section(result)
    assert "| `robots` | `robots.txt` | no | yes | 1 |" in found
    assert "| `content_usage` | `header` | yes | yes | 1 |" in found
    assert "| `x_robots` | `header` | unknown | yes | 1 |" in found
    evidence = result.ledger.with_name("opt_out.parquet")
    counted = rights_facts._count_signals(evidence)
    rows = pq.read_table(evidence)
    pq.write_table(rows, tmp_path / "small.parquet", row_group_size=1)
    assert rights_facts._count_signals(tmp_path / "small.parquet") == counted


@pytest.mark.parametrize(
    ("options", "stated"),
    [
        ({}, "Pages that reserve the use are not in this dataset."),
        ({}, "those of the list of 2026-11"),
        ({}, "A page that no signal mentions is kept."),
        ({"silence": "drop"}, "A page that no signal mentions is rejected."),
        ({"silence": "drop", "mode": "tag"}, "A page that no signal mentions is kept."),
        ({"unreadable": "drop"}, "cannot be read, the page is rejected"),
        ({"mode": "tag"}, "the column `opt_out` has the answer"),
        ({"mode": "report"}, "pages that reserve the use are in this dataset"),
        ({"agents": ["CCBot", "x"]}, "must not be disallowed: `CCBot`, `x`"),
        ({"signals": ["robots"], "noindex": "drop"}, "count: `robots`; also `noindex` and `none`."),
        ({"later": "ignore"}, "no file counts"),
        ({"purposes": ["search"]}, "`opt_out` reads what sites and pages state about `search`"),
    ],
)
def test_the_card_states_the_policy(tmp_path: Path, options: dict[str, Any], stated: str) -> None:
    """What the recipe leaves out is stated as well."""
    allowed = page("b.example", headers={"Content-Usage": "train-ai=y, search=y"})
    assert stated in section(run(tmp_path, OTHER, allowed, **options))


def test_licences_are_counted_over_all_documents_of_a_version(tmp_path: Path) -> None:
    """Also those of the parent, and the place is given."""
    stages: list[Any] = [{"extract_text": {}}, {"license": {}}, {"dedup_url": {}}]
    first = page(head=f"<link rel=license href={BY}>")
    run_stages(tmp_path, first, OTHER, stages=stages)
    more = page("b.example", foot=f"<footer><a href={BY}>x</a></footer>")
    result = run_stages(tmp_path, more, page("c.example"), stages=stages, name="b")
    lines = [line for line in section(result).splitlines() if line.startswith("| ")]
    assert lines[1:] == [
        "| none |  | 2 |",
        "| `cc-by-4.0` | `footer_link` | 1 |",
        "| `cc-by-4.0` | `rel` | 1 |",
    ]


def test_a_card_without_these_stages_has_no_such_section(tmp_path: Path) -> None:
    """Nor has it a word about reservations."""
    result = run_stages(tmp_path, OTHER, stages=[{"extract_text": {}}])
    assert section(result) == ""


def test_a_takedown_states_the_policy_and_the_licences_that_are_left(tmp_path: Path) -> None:
    """It reads no page, so it has no signals to count."""
    stages: list[Any] = [{"extract_text": {}}, {"license": {}}, {"opt_out": {}}, {"dedup_url": {}}]
    licensed = page(head=f"<link rel=license href={BY}>", date=EARLY)
    run_stages(tmp_path, licensed, OTHER, robots(host="z.example", date=LATE), stages=stages)
    result = takedown(tmp_path / "out", urls=["https://a.example/x"], because="asked")
    card = (tmp_path / "out" / str(result.version) / "README.md").read_text()
    assert "those of the list of 2026-11" in card
    assert "Signals of the pages" not in card
    assert "| none |  | 1 |" in card
    assert "cc-by-4.0" not in card
