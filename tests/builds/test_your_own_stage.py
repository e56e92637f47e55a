"""The examples of docs/your-own-stage.md work as they are pasted, and mistakes in a stage are found."""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from planted import ledger_of, write_lines
from ruamel.yaml import YAML

from builder import BuildResult, Corpus, registry
from builder.errors import NothingKeptError, RecipeError

Make = Callable[..., BuildResult]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "your-own-stage.md"
TEXTS = ["one two three", "one\n\ntwo three", "ONE TWO three four", ""]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, dict[str, str]], None]]:
    """Return a function that installs a module with its entry points."""
    folder = tmp_path / "site"
    facts = folder / "min_words-1.0.dist-info"
    facts.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))

    def run(code: str, entries: dict[str, str], group: str = "builder.stages") -> None:
        (folder / "min_words.py").write_text(code)
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: min-words\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        forget()

    def forget() -> None:
        sys.modules.pop("min_words", None)
        importlib.invalidate_caches()
        registry._entry_points.cache_clear()

    yield run
    forget()


@pytest.fixture
def feed(tmp_path: Path) -> None:
    rows = [{"text": text, "url": f"https://a.example/{i}"} for i, text in enumerate(TEXTS)]
    write_lines(tmp_path / "feed/a.jsonl", rows)


def published(result: BuildResult) -> list[dict[str, Any]]:
    paths = [path for files in Corpus(result.corpus).data_files(result.version).values() for path in files]
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def lost(result: BuildResult) -> list[tuple[int, str, str]]:
    return [
        (row["ordinal"], row["stage"], row["reason"]) for row in ledger_of(result) if row["outcome"] != "kept"
    ]


def test_the_function_of_the_page_works(make: Make, tmp_path: Path, feed: None) -> None:
    """In a file next to the recipe, under the name that the page gives it."""
    (tmp_path / "keep.py").write_text(blocks("python")[0])
    written = next(block for block in PAGE.read_text(encoding="utf-8").split("```") if "call:" in block)
    stage = YAML(typ="safe", pure=True).load(written)["stages"][1]

    with pytest.raises(NothingKeptError) as error:
        make(stages=["validate", stage], allow_code=True)
    assert error.value.result.reasons[0] == (("rejected", "own_words", "few_words"), len(TEXTS))


def test_the_row_filter_of_the_page_works(make: Make, install: Any, feed: None) -> None:
    """With the entry points of the page's pyproject.toml, and its own test."""
    _, filter_code, test_code, *_ = blocks("python")
    install(filter_code, tomllib.loads(blocks("toml")[0])["project"]["entry-points"]["builder.stages"])
    result = make(stages=["validate", {"min_words": {"words": 4}}], splits={"train": 1.0})
    assert lost(result) == [
        (0, "min_words", "few_words"),
        (1, "min_words", "few_words"),
        (3, "min_words", "few_words"),
    ]
    names: dict[str, Any] = {}
    exec(compile(test_code, "test_min_words.py", "exec"), names)
    names["test_a_short_text_is_rejected"]()
    with pytest.raises(RecipeError, match="words: 0 is less than the minimum of 1"):
        make(stages=["validate", {"min_words": {"words": 0}}])


def test_the_row_mapper_of_the_page_works(make: Make, install: Any, feed: None) -> None:
    """It edits one column and adds another; the other columns are untouched."""
    install(blocks("python")[3], {"shorten": "min_words:Shorten"})
    rows = published(make(stages=["validate", "shorten"], splits={"train": 1.0}))
    assert [(row["text"], row["n_cut"], row["url"]) for row in rows] == [
        ("one two three", 0, "https://a.example/0"),
        ("one", 11, "https://a.example/1"),
        ("ONE TWO three four", 0, "https://a.example/2"),
    ]


def test_the_batch_stage_of_the_page_works(make: Make, install: Any, feed: None) -> None:
    """Rows with a reason leave the build."""
    install(blocks("python")[4], {"no_shouting": "min_words:NoShouting"})
    result = make(stages=["validate", {"no_shouting": {"share": 0.3}}], splits={"train": 1.0})
    assert lost(result) == [(2, "no_shouting", "shouting"), (3, "publishable", "empty_text")]
    assert "_reason" not in published(result)[0]


def source_of_the_page(install: Any, code: str) -> dict[str, Any]:
    install(code, {"fortune": "min_words:FortuneSource"}, "builder.sources")
    return {"sources": [{"fortune": {"path": "feed/*.fortune"}}]}


