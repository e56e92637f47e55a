"""Files as scrapers, databases and libraries export them, built with the recipe that a newcomer writes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builder import BuildResult, Recipe, build, dedup

EXPORTS = Path(__file__).resolve().parents[1] / "exports"
Make = Callable[..., "Built"]


class Built:
    """A corpus that was built: its published rows and its ledger."""

    def __init__(self, result: BuildResult) -> None:
        folder = result.corpus / result.version
        self.result = result
        self.rows: list[dict[str, Any]] = [
            row for path in sorted(folder.glob("data/*.parquet")) for row in pq.read_table(path).to_pylist()
        ]
        self.ledger: list[dict[str, Any]] = pq.read_table(result.ledger).to_pylist()

    def texts(self) -> dict[str, str]:
        return {row["url"]: row["text"] for row in self.rows}


@pytest.fixture
def export(tmp_path: Path) -> Make:
    """Return a function that builds the files of a folder in `tests/exports`."""

    def run(name: str, *sources: dict[str, Any], contract_text: Any = None, **recipe: Any) -> Built:
        shutil.copytree(EXPORTS / name, tmp_path / name)
        if contract_text is not None:
            (tmp_path / name / "c.schema.json").write_text(json.dumps(contract_text))
        document = {"name": "export", "sources": list(sources), "corpus": "corpus", **recipe}
        return Built(build(Recipe.from_dict(document, folder=tmp_path / name)))

    return run


def test_json_arrays_and_wrappers(export: Make) -> None:
    """Every element is a record; the wrapper needs a pointer, and an array is not JSON lines."""
    built = export(
        "json-array",
        {"json": {"path": "*.json"}},
        {"json": {"path": "firecrawl.json", "name": "firecrawl", "records": "/data/*",
                  "rename": {"markdown": "text", "metadata.sourceURL": "url"}}},
        {"jsonl": {"path": "scrapy.json", "name": "lines"}},
    )  # fmt: skip
    assert built.texts() == {
        "https://a.example/1": "Foo text here and more of it",
        "https://a.example/2": "Bar text, quite other words",
        "https://b.example/1": "First run of the spider",
        "https://b.example/2": "Second run of the spider",
        "https://c.example/1": "# One",
    }
    refused = {row["record_id"]: row["message"] for row in built.ledger if row["outcome"] != "kept"}
    assert refused.keys() == {"json/firecrawl.json@0", "lines/scrapy.json@0"}
    assert refused["json/firecrawl.json@0"].endswith("add records: /data/* to the source")
    assert "read it with a json source" in refused["lines/scrapy.json@0"]


def test_tables_of_pandas_and_spreadsheets(export: Make) -> None:
    """The column without a name is left out."""
    built = export("pandas-index-csv", {"csv": {"path": "*.csv"}})
    assert sorted(built.texts()) == [f"https://{host}.example/{i}" for host in "ab" for i in range(3)]
    assert built.result.counts["unnamed_columns"] == 2


def test_tables_of_spark(export: Make) -> None:
    """A backslash escapes quotes."""
    built = export("csv-backslash", {"csv": {"path": "a.csv", "escape": "\\"}})
    assert built.texts() == {
        "https://a.example/1": 'He said "go, now" and went',
        "https://a.example/2": "plain text",
    }


def test_tables_without_a_header(export: Make) -> None:
    """The first row is a record."""
    built = export("csv-without-header", {"csv": {"path": "a.csv", "columns": ["url", "text"]}})
    assert sorted(built.texts()) == [f"https://a.example/{i}" for i in range(3)]


def test_numbers_in_tables(export: Make) -> None:
    """The contract asks for an integer."""
    built = export("csv-types", {"csv": {"path": "a.csv"}})
    assert built.texts() == {"https://a.example/1": "a text of some words"}


def test_instants_in_many_forms(export: Make) -> None:
    """Each is read, and what was decided is counted."""
    built = export("fetched-at-forms", {"jsonl": {"path": "a.jsonl"}})
    instants = {row["url"][-1]: row["fetched_at"] and row["fetched_at"].isoformat() for row in built.rows}
    assert instants == {
        **dict.fromkeys("0123567", "2024-05-01T10:00:00+00:00"),
        "3": "2024-05-01T10:00:00.500000+00:00",
        "4": "2024-05-01T10:00:00.123456+00:00",
        "8": "2024-05-01T00:00:00+00:00",
        "9": None,
    }
    counts = {name.removeprefix("validate."): n for name, n in built.result.counts.items()}
    assert counts == {
        "instants_read": 9,
        "instants_local": 3,
        "instants_day": 1,
        "instants_epoch_s": 2,
        "instants_cut": 1,
    }


def test_a_child_takes_the_name_of_its_parent(export: Make) -> None:
    """MongoDB wraps dates and ids in objects."""
    built = export(
        "rename-to-own-parent", {"jsonl": {"path": "a.jsonl", "rename": {"fetched_at.$date": "fetched_at"}}}
    )
    assert [row["fetched_at"].isoformat() for row in built.rows] == ["2024-05-01T10:00:00+00:00"]


def test_entities_that_a_reader_sees(export: Make) -> None:
    """A page about HTML says how to write its signs."""
    built = export(
        "entities-twice", {"html": {"path": "a.html"}}, stages=[{"extract_text": {}}, {"repair_text": {}}]
    )
    (text,) = [row["text"] for row in built.rows]
    assert "Write &lt; for the less-than sign, &amp; for the ampersand and &nbsp; for a blank" in text
    assert "In an address &copy=1 must be written &amp;copy=1" in text


def test_markdown_next_to_html(export: Make) -> None:
    """The Markdown is kept by option."""
    source = {"jsonl": {"path": "a.jsonl", "rename": {"markdown": "text"}}}
    built = export(
        "text-overwritten", source, stages=[{"extract_text": {"keep_text": True}}, {"repair_text": {}}]
    )
    (row,) = built.rows
    assert row["text"] == "# Page 1\n\nThis is the [main text](/m) in Markdown."
    assert row["title"] == "Page 1"


def test_a_list_of_columns_to_publish(export: Make) -> None:
    """With page-1, a column more; with a contract of one's own, a column less."""
    stages = [{"extract_text": {}}, {"repair_text": {}}]
    source = {"jsonl": {"path": "a.jsonl"}}
    built = export("one-more-column", source, stages=stages, publish=["category"], drop=["title", "author"])
    assert built.rows[0].keys() >= {"id", "url", "text", "category"}
    assert not built.rows[0].keys() & {"html", "title", "author"}
    assert built.rows[0]["category"] == "news"


