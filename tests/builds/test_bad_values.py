"""Whole builds with bad values: cells are counted, shares are limited, and unused columns cost nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import builder, write_recipe
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Recipe, build, verify
from builder.errors import TooManyNulledError
from builder.operations.check import check

Make = Callable[..., BuildResult]
WHEN = "2024-05-01T10:00:00Z"


def page(number: int, **members: Any) -> dict[str, Any]:
    return {"url": f"https://a.example/{number}", "text": sentence(number), **members}


def rows_of(result: BuildResult) -> list[dict[str, Any]]:
    files = sorted((result.corpus / result.version / "data").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_bad_values_are_counted_by_pointer(make: Make, tmp_path: Path) -> None:
    """Result, manifest and ledger state them, for any number of workers and any batch size."""
    given = [page(i, fetched_at=WHEN if i % 3 else "soon", status="x" if i == 4 else 200) for i in range(30)]
    write_lines(tmp_path / "feed/a.jsonl", given)
    result = make(splits={"train": 1.0})
    assert result.outcomes["kept"] == 30
    assert result.nulled == {"/fetched_at": 10, "/status": 1}
    manifest = json.loads((result.corpus / result.version / "manifest.json").read_bytes())
    assert manifest["counts"]["nulled"] == {"/fetched_at": 10, "/status": 1}
    assert [row["fetched_at"] is None for row in rows_of(result)] == [i % 3 == 0 for i in range(30)]
    messages = [row["message"] for row in ledger_of(result)]
    assert messages[0] == '/fetched_at was made null (format: "soon")'
    assert messages[1] is None
    assert verify(result.corpus).clean
    again = make(corpus="again", splits={"train": 1.0}, workers=2, batch_rows=7)
    assert again.digest == result.digest


def test_a_further_version_counts_only_its_own_cells(make: Make, tmp_path: Path) -> None:
    """A build that is repeated finds nothing new; an addition states what it made null."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1, fetched_at="soon"), page(2)])
    first = make()
    assert make().nothing_new
    write_lines(tmp_path / "feed/b.jsonl", [page(3, title=7)])
    second = make()
    assert (first.nulled, second.nulled) == ({"/fetched_at": 1}, {"/title": 1})


@pytest.mark.parametrize(("share", "passes"), [(0.5, True), (0.49, False), (0.0, False)])
def test_max_nulled_is_a_share_of_the_records_in_one_column(
    share: float, passes: bool, make: Make, tmp_path: Path
) -> None:
    """Above it, no version is written, and the fault names the column."""
    write_lines(tmp_path / "feed/a.jsonl", [page(i, fetched_at="soon" if i % 2 else WHEN) for i in range(10)])
    if passes:
        assert make(max_nulled=share).version == "1.0.0"
        return
    with pytest.raises(TooManyNulledError) as caught:
        make(max_nulled=share)
    assert caught.value.faults[0].where == "/fetched_at"
    assert caught.value.exit_status == 3
    assert not (tmp_path / "corpus" / "1.0.0").exists()


def test_a_stage_that_needs_a_column_keeps_the_strict_rule(make: Make, tmp_path: Path) -> None:
    """`dedup_url` needs the URL; without it, a bad URL costs only the cell."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1), {"url": 7, "text": sentence(2)}])
    strict = make(stages=["validate", "dedup_url"])
    assert (strict.outcomes["rejected"], strict.nulled) == (1, {})
    lenient = make(stages=["validate"], corpus="other")
    assert (lenient.outcomes["rejected"], lenient.nulled) == (0, {"/url": 1})


def test_on_bad_value_reject_is_an_option_of_the_recipe(make: Make, tmp_path: Path) -> None:
    """A contract of your own has this rule by default."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1), page(2, title=7)])
    assert make(recipe={"on_bad_value": "reject"}).outcomes["rejected"] == 1
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "title": {"type": "string"}}}
    (tmp_path / "own.schema.json").write_text(json.dumps(schema))
    own = {"contract": "own.schema.json"}
    assert make(recipe=own, corpus="own", stages=["validate"]).outcomes["rejected"] == 1
    result = make(recipe={**own, "on_bad_value": "nullify"}, corpus="own-2", stages=["validate"])
    assert (result.outcomes["rejected"], result.nulled) == (0, {"/title": 1})


def test_check_reports_what_a_build_makes_null(tmp_path: Path) -> None:
    """The sample has the same rule as the build."""
    write_lines(tmp_path / "a.jsonl", [page(i, fetched_at="soon") for i in range(3)])
    document = {"name": "t", "sources": [{"jsonl": {"path": "a.jsonl"}}], "corpus": "out"}
    found = check(Recipe.from_dict(document, folder=tmp_path), workers=1)
    assert found.estimate.nulled == {"/fetched_at": 3}


@pytest.mark.parametrize(
    "values", [[float("nan"), 1.0], [b"\xd8" * 16, b"\xff"], [{"a": float("inf")}, None]]
)
def test_an_unused_column_of_parquet_costs_no_row(values: list[Any], tmp_path: Path) -> None:
    """page-1 does not publish other columns, so nothing decodes them."""
    table = pa.table(
        {"url": ["https://a.example/1", "https://a.example/2"], "text": ["One.", "Two."], "x": values}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    document = {"name": "t", "sources": [{"parquet": {"path": "a.parquet"}}], "corpus": "out"}
    result = build(Recipe.from_dict(document, folder=tmp_path), workers=1)
    assert (result.outcomes["kept"], result.nulled) == (2, {})


def test_the_command_warns_above_five_percent_and_exits_with_3_above_the_limit(tmp_path: Path) -> None:
    """People read the share of each column; scripts read `nulled` or the exit status."""
    bad = [{"title": 7, "date": 7}, {"title": 7}]
    write_lines(tmp_path / "a.jsonl", [page(i, **(bad[i] if i < 2 else {})) for i in range(20)])
    recipe = write_recipe(tmp_path, [{"jsonl": {"path": "a.jsonl"}}], stages=["validate"])
    done = builder("build", recipe, "--workers", "1")
    assert done.returncode == 0, done.stderr
    shown = "warning: /title was made null in 2 records (10.0%)\n/date was made null in 1 record (5.0%)"
    assert shown in done.stdout
    done = builder("build", recipe, "--workers", "1", "--set", "corpus=other", "--max-nulled", "5%", "--json")
    assert done.returncode == 3
    assert [fault["where"] for fault in json.loads(done.stdout)["faults"]] == ["/title"]
