"""The Python API: what `dir` shows, short values in a console and a notebook, and lists of one."""

from __future__ import annotations

import functools
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
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
    gc,
    rejected,
    show,
    validate,
    verify,
    why,
)
from builder.errors import CorpusError, RecipeError
from builder.hub.guard import VersionCheck

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


def functions() -> list[str]:
    """The public functions, and the methods of public classes that docs/python.md lists."""
    plain = [name for name in builder.__all__ if not inspect.isclass(getattr(builder, name))]
    methods = ["Recipe.load", "Recipe.from_dict"]
    methods += [f"Corpus.{name}" for name in ("versions", "newest", "manifest", "digest", "data_files")]
    return [*plain, *methods, *(f"Corpus.{name}" for name in ("rows", "ledger", "clusters"))]


@pytest.mark.parametrize("name", functions())
def test_every_function_has_types_an_example_and_its_errors(name: str) -> None:
    """pytest runs the example as a doctest."""
    function = functools.reduce(getattr, name.split("."), builder)
    signature = inspect.signature(function)
    given = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
    assert [one.name for one in given if one.annotation is one.empty] == []
    assert signature.return_annotation is not signature.empty
    text = inspect.getdoc(function) or ""
    assert "\n>>> " in text
    assert "\nRaises:\n" in text


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
        check(built.corpus),
        gc(built.corpus, only_look=True),
        rejected(built.corpus, built.corpus.parent / "rejected.jsonl"),
        Recipe.load(built.corpus.parent / "recipe.yaml"),
        corpus.manifest(built.version),
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


def test_a_notebook_lists_records_rows_and_reasons(built: BuildResult) -> None:
    """A result that only counts sends its reader to another tool."""
    assert "duplicate" in built._repr_html_() or "same_text" in built._repr_html_()
    assert "<td style='text-align:left'>validate</td>" in show(built.corpus)._repr_html_()
    assert "<td style='text-align:left'>rejected</td>" in why(built.corpus, EVIL)._repr_html_()


def test_check_takes_a_version(built: BuildResult) -> None:
    """As the command does: a folder is a corpus, all else a recipe."""
    for address in (built.corpus, f"{built.corpus}@{built.version}"):
        found = check(address)
        assert isinstance(found, VersionCheck)
        assert (found.version, found.fit) == (built.version, True)
    with pytest.raises(RecipeError, match="the target is a folder"):
        check(built.corpus, settings={"splits": {"train": 1.0}})


def test_settings_apply_to_a_recipe_that_is_a_path(built: BuildResult) -> None:
    """`build` and `check` load it as `Recipe.load` does; a loaded recipe does not change."""
    path = built.corpus.parent / "recipe.yaml"
    settings = {"splits": {"train": 1.0}}
    assert [one.name for one in build(path, settings=settings, dry_run=True).splits] == ["train"]
    found = check(path, settings=settings)
    assert not isinstance(found, VersionCheck)
    assert found.splits == ["train"]
    with pytest.raises(RecipeError, match=r"settings needs a recipe that is given as a path"):
        build(Recipe.load(path), settings=settings)


def test_the_ledger_is_that_of_all_builds(built: BuildResult, tmp_path: Path) -> None:
    """One row for each record: the newest, with the version whose build wrote it."""
    shutil.copytree(built.corpus, tmp_path / "corpus", symlinks=True)
    corpus = Corpus(tmp_path / "corpus")
    newer = builder.takedown(corpus.path, urls="https://a.example/0", because="asked").version
    rows = {row["record_id"]: row for row in corpus.ledger().to_table().to_pylist()}
    assert len(rows) == corpus.ledger().count_rows() == corpus.ledger(built.version).count_rows() == 5
    by_version = {one: sum(row["version"] == one for row in rows.values()) for one in corpus.versions()}
    assert by_version == {built.version: 3, newer: 2}
    assert {row["outcome"] for row in rows.values() if row["version"] == newer} == {"rejected"}
    kept = corpus.ledger().to_table(filter=pc.field("outcome") == "kept", columns=["url"])
    assert sorted(kept["url"].to_pylist()) == ["https://a.example/1", "https://a.example/3"]
    assert corpus.clusters(built.version).count_rows() == 1
    assert corpus.clusters().count_rows() == 0


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


def test_a_corpus_and_a_result_are_addresses(built: BuildResult, tmp_path: Path) -> None:
    """What one function returns, the next one takes."""
    corpus = Corpus(built.corpus)
    url = "https://a.example/0"
    assert why(corpus, url) == why(built, url) == why(built.corpus, url)
    assert show(built).records == show(str(built.corpus)).records
    assert verify(corpus) == verify(built.corpus)


def test_a_build_with_nothing_new_says_so(built: BuildResult) -> None:
    """The numbers alone look as if the version were new."""
    again = build(built.corpus.parent / "recipe.yaml")
    assert again.nothing_new
    assert "nothing new" in repr(again)


def test_rejected_counts_the_records_that_it_does_not_export(tmp_path: Path) -> None:
    """A stage rejects typed rows; their bytes as they came are not kept."""
    write_lines(tmp_path / "feed/a.jsonl", [{"text": "one two three"}, {"text": "one"}, {"text": 7}])
    recipe = write_recipe(tmp_path, [{"jsonl": {"path": "feed/*.jsonl"}}], stages=["filter"])
    document = json.loads(recipe.read_text())
    document["stages"] = [{"filter": {"words": {"min": 2}}}]
    recipe.write_text(json.dumps(document))
    written = rejected(build(recipe), tmp_path / "out.jsonl")
    assert (written.n_written, written.n_by_stages) == (1, 1)