def test_a_contract_of_ones_own_without_the_html(export: Make) -> None:
    """The HTML is read and not published."""
    stages = [{"extract_text": {}}, {"repair_text": {}}]
    built = export(
        "one-more-column",
        {"jsonl": {"path": "a.jsonl"}},
        stages=stages,
        contract="c.schema.json",
        drop=["html"],
    )
    assert list(built.rows[0]) == ["id", "url", "text", "category"]
    assert "main text of page 1" in built.rows[0]["text"]


def test_dedup_of_a_table_with_an_id(tmp_path: Path) -> None:
    """Its columns come out as they went in."""
    path = EXPORTS / "dedup-flattens" / "a.parquet"
    built = Built(dedup([path], output=tmp_path / "out", workers=1))
    came = pq.read_table(path)
    (row,) = built.rows
    assert {name: row[name] for name in came.column_names} == came.to_pylist()[0]


def test_the_document_that_wraps_the_records_is_not_a_record(export: Make) -> None:
    """A contract without required members would accept it as one record."""
    contract = {
        "$id": "c",
        "type": "object",
        "properties": {"url": {"type": "string"}, "text": {"type": "string"}},
    }
    source = {"json": {"path": "*.json"}}
    built = export("json-array", source, contract_text=contract, contract="c.schema.json")
    assert "https://a.example/1" in built.texts()
    (refused,) = [row for row in built.ledger if row["outcome"] != "kept"]
    assert (refused["record_id"], refused["reason"]) == ("json/firecrawl.json@0", "wrapped_records")
    assert refused["message"].endswith("add records: /data/* to the source")
    assert [one.record_id for one in built.result.messages] == ["json/firecrawl.json@0"], (
        "the summary names it"
    )
