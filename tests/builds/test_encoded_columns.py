"""HTML as bytes in a table, and as base64 in any record, is decoded like a page of an archive."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import ledger_rows

from builder import Recipe, build
from builder.errors import RecipeError

SENTENCE = "Der Käse liegt über dem Tisch, und die Möwen schauen den Fischern bei der Arbeit zu. "
TIDES = "Прилив приходит дважды в день, и лодки ждут воды. "
PAGE = "<html><head>{}</head><body><article><p>{}</p></article></body></html>"
GERMAN = PAGE.format("", SENTENCE * 3)
RUSSIAN = PAGE.format(
    '<meta charset="windows-1251">', "Прилив приходит дважды в день, и лодки ждут воды. " * 3
)
PAGES = {
    "utf-8": GERMAN.encode(),
    "latin-1": GERMAN.encode("latin-1"),
    "declared": RUSSIAN.encode("windows-1251"),
    "gzip": gzip.compress(GERMAN.encode()),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
}
EXPECTED = {"utf-8": SENTENCE, "latin-1": SENTENCE, "declared": "Прилив", "gzip": SENTENCE}


def built(folder: Path, source: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the published texts and the reasons of the others, by the last part of the URL."""
    stages: list[Any] = [{"extract_text": {}}]
    recipe = {"name": "t", "sources": [source], "stages": stages, "corpus": "out"}
    build(Recipe.from_dict(recipe, folder=folder), workers=1)
    rows = pq.read_table(folder / "out/1.0.0/data").to_pylist()
    texts = {row["url"].rpartition("/")[2]: row["text"] for row in rows}
    refused = {row["url"].rpartition("/")[2]: row["reason"] for row in ledger_rows(folder / "out")}
    return texts, {name: reason for name, reason in refused.items() if reason}


def check(texts: dict[str, str], refused: dict[str, str]) -> None:
    assert {name: EXPECTED[name].strip() in text for name, text in texts.items()} == dict.fromkeys(
        EXPECTED, True
    )
    assert refused.pop("pdf") == "not_text"


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_bytes_in_a_table(tmp_path: Path, kind: pa.DataType) -> None:
    """The column is renamed to `html`; null stays null."""
    urls = [f"https://a.example/{name}" for name in PAGES]
    table = {"url": urls, "page": pa.array(PAGES.values(), kind), "n": range(len(urls))}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    texts, refused = built(tmp_path, {"parquet": {"path": "a.parquet", "rename": {"page": "html"}}})
    check(texts, refused)
    assert refused == {}


def records() -> list[dict[str, str]]:
    """Return records with base64: plain, with line ends, URL-safe without padding, and as a ``data:`` URL."""
    forms = (
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.encodebytes(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
        lambda data: "data:text/html;base64," + base64.b64encode(data).decode(),
        lambda data: base64.b64encode(data).decode(),
    )
    pages = [
        {"url": f"https://a.example/{name}", "page": form(data)}
        for form, (name, data) in zip(forms, PAGES.items(), strict=True)
    ]
    return [*pages, {"url": "https://a.example/plain", "page": GERMAN}]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_base64_in_a_record(tmp_path: Path, kind: str) -> None:
    """A value that is not base64 is a rejected record."""
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records()), tmp_path / "a.parquet")
    else:
        text = "".join(json.dumps(one) + "\n" for one in records())
        (tmp_path / f"a.{kind}").write_text(text)
    options = {"path": f"a.{kind}", "rename": {"page": "html"}, "base64": ["html"]}
    texts, refused = built(tmp_path, {kind: options})
    check(texts, refused)
    assert refused == {"plain": "bad_base64"}


def test_a_column_that_does_not_exist_is_a_recipe_error(tmp_path: Path) -> None:
    """The message has the nearest name."""
    (tmp_path / "a.jsonl").write_text(json.dumps(records()[0]))
    with pytest.raises(RecipeError, match="the contract has no column 'htm', which the option base64 names"):
        built(tmp_path, {"jsonl": {"path": "a.jsonl", "base64": ["htm"]}})


def test_timestamps_of_a_table_without_a_zone_are_read_in_that_of_the_source(tmp_path: Path) -> None:
    """Also those that the clocks have twice, or never; timestamps with a zone are not changed."""
    naive = [datetime(2024, 7, 1, 12), datetime(2024, 10, 27, 2, 30), datetime(2024, 3, 31, 2, 30), None]
    urls, texts = [f"https://a.example/{i}" for i in range(4)], [f"{i} {SENTENCE}" for i in range(4)]
    table = {"url": urls, "text": texts}
    kind = pa.timestamp("ms")
    pq.write_table(pa.table({**table, "fetched_at": pa.array(naive, kind)}), tmp_path / "a.parquet")
    built_with = {"parquet": {"path": "a.parquet", "timezone": "Europe/Berlin"}}
    built(tmp_path, built_with)
    rows = pq.read_table(tmp_path / "out/1.0.0/data").to_pylist()
    assert [row["fetched_at"] for row in rows] == [
        datetime(2024, 7, 1, 10, tzinfo=UTC),
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        datetime(2024, 3, 31, 1, 0, tzinfo=UTC),
        None,
    ]
