"""``builder init --from`` writes a contract and a recipe that build the files as they are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import archives
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from builder import build
from builder.cli.start import init_command
from builder.errors import RecipeError
from builder.operations.init_from import init_from
from builder.recipe import Recipe

TEXTS = (
    "The tide turns twice a day, and the boats of the harbour lean on their keels.",
    "A lamp keeper writes down the hour of lighting and the name of every ship.",
    "Seven baskets of mussels stood on the quay before the first ferry came in.",
)
HTML = "<html><body><article><p>{}</p></article></body></html>"


def records(**more: Any) -> list[dict[str, Any]]:
    return [
        {"url": f"https://a.example/{i}", "text": text, **{name: value[i] for name, value in more.items()}}
        for i, text in enumerate(TEXTS)
    ]


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parquet(path: Path, rows: dict[str, Any]) -> Path:
    pq.write_table(
        pa.table({"url": [f"https://a.example/{i}" for i in range(3)], "text": TEXTS, **rows}), path
    )
    return path


def started(tmp_path: Path, *files: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write contract and recipe of files, and build them; return the properties and the published rows."""
    result = init_from(tmp_path / "corpus of mine", files)
    built = build(result.recipe, workers=1)
    assert built.outcomes["kept"] == built.n_records == 3
    contract = json.loads(result.files[1].read_text()) if len(result.files) > 1 else {"properties": {}}
    rows = pq.read_table(result.folder / "corpus" / built.version / "data").to_pylist()
    return contract, rows


def test_json_lines(tmp_path: Path) -> None:
    """Types, required members, instants, nested values, and members that are sometimes null."""
    rows = records(
        n=[1, 2, 3],
        x=[1, 0.5, None],
        seen_at=["2024-05-01 10:00:00", "2024-05-01T11:00:00Z", "2024-05-02"],
        created_utc=[1714557600, 1714557601, 1714557602],
        meta=[{"a": 1}, {"a": 2, "b": "x"}, {}],
        odd=[1, "one", [1]],
    )
    contract, published = started(tmp_path, write(tmp_path / "a.jsonl", lines(rows)))
    assert {name: one for name, one in contract["properties"].items() if name not in ("url", "text")} == {
        "n": {"type": "integer"},
        "x": {"type": ["number", "null"]},
        "seen_at": {"type": "string", "format": "date-time"},
        "created_utc": {"type": "string", "format": "date-time"},
        "meta": {
            "type": "object",
            "properties": {"a": {"type": ["integer", "null"]}, "b": {"type": ["string", "null"]}},
        },
        "odd": {"x-arrow": "json"},
    }
    assert contract["required"] == ["url", "text", "n", "seen_at", "created_utc", "meta", "odd"]
    assert [row["created_utc"].timestamp() for row in published] == [1714557600, 1714557601, 1714557602]
    assert [json.loads(row["odd"]) for row in published] == [1, "one", [1]]


def test_members_with_other_names_get_their_roles_by_their_values(tmp_path: Path) -> None:
    """MongoDB: reserved names get new ones; `link` looks like a URL, `body` like text, `page` like HTML."""
    rows = [
        {
            "_id": {"$oid": f"65f0{i}"},
            "id": i,
            "link": f"https://a.example/{i}",
            "page": HTML.format(text),
            "body": text,
            "crawled_at": {"$date": 1714557600000 + i},
        }
        for i, text in enumerate(TEXTS)
    ]
    result = init_from(tmp_path / "c", [write(tmp_path / "a.jsonl", lines(rows))])
    written = result.recipe.read_text()
    assert 'columns:\n  url: "link"\n  html: "page"\n  text: "body"\n  fetched_at: "crawled_at"\n' in written
    built = build(result.recipe, workers=1)
    assert built.outcomes["kept"] == 3
    (first, *_) = pq.read_table(result.folder / "corpus/1.0.0/data").to_pylist()
    assert (first["source_id"], first["source_id_"], first["body"]) == ("65f00", 0, TEXTS[0])
    assert "page" not in first


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("array.json", json.dumps(records())),
        ("array.jsonl", json.dumps(records())),
        ("lines.json", lines(records())),
        ("wrapped.json", json.dumps({"success": True, "data": records()})),
        ("pretty.json", "\n".join(json.dumps(row, indent=2) for row in records())),
    ],
)
def test_json_in_each_form(tmp_path: Path, name: str, content: str) -> None:
    """A wrapper gets the pointer to its records; an array under the name of JSON lines is read as JSON."""
    contract, published = started(tmp_path, write(tmp_path / name, content))
    assert contract["required"] == ["url", "text"]
    assert [row["text"] for row in published] == list(TEXTS)


def test_the_url_of_a_crawler_that_nests_it_is_lifted(tmp_path: Path) -> None:
    """Firecrawl writes it in ``metadata``."""
    rows = [
        {"markdown": text, "metadata": {"sourceURL": f"https://a.example/{i}", "statusCode": 200}}
        for i, text in enumerate(TEXTS)
    ]
    _, published = started(tmp_path, write(tmp_path / "a.json", json.dumps({"data": rows})))
    assert [row["url"] for row in published] == [f"https://a.example/{i}" for i in range(3)]


