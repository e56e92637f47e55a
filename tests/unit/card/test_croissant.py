"""croissant.json: valid by the reference implementation, which finds the rows through it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from builder.card.croissant import croissant
from builder.card.facts import ShardFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from builder.card.facts import CardFacts

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

NUMBERS = pa.list_(pa.int64())
FLAGS = pa.list_(pa.struct([("q", pa.bool_())]))
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("a column, with #signs", pa.int64()),
        ("a_column_with_signs", pa.float64()),
        ("ok", pa.bool_()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("day", pa.date32()),
        ("price", pa.decimal128(38, 0)),
        ("tags", pa.list_(pa.string())),
        ("grid", pa.list_(NUMBERS)),
        ("author", pa.struct([("name", pa.string()), ("is where", NUMBERS), ('"', pa.string())])),
        ("files", pa.list_(pa.struct([("name", pa.string()), ("sizes", NUMBERS)]))),
        ("deep", pa.struct([("in", pa.struct([("z", pa.int64())])), ("ls", FLAGS)])),
        ("spent", pa.duration("us")),
    ]
)
FULL: dict[str, Any] = {
    "id": "1",
    "text": "Ö",
    "a column, with #signs": 7,
    "a_column_with_signs": 0.5,
    "ok": True,
    "at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    "day": dt.date(2020, 1, 2),
    "price": 12,
    "tags": ["a", "b"],
    "grid": [[1], [2, 3]],
    "author": {"name": "x", "is where": [3], '"': "q"},
    "files": [{"name": "f", "sizes": [1, 2]}, {"name": "g"}],
    "deep": {"in": {"z": 1}, "ls": [{"q": True}]},
    "spent": dt.timedelta(seconds=1),
}


def rows(n: int) -> pa.Table:
    """Return rows of which each second one has nothing but an id."""
    return pa.Table.from_pylist([FULL if i % 2 else {"id": str(i)} for i in range(n)], schema=SCHEMA)


@pytest.fixture
def dataset(tmp_path: Path, write_version: Callable[..., CardFacts]) -> Any:
    """A version of 5 + 4 and 3 rows, as mlcroissant sees it."""
    import mlcroissant

    folder = tmp_path / "1.0.0"
    tables = {"train": [rows(5), rows(4)], "train.more": [rows(3)]}
    facts = write_version(folder, tables, columns=SCHEMA, license="cc-by-4.0", date="2026-03-01")
    text = json.dumps(croissant(facts), indent=1)
    (folder / "croissant.json").write_text(text, encoding="utf-8")
    return mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))


def test_valid_without_a_warning(dataset: Any) -> None:
    """mlcroissant has nothing to say against it."""
    issues = dataset.metadata.ctx.issues

    assert (set(issues.errors), set(issues.warnings)) == (set(), set())
    assert dataset.metadata.version == "1.0.0"


def test_record_counts_are_the_rows(dataset: Any) -> None:
    """As many records are found through it as there are rows, split by split."""
    counts = {name: len(list(dataset.records(name))) for name in ("train", "train.more")}

    assert counts == {"train": 9, "train.more": 3}


def test_values_are_found(dataset: Any) -> None:
    """A reader finds each column's values, also those of odd names and inside structs."""
    record = list(dataset.records("train"))[1]

    assert record["train/text"] == "Ö".encode()
    assert record["train/a_column_with_signs"] == 7
    assert record["train/a_column_with_signs-2"] == 0.5
    assert record["train/tags"] == [b"a", b"b"]
    assert record["train/grid"] == [[1], [2, 3]]
    assert record["train/author"] == {"train/author/name": b"x", "train/author/is_where": [3]}
    assert record["train/files"][0] == {"train/files/name": b"f", "train/files/sizes": [1, 2]}
    assert "train/spent" not in record


def test_files_have_their_hashes(full_facts: CardFacts) -> None:
    """Each shard and each further file is listed with its SHA-256 and its size."""
    manifest = ShardFile(path="manifest.json", size_bytes=77, rows=0, sha256="01" * 32)

    listed = [d for d in croissant(full_facts, [manifest])["distribution"] if d["@type"] == "cr:FileObject"]

    assert [(d["contentUrl"], d["contentSize"], d["sha256"], d["encodingFormat"]) for d in listed] == [
        ("data/train-00000-of-00001.parquet", "1000 B", "ab" * 32, "application/x-parquet"),
        ("data/test-00000-of-00001.parquet", "200 B", "cd" * 32, "application/x-parquet"),
        ("manifest.json", "77 B", "01" * 32, "application/json"),
    ]


def test_what_it_says_of_the_version(full_facts: CardFacts) -> None:
    """Version, licence, date, languages and where it came from stand in it; and it is deterministic."""
    document = croissant(full_facts)

    assert document["version"] == "1.1.0"
    assert document["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert document["datePublished"] == "2026-03-01"
    assert document["inLanguage"] == ["en", "no"]
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert document["url"] == "https://huggingface.co/datasets/harbour/gazette"
    assert [source["prov:label"] for source in document["prov:wasDerivedFrom"]] == [
        "3 inputs, 123456 bytes",
        "gazette 1.0.0",
    ]
    assert json.dumps(document) == json.dumps(croissant(full_facts))


def test_the_recipe_is_part_of_where_it_came_from(make_facts: Callable[..., CardFacts]) -> None:
    """The activity that made the version used the recipe, which is named by its digest."""
    document = croissant(make_facts(recipe_digest="ef" * 32))

    used = document["prov:wasGeneratedBy"]["prov:used"]
    assert (used["prov:label"], used["sc:identifier"]) == ("recipe", "ef" * 32)


def test_what_is_not_known_is_left_out(make_facts: Callable[..., CardFacts]) -> None:
    """No null stands in the document, and no split without rows."""
    facts = make_facts()
    empty = type(facts.splits["test"])(rows=0, raw_bytes=0, shards=())
    document = croissant(make_facts(splits={**facts.splits, "test": empty}))

    assert {"datePublished", "license", "url", "inLanguage", "prov:wasDerivedFrom"} & document.keys() == set()
    assert [record_set["@id"] for record_set in document["recordSet"]] == ["train"]
    assert "null" not in json.dumps(document)
