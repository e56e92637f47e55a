"""Files that Scrapy, pandas, polars and DuckDB wrote themselves are read with the recipes of the docs."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builder import Recipe, build
from builder.errors import ContractError

FILES = Path(__file__).resolve().parents[1] / "exports" / "true-exports"
KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
TEXT = 'A long sentence about tides, number {}, with "quotes", enough words, and a comma.\nA second line.'
START = dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)


def rows_of(folder: Path, *names: str, **recipe: Any) -> dict[str, list[dict[str, Any]]]:
    """Build some files, each as a source of its own; return the rows by file. Nothing may be lost."""
    sources = []
    for name in names:
        shutil.copy(FILES / name, folder / name)
        sources.append({KINDS[Path(name).suffix]: {"path": name, "name": name}})
    document = {"name": "export", "sources": sources, "corpus": "corpus", **recipe}
    result = build(Recipe.from_dict(document, folder=folder), workers=1)
    assert result.outcomes["kept"] == result.n_records
    ledger = pq.read_table(result.ledger).to_pylist()
    found = [
        row
        for path in sorted((result.corpus / result.version).glob("data/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    of_file: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for entry, row in zip(ledger, found, strict=True):
        of_file[entry["source"]].append(row)
    return of_file


def test_every_row_has_its_text_and_instant(tmp_path: Path) -> None:
    """Whatever wrote it, and in whatever format."""
    names = sorted(
        path.name for path in FILES.iterdir() if path.name.startswith(("pandas", "polars", "duckdb"))
    )
    for name, rows in rows_of(tmp_path, *names).items():
        assert [row["url"] for row in rows] == [f"https://a.example/{i}" for i in range(3)], name
        assert [row["text"] for row in rows] == [TEXT.format(i) for i in range(3)], name
        assert [row["fetched_at"] for row in rows] == [START + dt.timedelta(minutes=i) for i in range(3)], (
            name
        )


def test_every_item_of_scrapy_is_a_page(tmp_path: Path) -> None:
    """An appended array holds the items of both runs."""
    names = {
        "scrapy_items.json": 2,
        "scrapy_items.jsonl": 2,
        "scrapy_items.csv": 2,
        "scrapy_appended.json": 4,
    }
    stages = [{"extract_text": {}}, {"repair_text": {}}]
    for name, rows in rows_of(tmp_path, *names, stages=stages).items():
        assert [row["url"][-6:] for row in rows] == ["a.html", "b.html"] * (names[name] // 2), name
        assert all('long enough to be kept, with "quotes" and ünicode.' in row["text"] for row in rows), name
        assert {row["fetched_at"] for row in rows} == {START + dt.timedelta(microseconds=5)}, name


def test_columns_of_polars_come_back_with_their_types(tmp_path: Path) -> None:
    """Categories are strings; decimals and zones stay."""
    (rows,) = rows_of(tmp_path, "polars_types.parquet", publish="all").values()
    assert [(row["score"], row["n"], row["ok"], row["tags"]) for row in rows] == [
        (i / 2, i, bool(i % 2), ["a", str(i)]) for i in range(3)
    ]
    assert [(row["cat"], row["dec"]) for row in rows] == [("a", Decimal("1.50"))] * 3
    assert [row["tz"].utcoffset() for row in rows] == [dt.timedelta(hours=2)] * 3


def test_columns_of_pandas_come_back_with_their_types(tmp_path: Path) -> None:
    """Categories are strings; a duration stays."""
    (rows,) = rows_of(tmp_path, "pandas_cat.parquet", publish="all").values()
    assert [row["cat"] for row in rows] == ["x", "y", "x"]
    assert [row["td"].total_seconds() for row in rows] == [1, 2, 3]


def test_columns_of_duckdb_come_back_or_are_refused_by_name(tmp_path: Path) -> None:
    """A UUID is 16 bytes, a struct stays; a map has no type in a dataset."""
    (rows,) = rows_of(tmp_path, "duckdb.parquet", publish="all").values()
    assert [(len(row["u"]), row["s"], row["d"]) for row in rows] == [
        (16, {"a": i, "b": [i]}, Decimal(i)) for i in range(3)
    ]
    with pytest.raises(ContractError, match="publish: m: a column of the type map"):
        rows_of(tmp_path, "duckdb_all.parquet", publish="all", corpus="other")
