"""Columns that the contract does not declare: `publish`, `drop`, and the types that come back."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder import BuildResult, Recipe, build, check, dedup, diff, takedown, verify
from builder.errors import ContractError, RecipeError
from builder.operations.check import Check
from builder.operations.why import why

TEXTS = ("Tides turn twice a day.", "A lamp burns all night.", "Seven boats left the harbour at noon.")
DAY = dt.date(2024, 5, 1)
TIME = dt.datetime(2024, 5, 1, 10, 0, 0, 123456)

TYPES: dict[str, pa.Array] = {
    "bool": pa.array([True, None, False]),
    **{f"int{n}": pa.array([-1, None, 7], getattr(pa, f"int{n}")()) for n in (8, 16, 32, 64)},
    **{f"uint{n}": pa.array([1, None, 7], getattr(pa, f"uint{n}")()) for n in (8, 16, 32, 64)},
    "float32": pa.array([0.1, None, float("nan")], pa.float32()),
    "float64": pa.array([0.1, None, float("inf")], pa.float64()),
    "string": pa.array(["a", None, ""]),
    "large_string": pa.array(["a", None, ""], pa.large_string()),
    "binary": pa.array([b"\xff\x00", None, b""]),
    "large_binary": pa.array([b"\xff\x00", None, b""], pa.large_binary()),
    "fixed_binary": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "date32": pa.array([DAY, None, DAY]),
    "time32": pa.array([dt.time(10), None, dt.time(11)], pa.time32("ms")),
    "time64": pa.array([dt.time(10), None, dt.time(11)], pa.time64("us")),
    "timestamp": pa.array([TIME, None, TIME], pa.timestamp("us")),
    "timestamp_ns": pa.array([TIME, None, TIME], pa.timestamp("ns")),
    "timestamp_utc": pa.array([1714557600123, None, 0], pa.timestamp("ms", "UTC")),
    "duration": pa.array([dt.timedelta(seconds=1), None, dt.timedelta(0)], pa.duration("us")),
    "decimal128": pa.array([Decimal("1.50"), None, Decimal("-2.25")], pa.decimal128(9, 2)),
    "list": pa.array([["a"], None, []], pa.list_(pa.string())),
    "large_list": pa.array([[1], None, []], pa.large_list(pa.int16())),
    "embedding": pa.array([[0.5, 1.5], None, [2.5, 3.5]], pa.list_(pa.float32(), 2)),
    "struct": pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}]),
    "structs": pa.array([[{"a": 1}], None, []], pa.list_(pa.struct([("a", pa.int32())]))),
    "null": pa.nulls(3),
}
"""A column of each type that is published as it came."""

ENCODED = {
    "dictionary": pa.array(["a", None, "a"]).dictionary_encode(),
    "uuid": pa.array([bytes(16), None, bytes(range(16))], pa.binary(16)).cast(pa.uuid()),
}
"""Types that are published as the type of their values."""


def rows_of(result: BuildResult) -> pa.Table:
    paths = sorted((result.corpus / result.version).glob("data/*.parquet"))
    return pa.concat_tables([pq.read_table(path) for path in paths], promote_options="default")


def lines(path: Path, *records: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")


def make(folder: Path, **recipe: Any) -> BuildResult:
    document = {"name": "c", "sources": [{"jsonl": {"path": "feed"}}], "corpus": "corpus", **recipe}
    options = {name: document.pop(name) for name in ("notice",) if name in document}
    return build(Recipe.from_dict(document, folder=folder), **options)


def page(number: int, **more: Any) -> dict[str, Any]:
    return {"url": f"https://a.example/{number}", "text": TEXTS[number], **more}


# -- tables ----------------------------------------------------------------------------------------


def test_dedup_gives_back_every_column_with_its_type(tmp_path: Path) -> None:
    """Also to `load_dataset`; a column that is called `id` stays, and the document id has another name."""
    table = pa.table({"id": [1, 2, 3], "text": list(TEXTS), **TYPES, **ENCODED})
    pq.write_table(table, tmp_path / "a.parquet")
    result = dedup([tmp_path / "a.parquet"], output=tmp_path / "out", workers=1)
    found = rows_of(result)
    assert found.column_names[0] == "document_id"
    came = pq.read_table(tmp_path / "a.parquet")
    for name in ("id", "text", *TYPES):
        assert found.schema.field(name).type.equals(came.schema.field(name).type), name
        assert repr(found[name].to_pylist()) == repr(came[name].to_pylist()), name
    assert found["dictionary"].to_pylist() == ["a", None, "a"]
    assert found["uuid"].to_pylist() == [bytes(16), None, bytes(range(16))]
    assert verify(result.corpus).clean
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(result.corpus), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded.column_names == found.column_names
    assert loaded["id"][:] == [1, 2, 3]


def test_a_type_that_cannot_be_published_is_refused_by_name(tmp_path: Path) -> None:
    """`load_dataset` cannot open it; dropping the column helps."""
    column = pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int32()))
    pq.write_table(pa.table({"text": list(TEXTS), "odd": column}), tmp_path / "a.parquet")
    with pytest.raises(ContractError, match="publish: odd: a column of the type map<"):
        make(tmp_path, sources=[{"parquet": {"path": "a.parquet"}}], publish="all")
    result = make(tmp_path, sources=[{"parquet": {"path": "a.parquet"}}], publish="all", drop=["odd"])
    assert "odd" not in rows_of(result).column_names


def test_a_corpus_whose_document_id_has_another_name_is_a_corpus(tmp_path: Path) -> None:
    """All commands find the ids in the first column."""
    for name, number in (("a", 0), ("b", 1)):
        table = pa.table({"id": [number, number + 1], "url": [f"https://{name}.example/{i}" for i in (0, 1)],
                          "text": [TEXTS[number], TEXTS[number + 1] + name]})  # fmt: skip
        (tmp_path / "feed").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / f"feed/{name}.parquet")
        result = make(
            tmp_path, sources=[{"parquet": {"path": "feed"}}], publish="all", stages=[{"dedup_exact": {}}]
        )
    assert result.version == "1.1.0"
    assert sorted(rows_of(result)["id"].to_pylist()) == [0, 1, 1, 2]
    taken = takedown(result.corpus, urls=["https://a.example/1"], because="asked")
    assert [row.kind for row in diff(result.corpus, "1.1.0", taken.version).rows] == ["removed"]
    assert len(why(str(result.corpus), "https://b.example/0").histories[-1].records) == 1
    assert takedown(result.corpus, urls=["https://b.example/1"], because="asked", purge=True).purged
    assert verify(result.corpus).clean


# -- records of JSON -------------------------------------------------------------------------------


def test_published_members_keep_their_type(tmp_path: Path) -> None:
    """The type is that of all values in all inputs, wherever they are."""
    lines(
        tmp_path / "feed/a.jsonl", page(0, n=1, s="1", tags=["a"], meta={"crawl": "c1", "x": 1}, odd=[1, "a"])
    )
    lines(tmp_path / "feed/b.jsonl", page(1, n=None, s="", tags=[], meta={"crawl": None, "y": True}))
    lines(tmp_path / "feed/c.jsonl", page(2, n=0.5, s=None, meta={}, headers={"A": "b"}, status=200))
    names = ["n", "s", "tags", "meta.crawl", "meta", "odd", "status"]
    rows = rows_of(make(tmp_path, publish=names)).select(names)
    meta = pa.struct([("crawl", pa.string()), ("x", pa.int64()), ("y", pa.bool_())])
    types = [pa.float64(), pa.string(), pa.list_(pa.string()), pa.string(), meta]
    assert [rows.schema.field(name).type for name in names[:4]] == types[:4]
    assert rows["n"].to_pylist() == [1.0, None, 0.5]
    assert rows["meta.crawl"].to_pylist() == ["c1", None, None]
    assert rows["odd"].to_pylist() == [["1", '"a"'], None, None]
    assert rows["status"].to_pylist() == [None, None, 200]


def test_all_publishes_everything_and_drop_takes_columns_out(tmp_path: Path) -> None:
    """Also columns of the contract that are not published otherwise, such as the HTML."""
    lines(tmp_path / "feed/a.jsonl", page(0, category="news", html="<p>x", status=200))
    names = rows_of(make(tmp_path, publish="all", drop=["html", "headers", "author"])).column_names
    assert names == [
        "id",
        "url",
        "text",
        "title",
        "date",
        "language",
        "fetched_at",
        "status",
        "content_type",
        "category",
    ]


def test_values_of_tables_of_text_are_strings_unless_the_contract_types_them(tmp_path: Path) -> None:
    """CSV has no types."""
    (tmp_path / "a.csv").write_text("url,text,status,n\nhttps://a.example/1,words of a text,200,7\n")
    rows = rows_of(make(tmp_path, sources=[{"csv": {"path": "a.csv"}}], publish=["status", "n"]))
    assert (rows["status"].to_pylist(), rows["n"].to_pylist()) == ([200], ["7"])


def test_a_renamed_column_is_published_under_its_new_name(tmp_path: Path) -> None:
    """In tables and in JSON."""
    lines(tmp_path / "a.jsonl", page(0, cat="x"))
    pq.write_table(pa.table({"text": [TEXTS[1]], "cat": ["y"]}), tmp_path / "a.parquet")
    sources = [{kind: {"path": f"a.{kind}", "rename": {"cat": "category"}}} for kind in ("jsonl", "parquet")]
    assert rows_of(make(tmp_path, sources=sources, publish=["category"]))["category"].to_pylist() == [
        "x",
        "y",
    ]


def test_two_types_are_an_error_that_names_both_files(tmp_path: Path) -> None:
    """In one build, and between a version and a later input."""
    lines(tmp_path / "feed/a.jsonl", page(0, n=1))
    make(tmp_path, publish=["n"])
    lines(tmp_path / "feed/b.jsonl", page(1, n="one"))
    with pytest.raises(ContractError, match=r"jsonl/a.jsonl has the type int64, jsonl/b.jsonl has string"):
        make(tmp_path, publish=["n"])
    with pytest.raises(ContractError, match=r"jsonl/a.jsonl has the type integer, jsonl/b.jsonl has string"):
        make(tmp_path, publish=["n"], corpus="other")


def test_a_new_column_is_added_only_if_publish_names_it(tmp_path: Path) -> None:
    """With `all`, the columns are those of the first version; a named column is a nullable addition."""
    lines(tmp_path / "feed/a.jsonl", page(0, a=1))
    for corpus, publish in (("all", "all"), ("named", ["a", "b"])):
        make(tmp_path, publish=publish, corpus=corpus)
    lines(tmp_path / "feed/b.jsonl", page(1, a=2, b="new"))
    notices: list[str] = []
    result = make(tmp_path, publish="all", corpus="all", notice=notices.append)
    assert "b" not in rows_of(result).column_names
    left_out = "are not published, because older rows do not have them: b (jsonl/b.jsonl)"
    assert any(left_out in text for text in notices)
    assert result.version == "1.1.0"
    result = make(tmp_path, publish=["a", "b"], corpus="named", notice=notices.append)
    assert rows_of(result)["b"].to_pylist() == [None, "new"]
    assert result.version == "1.1.0"
    assert any("the column b is new" in text for text in notices)


def test_publish_and_drop_are_part_of_the_digest(tmp_path: Path) -> None:
    """A change of them rebuilds the corpus."""
    lines(tmp_path / "feed/a.jsonl", page(0, a=1))
    digests = {
        Recipe.from_dict(
            {"name": "c", "sources": [{"jsonl": {"path": "feed"}}], "corpus": "x", **keys}, folder=tmp_path
        )
        .identity()
        .digest()
        for keys in ({}, {"publish": ["a"]}, {"publish": "all"}, {"drop": ["title"]})
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("drop", "message"),
    [(["text"], "'text' is needed by every version"), (["titel"], "no column 'titel'.*did you mean 'title'")],
)
def test_a_column_that_cannot_be_dropped_is_a_recipe_error(
    tmp_path: Path, drop: list[str], message: str
) -> None:
    """It is needed, or nothing has it."""
    lines(tmp_path / "feed/a.jsonl", page(0))
    with pytest.raises(RecipeError, match=message):
        make(tmp_path, drop=drop)


def checked(folder: Path, **recipe: Any) -> Check:
    document = {"name": "c", "sources": [{"jsonl": {"path": "feed"}}], "corpus": "corpus", **recipe}
    found = check(Recipe.from_dict(document, folder=folder))
    assert isinstance(found, Check)
    return found


def test_check_shows_the_columns_of_the_inputs_that_are_published(tmp_path: Path) -> None:
    """They are in no contract, so only the inputs know them."""
    lines(tmp_path / "feed/a.jsonl", page(0, a=1, b={"c": [0.5]}))
    found = dict(checked(tmp_path, publish="all").columns)
    assert (found["a"], found["b"]) == ("int64", "struct<c: list<item: double>>")
    found = dict(checked(tmp_path, publish=["b.c"]).columns)
    assert found["b.c"] == "list<item: double>"
    assert "a" not in found


def test_check_finds_columns_that_are_new_and_types_that_changed(tmp_path: Path) -> None:
    """Before a build reads anything."""
    lines(tmp_path / "feed/a.jsonl", page(0, a=1))
    make(tmp_path, publish="all")
    lines(tmp_path / "feed/b.jsonl", page(1, a=2, b="new"))
    found = checked(tmp_path, publish="all")
    assert "b" not in dict(found.columns)
    assert any("b (jsonl/b.jsonl)" in str(one) for one in found.warnings)
    assert "b" in dict(checked(tmp_path, publish=["a", "b"]).columns)
    lines(tmp_path / "feed/c.jsonl", page(2, a="text"))
    with pytest.raises(ContractError, match=r"jsonl/a.jsonl has the type integer, jsonl/c.jsonl has string"):
        checked(tmp_path, publish="all")