def test_csv_gets_the_types_that_its_texts_have(tmp_path: Path) -> None:
    """Numbers with leading zeros stay text; empty values are null."""
    head = "url,text,n,share,flag,code,when,empty"
    rows = [
        f'https://a.example/{i},"{text}",{i},{i}.5,{flag},00{i},2024-05-0{i + 1} 10:00:00,'
        for i, (text, flag) in enumerate(zip(TEXTS, ("True", "False", "True"), strict=True))
    ]
    contract, published = started(tmp_path, write(tmp_path / "a.csv", "\n".join([head, *rows, ""])))
    types = {name: one["type"] for name, one in contract["properties"].items()}
    assert types == {
        "url": "string",
        "text": "string",
        "n": "integer",
        "share": "number",
        "flag": "boolean",
        "code": "string",
        "when": "string",
        "empty": ["string", "null"],
    }
    assert (published[1]["n"], published[1]["share"], published[1]["flag"]) == (1, 1.5, False)
    assert (published[1]["code"], published[1]["empty"]) == ("001", None)
    assert published[1]["when"] == datetime(2024, 5, 2, 10, tzinfo=UTC)


def test_parquet_keeps_columns_that_no_contract_can_declare(tmp_path: Path) -> None:
    """Bytes and decimals are published with their types."""
    table = parquet(
        tmp_path / "a.parquet",
        {
            "n": pa.array([1, None, 3], pa.int32()),
            "when": pa.array([datetime(2024, 5, 1, 10)] * 3, pa.timestamp("ns", "UTC")),
            "day": pa.array([date(2024, 5, 1)] * 3),
            "raw": pa.array([b"\x00", b"\x01", None]),
            "price": pa.array([Decimal("1.50")] * 3),
            "tags": pa.array([["a"], [], None]),
            "meta": pa.array([{"a": 1, "b": "x"}] * 3),
        },
    )
    contract, published = started(tmp_path, table)
    assert contract["properties"]["n"] == {"type": ["integer", "null"]}
    assert contract["properties"]["when"] == {"type": "string", "format": "date-time"}
    assert contract["properties"]["day"] == {"type": "string", "format": "date"}
    assert published[0]["raw"] == b"\x00"
    assert published[0]["price"] == Decimal("1.50")
    assert published[0]["tags"] == ["a"]


def test_web_archives_get_the_contract_of_pages(tmp_path: Path) -> None:
    """Their members are always the same."""
    data = b"".join(
        archives.warc_record(archives.http_response(HTML.format(text).encode()), uri=f"https://a.example/{i}")
        for i, text in enumerate(TEXTS)
    )
    _, published = started(tmp_path, write(tmp_path / "a.warc", data))
    assert [row["url"] for row in published] == [f"https://a.example/{i}" for i in range(3)]


def test_html_without_text(tmp_path: Path) -> None:
    """The contract gets a text, which `extract_text` fills."""
    rows = [{"url": f"https://a.example/{i}", "html": HTML.format(text)} for i, text in enumerate(TEXTS)]
    _, published = started(tmp_path, write(tmp_path / "a.jsonl", lines(rows)))
    assert [row["text"] for row in published] == list(TEXTS)
    assert all("html" not in row for row in published)


def test_files_of_several_kinds(tmp_path: Path) -> None:
    """What one of them does not have is not required."""
    first = write(tmp_path / "a.jsonl", lines(records(n=[1, 2, 3])[:2]))
    second = write(tmp_path / "b.json", json.dumps(records(m=[1, 2, 3])[2:]))
    contract, _ = started(tmp_path, first, second)
    assert contract["required"] == ["url", "text"]


@pytest.mark.parametrize("content", ['{"n": 1}\n', "not json\n", ""])
def test_a_file_without_text_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    """Nothing is written."""
    with pytest.raises(RecipeError, match=r"a\.jsonl"):
        init_from(tmp_path / "c", [write(tmp_path / "a.jsonl", content)])
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "arguments", [["c", "--from", "a.jsonl", "b.jsonl"], ["--from", "a.jsonl", "--from", "b.jsonl", "c"]]
)
def test_the_command_takes_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """After one `--from`, or with one for each."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        write(tmp_path / f"{name}.jsonl", lines(records()))
    done = CliRunner().invoke(init_command, arguments)
    assert done.output.splitlines()[:2] == ["c/recipe.yaml", "c/c.schema.json"]
    assert '"../b.jsonl"' in (tmp_path / "c/recipe.yaml").read_text()


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("web", ["clean_text", "repair_text", "language", "filter"]),
        ("clean", ["clean_text", "repair_text"]),
        ("none", ["repair_text"]),
    ],
)
def test_a_preset_chooses_the_stages_that_look_at_texts(
    preset: str, expected: list[str], tmp_path: Path
) -> None:
    """The example and a recipe for given files have the same stages between reading and deduplication."""
    items = write(tmp_path / "items.jsonl", "".join(json.dumps(one) + "\n" for one in records()))
    for folder, more in (("example", []), ("given", ["--from", str(items)])):
        made = CliRunner().invoke(init_command, [str(tmp_path / folder), "--preset", preset, *more])
        assert made.exit_code == 0, made.output
        stages = [one.name for one in Recipe.load(tmp_path / folder / "recipe.yaml").stages]
        assert [
            one for one in stages if one in ("clean_text", "repair_text", "language", "filter")
        ] == expected