def test_the_source_of_the_page_works(make: Make, install: Any, tmp_path: Path) -> None:
    """Each record of a file has an id of its own; compressed files are read as well."""
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed/a.fortune").write_text("https://a.example/0\none\n%%\nhttps://a.example/1\ntwo\nlines")
    (tmp_path / "feed/b.fortune").write_text("https://a.example/2\nthree")
    recipe = source_of_the_page(install, blocks("python")[5])
    result = make(stages=["validate"], splits={"train": 1.0}, recipe=recipe)
    assert [(row["url"], row["text"]) for row in published(result)] == [
        ("https://a.example/0", "one"),
        ("https://a.example/1", "two\nlines"),
        ("https://a.example/2", "three"),
    ]
    ids = ["fortune/a.fortune@0", "fortune/a.fortune@1", "fortune/b.fortune@0"]
    assert [row["record_id"] for row in ledger_of(result)] == ids


@pytest.mark.parametrize(
    ("raises", "kept", "message"),
    [
        ("if 'two' in body: raise KeyError(url)", 2, "KeyError: 'https://a.example/1'; the rest of the file"),
        ("if 'one' in body: raise KeyError(url)", 1, "KeyError: 'https://a.example/0'; the rest of the file"),
        (
            "if 'two' in body: body = {'a': 1}; url = []; yield {'txet': body}",
            2,
            "returned the column 'txet'",
        ),
        ("if 'one' in body: return", 1, "the file has no record"),
    ],
)
def test_a_file_on_which_a_source_raises_fails(
    make: Make, install: Any, tmp_path: Path, raises: str, kept: int, message: str
) -> None:
    """The records before it and the other files are kept, and the sums add up."""
    (tmp_path / "feed").mkdir()
    parts = "\n%%\n".join(f"https://a.example/{i}\n{word}" for i, word in enumerate(("one", "two", "three")))
    (tmp_path / "feed/a.fortune").write_text(parts)
    (tmp_path / "feed/b.fortune").write_text("https://a.example/9\nnine")
    code = blocks("python")[5].replace("            yield {", f"            {raises}\n            yield {{")
    result = make(stages=["validate"], recipe=source_of_the_page(install, code))
    (failed,) = [row for row in ledger_of(result) if row["outcome"] != "kept"]
    assert failed["outcome"] == "failed"
    assert message in failed["message"]
    assert result.outcomes["kept"] == kept
    assert result.n_records == kept + 1


@pytest.mark.parametrize(
    ("adds", "record", "title", "message"),
    [
        ('{"title": pa.string()}', '"title": "Tides"', "Tides", None),
        ("{}", '"title": "Tides"', None, "returned the column 'title', which is not one of url, html"),
        ("{}", '"status": "200"', None, "the column 'status' has int64 values, not str ('200')"),
        (
            "{}",
            '"fetched_at": __import__("datetime").date(2024, 1, 1)',
            None,
            "'fetched_at' has string values",
        ),
    ],
)
def test_the_columns_of_a_source_have_declared_types(
    make: Make, install: Any, tmp_path: Path, adds: str, record: str, title: str | None, message: str | None
) -> None:
    """A value of another type fails its record with the name of the column, and not the build."""
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed/a.fortune").write_text("https://a.example/1\none")
    (tmp_path / "feed/b.txt").write_text("two")
    code = blocks("python")[5].replace('"text": body', f'"text": body, {record}')
    code = "import pyarrow as pa\n" + code.replace("    suffixes", f"    adds = {adds}\n    suffixes")
    recipe = source_of_the_page(install, code)
    recipe["sources"].append({"text": {"path": "feed/*.txt"}})
    result = make(stages=["validate"], recipe=recipe)
    rows = [row for row in ledger_of(result) if row["outcome"] != "kept"]
    assert [message in row["message"] for row in rows] == [True] * (message is not None)
    assert [row["title"] for row in published(result)] == [title, None][: 2 - len(rows)] or message


