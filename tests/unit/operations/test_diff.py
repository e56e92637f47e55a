"""Compare two versions of a corpus row by row."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic_corpus as synthetic
from planted import sentence, write_lines
from renamed_columns import COLUMNS, build_renamed

from builder import Corpus, Recipe, build, diff
from builder.comparison.row_changes import RowChange
from builder.domain.ledger import LEDGER_SCHEMA
from builder.domain.version import Changes, SplitChanges, Version, decide_version
from builder.errors import CorpusError, VersionError


def versions(
    folder: Path, parts: list[list[pa.Table]], more_ledger_rows: list[dict[str, Any]] | None = None
) -> Corpus:
    """Write versions 1.0.0, 2.0.0 ... of these rows, and add rows to the ledger of the last one."""
    corpus = Corpus.open_or_create(folder / "corpus", name=synthetic.NAME)
    for number, pieces in enumerate(parts):
        with corpus.lock():
            staging = corpus.begin(f"{number + 1}.0.0")
            manifest = synthetic.stage_version(corpus, staging, pieces)
            if more_ledger_rows and number == len(parts) - 1:
                add_to_ledger(staging.audit / "ledger.parquet", more_ledger_rows)
            corpus.commit(staging, manifest, synthetic.README)
    return corpus


def add_to_ledger(path: Path, told: list[dict[str, Any]]) -> None:
    place = {"source": "jsonl", "path": "a.jsonl", "ordinal": 0, "offset": 0, "record_id": "r"}
    rows = [dict.fromkeys(LEDGER_SCHEMA.names) | place | row for row in told]
    pq.write_table(
        pa.concat_tables([pq.read_table(path), pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)]), path
    )


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two versions; the second adds rows."""
    return synthetic.make_corpus(tmp_path_factory.mktemp("compared") / "corpus").path


def test_a_version_differs_in_nothing_from_itself(pristine: Path) -> None:
    """No shard is read, and the level is PATCH."""
    found = diff(pristine, "1.1.0", "1.1.0")
    assert (found.rows, found.level, found.n_read) == ([], "PATCH", 0)
    assert set(found.changes.splits.values()) == {SplitChanges()}


def test_additions_are_listed_and_shared_shards_are_not_read(pristine: Path) -> None:
    """The diff reads only new shards."""
    found = diff(pristine, "1.0.0", "1.1.0")
    old, new = (Corpus(pristine).manifest(version) for version in ("1.0.0", "1.1.0"))
    assert {name: split.added for name, split in found.changes.splits.items()} == {"train": 32, "test": 8}
    assert found.n_shared == len(list(old.shards()))
    assert found.n_read == len(list(new.shards())) - found.n_shared
    assert found.sizes == {name: (old.splits[name].rows, new.splits[name].rows) for name in new.splits}
    assert found.reason.startswith("MINOR: 40 rows were added; the evaluation split test grew by 8")


def test_in_reverse_order_added_rows_are_removed_rows(pristine: Path) -> None:
    """The older version may be the second one; without a ledger the reason is `unknown`."""
    found = diff(pristine, "1.1.0", "1.0.0")
    assert sum(split.removed for split in found.changes.splits.values()) == 40
    assert [(one.why, one.rows) for one in found.removals] == [("unknown", 40)]
    assert found.level == "MAJOR"


def test_reasons_are_those_of_the_ledgers_in_between(tmp_path: Path) -> None:
    """A removed row has the reason that a ledger after the old version has for its document."""
    rows = synthetic.make_rows(40, seed=1)
    ids = rows["id"].to_pylist()
    told = [
        {"document_id": ids[0], "outcome": "rejected", "stage": "takedown", "reason": "taken_down"},
        {"document_id": ids[1], "outcome": "merged", "stage": "dedup_near", "reason": "near_duplicate"},
        {"document_id": ids[2], "outcome": "rejected", "stage": "publishable", "reason": "min_length"},
        {"document_id": ids[3], "outcome": "rejected", "stage": "build", "reason": "source_gone"},
    ]
    corpus = versions(tmp_path, [[rows], [rows.slice(10)]], told)
    found = diff(corpus.path, "1.0.0", "2.0.0")
    assert {row.id: row.because and row.because[2] for row in found.rows} == {
        ids[0]: "taken_down",
        ids[1]: "near_duplicate",
        ids[2]: "min_length",
        ids[3]: "source_gone",
        **dict.fromkeys(ids[4:10]),
    }
    whys = ["unknown", "duplicate", "not_valid", "source_gone", "taken_down"]
    assert [one.why for one in found.removals] == whys


