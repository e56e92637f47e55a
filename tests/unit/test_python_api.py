"""The Python API: what `dir` shows, short values in a console and a notebook, and lists of one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import write_recipe
from planted import sentence, write_lines

import builder
from builder import (
    BuildResult,
    Corpus,
    Recipe,
    build,
    check,
    dedup,
    diff,
    rejected,
    show,
    validate,
    verify,
    why,
)
from builder.errors import CorpusError

EVIL = "https://a.example/<script>alert(1)</script>"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """A corpus of five pages, of which two are equal and one has no text."""
    folder = tmp_path_factory.mktemp("api")
    texts = [sentence(0), sentence(1), sentence(0), sentence(2)]
    rows = [{"text": text, "url": f"https://a.example/{i}"} for i, text in enumerate(texts)]
    write_lines(folder / "feed/a.jsonl", [*rows, {"text": 7, "url": EVIL}])
    recipe = write_recipe(folder, [{"jsonl": {"path": "feed/*.jsonl"}}], stages=["dedup_exact"])
    return build(recipe)


def test_dir_shows_the_names_that_are_not_imported_yet() -> None:
    """A notebook completes them."""
    code = "import builder, json; print(json.dumps([n for n in dir(builder) if not n.startswith('_')]))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == sorted(builder.__all__)
    for name in ("check", "why", "rejected", "show"):
        assert name in builder.__all__


def test_every_public_name_is_imported_by_its_name() -> None:
    """The table of modules and `__all__` name the same."""
    assert sorted(builder._MODULES) == sorted(builder.__all__)
    for name in builder.__all__:
        assert getattr(builder, name).__doc__


def test_values_are_short_in_a_console_and_escaped_in_a_notebook(built: BuildResult) -> None:
    """A URL of a stranger must not run a script in a notebook."""
    corpus = Corpus(built.corpus)
    values = [
        built,
        corpus,
        verify(built.corpus),
        diff(built.corpus, built.version, built.version),
        show(built.corpus),
        why(built.corpus, EVIL),
        check(built.corpus.parent / "recipe.yaml"),
        validate(built.corpus.parent / "feed/a.jsonl", contract="page-1"),
    ]
    for value in values:
        assert repr(value).startswith(type(value).__name__ + "(")
        assert len(repr(value)) < 1_000
        assert "\n" not in repr(value)
        html = value._repr_html_()
        assert "<script>" not in html
        assert html.startswith("<table>")
    assert "&lt;script&gt;" in why(built.corpus, EVIL)._repr_html_()
    assert "records=5" in repr(built)


def test_tables_of_a_corpus_are_read_when_they_are_asked_for(built: BuildResult) -> None:
    """The newest version and all splits are the defaults."""
    corpus = Corpus(built.corpus)
    assert corpus.ledger().count_rows() == 5
    kept = corpus.ledger(built.version).to_table(columns=["outcome"])["outcome"].to_pylist()
    assert sorted(kept) == ["kept", "kept", "kept", "merged", "rejected"]
    assert corpus.clusters().count_rows() >= 1
    n_rows = {split.name: split.rows for split in built.splits}
    assert corpus.rows().count_rows() == sum(n_rows.values()) == 3
    for split, n in n_rows.items():
        if n:
            assert corpus.rows(built.version, split).count_rows() == n
    with pytest.raises(CorpusError, match="no rows in the split 'tran'"):
        corpus.rows(split="tran")


def test_one_value_is_taken_where_a_list_is(tmp_path: Path, built: BuildResult) -> None:
    """A text is not taken for a list of letters."""
    file = built.corpus.parent / "feed/a.jsonl"
    assert validate(str(file), contract="page-1").n_records == 5
    assert (
        dedup(str(file), output=tmp_path / "one").outcomes == dedup([file], output=tmp_path / "two").outcomes
    )
    assert builder.takedown(built.corpus, urls="https://a.example/1", because="asked", dry_run=True).documents


def test_settings_are_a_mapping_or_texts(built: BuildResult) -> None:
    """A mapping needs no YAML in a text."""
    path = built.corpus.parent / "recipe.yaml"
    for settings in ({"splits": {"train": 1.0}}, ["splits={train: 1.0}"], "splits={train: 1.0}"):
        assert Recipe.load(path, settings=settings).splits == {"train": 1.0}


def test_rejected_records_are_written(built: BuildResult, tmp_path: Path) -> None:
    """`rejected` is a function like the others."""
    assert rejected(built.corpus, tmp_path / "bad.jsonl").n_written == 1
