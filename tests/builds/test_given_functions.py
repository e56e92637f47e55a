"""A list of stages in Python holds functions: which are taken, and which need a version."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import ledger_of, write_lines

from builder import BuildResult, Corpus, Recipe, build
from builder.errors import RecipeError

Make = Callable[..., BuildResult]


def two_words(row: Any) -> bool | str:
    return len(row.text.split()) >= 2 or "few_words"


def source(row: Any) -> bool:
    """Reject nothing; its name has a meaning in the ledger."""
    return True


@pytest.fixture
def feed(tmp_path: Path) -> None:
    texts = ["one two three", "one", "four five", ""]
    write_lines(
        tmp_path / "feed/a.jsonl",
        [{"text": text, "url": f"https://a.example/{i}"} for i, text in enumerate(texts)],
    )


def lost(result: BuildResult) -> list[tuple[int, str, str]]:
    return [
        (row["ordinal"], row["stage"], row["reason"]) for row in ledger_of(result) if row["outcome"] != "kept"
    ]


def recipe_facts(result: BuildResult) -> dict[str, Any]:
    facts: dict[str, Any] = Corpus(result.corpus).manifest(result.version).recipe
    return facts


def identity_of(result: BuildResult) -> dict[str, Any]:
    (stage,) = (s for s in recipe_facts(result)["effective"]["stages"] if s["stage"] == "filter")
    found: dict[str, Any] = stage["identity"]
    return found


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Recipe]:
    """Return a function that makes a recipe with the stages that a user writes in Python."""

    def run(*stages: Any) -> Recipe:
        document = {
            "name": "given",
            "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
            "stages": list(stages),
            "corpus": "corpus",
        }
        return Recipe.from_dict(document, folder=tmp_path)

    return run


def test_a_function_is_a_stage_with_its_name(feed: None, take: Any) -> None:
    """No permission is needed: the caller has imported it. The manifest names it as a recipe does."""
    result = build(take(two_words))
    assert lost(result) == [(1, "two_words", "few_words"), (3, "two_words", "few_words")]
    written = recipe_facts(result)["document"]["stages"]
    assert written == [{"filter": {"name": "two_words", "call": f"{__name__}:two_words"}}]
    assert len(identity_of(result)["source"][__name__.partition(".")[0]]) == 64
    assert "reproducible" not in recipe_facts(result)
    assert build(take(two_words)).nothing_new


def test_a_name_with_another_meaning_is_not_taken(feed: None, take: Any) -> None:
    """The stage then has the name of its kind."""
    assert [stage.name for stage in take(source).stages] == ["validate", "filter"]


def test_a_function_takes_the_options_of_a_filter(feed: None, take: Any) -> None:
    """`name` and `where` are those of every stage."""
    entry = {"filter": {"call": two_words, "name": "own", "where": {"sources": ["jsonl"]}}}
    assert lost(build(take(entry)))[0] == (1, "own", "few_words")


class Least:
    """A filter with a value of its own."""

    def __init__(self, words: int) -> None:
        self.words = words

    def __call__(self, row: Any) -> bool:
        return len(row.text.split()) >= self.words

    def keep(self, row: Any) -> bool:
        return self(row)


def unnamed() -> list[Any]:
    least = 2

    def inner(row: Any) -> bool:
        return len(row.text.split()) >= least

    prompt: dict[str, Any] = {"__name__": "__main__"}
    exec("def keep(row): return len(row.text.split()) >= 2", prompt)
    return [lambda row: len(row.text.split()) >= 2, inner, prompt["keep"], Least(2), Least(2).keep]


KINDS = ["a lambda", "inner", "a prompt", "an object", "a method"]


@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_a_function_that_nothing_identifies_needs_a_version(feed: None, take: Any, number: int) -> None:
    """A change of it would not be seen. With a version, the manifest says that it is declared."""
    function = unnamed()[number]
    with pytest.raises(RecipeError, match=r"stages\[0\].* cannot be identified.*'version': '1'"):
        take(function)
    with pytest.raises(RecipeError, match=r"stages\[0\].* cannot be identified"):
        take({"filter": {"call": function}})
    entry = {"filter": {"call": function, "version": "1"}}
    result = build(take(entry))
    assert [row for row, *_ in lost(result)] == [1, 3]
    assert recipe_facts(result)["reproducible"] == "declared"
    assert (identity_of(result)["reproducible"], identity_of(result)["version"]) == ("declared", "1")
    assert Corpus(result.corpus).manifest(result.version).tools[identity_of(result)["function"]] == "1"
    assert build(take(entry)).nothing_new
    assert not build(take({"filter": {"call": function, "version": "2"}})).nothing_new


def test_two_lambdas_are_two_functions(feed: None, take: Any) -> None:
    """They have the same name in Python."""
    first = {"filter": {"name": "one", "call": lambda row: "four" not in row.text, "version": "1"}}
    second = {"filter": {"name": "two", "call": lambda row: "two" not in row.text, "version": "1"}}
    assert [one[:2] for one in lost(build(take(first, second)))][:2] == [(0, "two"), (2, "one")]


SCRIPT = """
import json, pathlib
from builder import Recipe, build

LEAST = 2

def words(row):
    return len(row.text.split())

def long_enough(row):
    return words(row) >= LEAST

document = json.loads(pathlib.Path("recipe.json").read_text())
result = build(Recipe.from_dict({**document, "stages": [{"extract_text": {}}, long_enough]}), workers=2)
print(json.dumps([result.nothing_new, result.outcomes["rejected"]]))
"""


def test_workers_run_a_function_of_a_script(tmp_path: Path) -> None:
    """Without a guard for the main module; the file of the script identifies the function."""
    for name, text in (("a", "one"), ("b", "one two"), ("c", "one two three")):
        (tmp_path / "pages").mkdir(exist_ok=True)
        (tmp_path / f"pages/{name}.html").write_text(f"<p>{text}</p>")
    document = {"name": "script", "sources": [{"html": {"path": "pages"}}], "corpus": "corpus"}
    (tmp_path / "recipe.json").write_text(json.dumps(document))

    def run(code: str) -> Any:
        (tmp_path / "run.py").write_text(textwrap.dedent(code))
        ran = subprocess.run(
            [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout.splitlines()[-1])

    assert run(SCRIPT) == [False, 1]
    assert run(SCRIPT)[0], "nothing is new"
    assert run(SCRIPT.replace("LEAST = 2", "LEAST = 3")) == [False, 2]


def test_a_recipe_of_a_file_does_not_hold_functions(feed: None, take: Any) -> None:
    """Something else in the list is a fault, as before."""
    with pytest.raises(RecipeError):
        take(7)