def test_counts_are_the_facts_of_the_version_rule(tmp_path: Path) -> None:
    """Level and reason are those of ``decide_version`` for the same counts."""
    rows = synthetic.make_rows(60, seed=1)
    texts = [text + "!" if i % 20 == 0 else text for i, text in enumerate(rows["text"].to_pylist())]
    edited = rows.set_column(1, "text", pa.array(texts)).slice(0, 50)
    corpus = versions(tmp_path, [[rows], [edited]])
    found = diff(corpus.path, "1.0.0", "2.0.0")
    expected = Changes(
        splits={"test": SplitChanges(removed=2), "train": SplitChanges(removed=8, changed=3)},
        licenses=(None, None),
    )
    assert found.changes == expected
    assert found.reason == decide_version(Version(1, 0, 0), expected).reason
    assert found.changed_columns == {"text": 3}


def test_a_callback_gets_every_changed_row(tmp_path: Path) -> None:
    """``on_row`` gets every row; the result has only the first rows of each kind."""
    rows = synthetic.make_rows(60, seed=1)
    corpus = versions(tmp_path, [[rows], [rows.slice(30)]])
    heard: list[RowChange] = []
    found = diff(corpus.path, "1.0.0", "2.0.0", on_row=heard.append)
    assert {row.id for row in heard} == set(rows["id"].to_pylist()[:30])
    assert list(found.rows) == heard[:10]
    assert list(diff(corpus.path, "1.0.0", "2.0.0").rows) == heard[:10]


def test_a_column_that_was_added_changes_no_row(tmp_path: Path) -> None:
    """Rows are compared by the old columns: a new nullable column is MINOR."""
    folder = tmp_path / "feed"
    write_lines(
        folder / "a.jsonl", [{"url": f"https://example.org/{i}", "text": sentence(i)} for i in range(9)]
    )
    contract = {"type": "object", "properties": {"url": {"type": "string"}, "text": {"type": "string"}}}

    def run(more: dict[str, Any]) -> str:
        properties = {**contract["properties"], **more}  # type: ignore[dict-item]
        (tmp_path / "own.schema.json").write_text(
            json.dumps({**contract, "properties": properties, "required": ["text"]})
        )
        recipe = {
            "name": "columns",
            "contract": "own.schema.json",
            "sources": [{"jsonl": {"path": "feed"}}],
            "stages": [{"dedup_exact": {}}],
            "splits": {"train": 1.0},
            "corpus": "corpus",
        }
        return build(Recipe.from_dict(recipe, folder=tmp_path), workers=1).version

    assert run({}) == "1.0.0"
    assert run({"note": {"type": ["string", "null"]}}) == "1.1.0"
    found = diff(tmp_path / "corpus", "1.0.0", "1.1.0")
    assert found.changes == dataclasses.replace(found.changes, splits={"train": SplitChanges()})
    assert found.reason == "MINOR: column note was added"


def test_a_missing_version_is_an_error(pristine: Path, tmp_path: Path) -> None:
    """Both versions and the corpus must exist."""
    with pytest.raises(VersionError, match=r"no version 3\.0\.0"):
        diff(pristine, "1.0.0", "3.0.0")
    with pytest.raises(CorpusError, match="no such folder"):
        diff(tmp_path / "nowhere", "1.0.0", "1.1.0")


def test_each_side_names_its_own_url_column(tmp_path: Path) -> None:
    """A removed row has the URL column of the old version, an added row that of the new version."""
    pages = [{"url": f"https://a.example/{i}", "text": sentence(i)} for i in range(3)]
    build_renamed(tmp_path, pages[:2])
    corpus = build_renamed(tmp_path, pages[1:], columns=COLUMNS | {"url": "address"}).corpus
    found = diff(corpus, "1.0.0", "2.0.0")
    assert {(row.kind, row.url) for row in found.rows} >= {
        ("removed", "https://a.example/0"),
        ("added", "https://a.example/2"),
    }