def test_a_batch_stage_works_with_other_names_of_columns(make: Make, install: Any, tmp_path: Path) -> None:
    """`text` is the column with this role, whatever the contract calls it."""
    write_lines(tmp_path / "feed/a.jsonl", [{"body": "LOUD"}, {"body": "quiet"}])
    schema = {"type": "object", "properties": {"body": {"type": "string"}}, "required": ["body"]}
    (tmp_path / "own-1.schema.json").write_text(json.dumps(schema | {"additionalProperties": False}))
    body = """needs = ("text",)
    edits = ("text",)
    reasons = {"loud": "Loud."}

    def process(self, batch):
        import pyarrow.compute as pc
        loud = pc.utf8_is_upper(batch.column("text"))
        place = batch.schema.get_field_index("text")
        batch = batch.set_column(place, "text", pc.utf8_upper(batch.column("text")))
        return batch.append_column("_reason", pc.if_else(loud, "loud", None))
"""
    install(FILTER.format(base="BatchStage", name="own", body=body), {"own": "min_words:Own"})
    recipe = {"contract": "own-1.schema.json", "columns": {"text": "body"}}
    result = make(stages=["validate", "own"], splits={"train": 1.0}, recipe=recipe)
    assert [row["body"] for row in published(result)] == ["QUIET"]
    assert lost(result) == [(0, "own", "loud")]


FILTER = """
from dataclasses import dataclass
from builder.plugin import BatchStage, RowFilter, RowView, RowMapper, option

@dataclass(frozen=True, kw_only=True)
class Own({base}):
    name = "{name}"
    {body}
"""


@pytest.mark.parametrize(
    ("base", "name", "body", "what"),
    [
        ("RowFilter", "own", "x = 1", "Own does not define the method keep"),
        ("RowMapper", "own", "x = 1", "Own does not define the method map"),
        ("BatchStage", "own", "x = 1", "Own does not define the method process"),
        ("RowFilter", "other", "x = 1", "has the name 'other', not that of its entry point"),
        ("RowFilter", "own", "needs = ('txet',); keep = lambda self, row: True", "needs the column 'txet'"),
        (
            "RowMapper",
            "own",
            "edits = ('txet',); map = lambda self, row: {}",
            "edits the column 'txet', which",
        ),
        (
            "BatchStage",
            "own",
            "adds = {'url': None}; process = lambda self, b: b",
            "adds the column 'url', which",
        ),
    ],
)
def test_a_mistake_in_a_stage_is_a_fault_before_a_record_is_read(
    make: Make, install: Any, feed: None, base: str, name: str, body: str, what: str
) -> None:
    """The message says what to change."""
    install(FILTER.format(base=base, name=name, body=body), {"own": "min_words:Own"})
    with pytest.raises(RecipeError) as error:
        make(stages=["validate", "own"])
    assert what in str(error.value)


@pytest.mark.parametrize(
    ("base", "body", "message"),
    [
        (
            "RowFilter",
            "keep = lambda self, row: None",
            "TypeError: keep returned NoneType, not a bool or a reason",
        ),
        (
            "RowFilter",
            "keep = lambda self, row: 'bad'",
            "ValueError: the reason 'bad' is not in `reasons` of Own",
        ),
        ("RowFilter", "keep = lambda self, row: row['txet']", "no column 'txet'"),
        (
            "RowMapper",
            "map = lambda self, row: {'url': 'x'}",
            "map returned the column 'url', which is not in",
        ),
        ("BatchStage", "process = lambda self, batch: batch.slice(1)", "process returned 0 rows for 1"),
    ],
)
def test_a_wrong_result_fails_its_rows_with_a_message(
    make: Make, install: Any, feed: None, base: str, body: str, message: str
) -> None:
    """Nothing is published that the stage did not decide on."""
    install(FILTER.format(base=base, name="own", body=body), {"own": "min_words:Own"})
    with pytest.raises(NothingKeptError) as error:
        make(stages=["validate", "own"])
    ledger = re.search(r"ledger: (\S+\.parquet)", str(error.value))
    assert ledger
    rows = pq.read_table(ledger[1]).to_pylist()
    assert {(row["outcome"], row["reason"]) for row in rows} == {("failed", "stage_error")}
    assert message in rows[0]["message"]


def test_false_has_the_only_reason_or_a_common_one(make: Make, install: Any, feed: None) -> None:
    """A filter with several reasons should name one."""
    body = (
        "keep = lambda self, row: row.source == 'jsonl' and len(row) > 3 and row['text'] != 'one two three'"
    )
    install(FILTER.format(base="RowFilter", name="own", body=body), {"own": "min_words:Own"})
    assert lost(make(stages=["validate", "own"]))[0] == (0, "own", "filtered")
