"""``filter: {call: ...}``: functions of a recipe's author; none is imported before the user allows it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import builder, write_recipe
from planted import ledger_of, write_lines

from builder import BuildResult, Corpus, Recipe, build
from builder.errors import RecipeError
from builder.operations.check import check

Make = Callable[..., BuildResult]

KEEP = """
def keep(row):
    if row.text == "boom":
        raise ValueError("the text explodes")
    if len(row.text.split()) < 2:
        return "few_words"
    return row["title"] != "no"
"""
ROWS = [
    {"text": "one two three", "url": "https://a.example/0", "title": "yes"},
    {"text": "one", "url": "https://a.example/1", "title": None},
    {"text": "four five", "url": "https://a.example/2", "title": "no"},
    {"text": "boom", "url": "https://a.example/3", "title": "yes"},
    {"text": "six seven", "url": None, "title": None},
]
LOST = [
    (1, "rejected", "filter", "few_words", None),
    (2, "rejected", "filter", "filtered", None),
    (3, "failed", "filter", "stage_error", "ValueError: the text explodes (keep.py, line 4)"),
]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with a function in the file next to it, and five pages."""
    write_lines(tmp_path / "feed/a.jsonl", ROWS)
    (tmp_path / "keep.py").write_text(KEEP)
    return recipe_of(tmp_path, "./keep.py:keep")


def recipe_of(folder: Path, call: str, **options: Any) -> Path:
    path = write_recipe(folder, [{"jsonl": {"path": "feed/*.jsonl"}}], stages=[])
    document = json.loads(path.read_text())
    document["stages"] = [{"filter": {"call": call, **options}}]
    path.write_text(json.dumps(document))
    return path


def lost(result: BuildResult) -> list[tuple[Any, ...]]:
    keys = ("ordinal", "outcome", "stage", "reason", "message")
    return [tuple(row[key] for key in keys) for row in ledger_of(result) if row["outcome"] != "kept"]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that installs a package with a function; it can be called again."""
    folder = tmp_path / "site"
    (folder / "own_words").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))

    def forget() -> None:
        from builder.recipe import code_identity
        from builder.stages.functions import called

        for name in [one for one in sys.modules if one.partition(".")[0] == "own_words"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        called._load.cache_clear()
        code_identity._distribution.cache_clear()

    def run(code: str = KEEP, *, other: str = "", version: str = "1.0") -> None:
        (folder / "own_words/__init__.py").write_text("")
        (folder / "own_words/keeping.py").write_text(code)
        (folder / "own_words/other.py").write_text(other)
        facts = folder / "own_words_of_us.dist-info"
        facts.mkdir(exist_ok=True)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: own-words-of-us\nVersion: {version}\n")
        (facts / "top_level.txt").write_text("own_words\n")
        forget()

    yield run
    forget()


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_a_function_in_a_file_decides_on_rows(recipe: Path, batch_rows: int) -> None:
    """Its answer is a bool or a reason; a row on which it raises is failed. Batches do not matter."""
    assert lost(build(recipe, allow_code=True, batch_rows=batch_rows)) == LOST


def test_a_function_of_a_package_decides_on_rows(recipe: Path, module: Any, tmp_path: Path) -> None:
    """The name of a module and the name of a function are enough."""
    module()
    result = build(recipe_of(tmp_path, "own_words.keeping:keep", name="own"), allow_code=True)
    expected = [
        (n, o, "own", why, what and what.replace("keep.py", "keeping.py")) for n, o, _, why, what in LOST
    ]
    assert lost(result) == expected


def test_workers_run_the_function_of_a_file(recipe: Path) -> None:
    """A source with native parsers starts workers, which get the content of the file."""
    (recipe.parent / "feed/a.jsonl").unlink()
    (recipe.parent / "feed/a.html").write_text("<p>one two three</p>")
    (recipe.parent / "feed/b.html").write_text("<p>one</p>")
    document = json.loads(recipe.read_text())
    document["sources"] = [{"html": {"path": "feed/*.html"}}]
    document["stages"] = [{"extract_text": {}}, *document["stages"]]
    recipe.write_text(json.dumps(document))
    result = build(recipe, allow_code=True, workers=2)
    assert [one[3] for one in lost(result)] == ["few_words"]


@pytest.mark.parametrize("command", ["build", "check"])
def test_nothing_is_imported_before_it_is_allowed(
    recipe: Path, module: Any, tmp_path: Path, command: str
) -> None:
    """A recipe of somebody else may be read and checked without running its code."""
    canary = tmp_path / "imported"
    code = f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n{KEEP}"
    (tmp_path / "keep.py").write_text(code)
    module(code)
    run: Callable[..., Any] = {"build": build, "check": check}[command]
    for call in ("./keep.py:keep", "own_words.keeping:keep"):
        path = recipe_of(tmp_path, call)
        with pytest.raises(RecipeError, match=r"stages\[0\]\.filter\.call.*--allow-code"):
            run(path)
        ran = builder(command, path)
        assert (ran.returncode, "--allow-code" in ran.stderr) == (1, True)
        assert not canary.exists()
        assert run(path, allow_code=True)
        assert canary.exists(), "the canary works"
        canary.unlink()


def test_the_commands_take_allow_code(recipe: Path) -> None:
    """`check` shows what the function would reject, and `build` does it."""
    for command in ("check", "build"):
        ran = builder(command, recipe, "--allow-code")
        assert ran.returncode == 0, ran.stderr
        assert "few_words" in ran.stdout + ran.stderr


def test_the_working_directory_is_not_searched(recipe: Path, tmp_path: Path) -> None:
    """A file of a folder that the user happens to be in does not run as a module."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/keeping_here.py").write_text("raise SystemExit(9)")
    path = recipe_of(tmp_path, "keeping_here:keep")
    main = [sys.executable, "-P", "-c", "from builder.cli import main; main()"]
    for command in ("check", "build"):
        ran = subprocess.run(
            [*main, command, str(path), "--allow-code"],
            cwd=tmp_path / "here",
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 1
        assert "No module named 'keeping_here'" in ran.stderr


def test_a_file_does_not_find_the_files_next_to_it(recipe: Path, tmp_path: Path) -> None:
    """The digest covers the file alone, so it cannot import a neighbour by accident."""
    (tmp_path / "neighbour.py").write_text("x = 1")
    (tmp_path / "keep.py").write_text("import neighbour\n" + KEEP)
    with pytest.raises(RecipeError, match="No module named 'neighbour'"):
        build(recipe, allow_code=True)
    assert str(tmp_path) not in sys.path


def facts_of(result: BuildResult) -> tuple[dict[str, Any], dict[str, str]]:
    manifest = Corpus(result.corpus).manifest(result.version)
    (stage,) = (one for one in manifest.recipe["effective"]["stages"] if one["stage"] == "filter")
    return stage["identity"], manifest.tools


def test_a_changed_file_is_a_changed_recipe(recipe: Path, tmp_path: Path) -> None:
    """The next build reads all inputs again, and says why."""
    first = build(recipe, allow_code=True)
    identity, tools = facts_of(first)
    assert identity == {"function": "./keep.py:keep", "source": identity["source"]}
    assert tools["./keep.py:keep"] == f"sha256:{identity['source']}"
    assert build(recipe, allow_code=True).nothing_new
    (tmp_path / "keep.py").write_text(KEEP.replace("< 2", "< 3"))
    notices: list[str] = []
    second = build(recipe, allow_code=True, notice=notices.append)
    assert "the code of filter" in "".join(notices)
    assert [one[3] for one in lost(second)] == ["few_words", "few_words", "stage_error", "few_words"]


def test_a_changed_package_is_a_changed_recipe(recipe: Path, module: Any, tmp_path: Path) -> None:
    """Another module of the package counts, and so does the version of the distribution."""
    module()
    path = recipe_of(tmp_path, "own_words.keeping:keep")
    identity, tools = facts_of(build(path, allow_code=True))
    assert (identity["package"], identity["version"]) == ("own-words-of-us", "1.0")
    assert tools["own-words-of-us"] == "1.0"
    for change, said in (({"other": "x = 1"}, "the code of filter"), ({"version": "2.0"}, "1.0")):
        module(**change)
        notices: list[str] = []
        assert not build(path, allow_code=True, notice=notices.append).nothing_new
        assert said in "".join(notices)


def test_another_version_is_a_changed_recipe(recipe: Path, tmp_path: Path) -> None:
    """The user raises it if something has changed that no hash covers."""
    build(recipe, allow_code=True)
    assert not build(recipe_of(tmp_path, "./keep.py:keep", version="2"), allow_code=True).nothing_new


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("keep.py", "'keep.py' is not a function (write package.module:function"),
        ("./missing.py:keep", "the file './missing.py' cannot be read: No such file or directory"),
        ("../keep.py:keep", "is not in the folder of the recipe"),
        ("/tmp/keep.py:keep", "is not in the folder of the recipe"),
        ("./keep.py:kept", "AttributeError"),
        ("./keep.py:__name__", "is not a function, but str"),
        (
            "no_such_module:keep",
            "No module named 'no_such_module' (install the package, or write ./file.py:function",
        ),
    ],
)
def test_a_wrong_call_is_a_fault_before_a_record_is_read(
    recipe: Path, tmp_path: Path, call: str, what: str
) -> None:
    """The message has the place, the value and the next step."""
    with pytest.raises(RecipeError) as error:
        build(recipe_of(tmp_path, call), allow_code=True)
    assert what in str(error.value)
    assert str(error.value).startswith("stages[")


def test_a_filter_without_a_function_is_a_fault(recipe: Path, make: Make) -> None:
    """It would keep every row and look as if it worked."""
    with pytest.raises(RecipeError, match=r"nothing to filter by \(name a function"):
        make(stages=["filter"])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("None", "TypeError: the function returned NoneType, not a bool or a reason"),
        ("1", "TypeError: the function returned int, not a bool or a reason"),
        ("'Too Short'", "ValueError: the function returned 'Too Short'; a reason is lower_snake_case"),
    ],
)
def test_a_wrong_answer_fails_its_row(recipe: Path, tmp_path: Path, answer: str, message: str) -> None:
    """A function without a return statement must not reject every row in silence."""
    code = f"def keep(row):\n    return {answer} if row.url is None else True\n"
    (tmp_path / "keep.py").write_text(code)
    assert [one[1:] for one in lost(build(recipe, allow_code=True))] == [
        ("failed", "filter", "stage_error", message)
    ]


def test_a_recipe_can_be_loaded_once_and_built_later(recipe: Path, tmp_path: Path) -> None:
    """What was read is what runs, even if the file changes in between."""
    loaded = Recipe.load(recipe, allow_code=True)
    (tmp_path / "keep.py").write_text("def keep(row): return False")
    assert lost(build(loaded)) == LOST


def test_the_first_error_of_a_function_is_in_the_summary(recipe: Path) -> None:
    """A wrong name in the code is seen without a search in the ledger, in `check` too."""
    expected = [("filter", "stage_error", "ValueError: the text explodes (keep.py, line 4)")]
    for found in (build(recipe, allow_code=True).messages, check(recipe, allow_code=True).sample.messages):
        assert [(one.stage, one.reason, one.message) for one in found] == expected


def test_what_a_function_prints_is_not_in_the_output(recipe: Path, tmp_path: Path) -> None:
    """Stdout is for results; a JSON document with a line of the function before it could not be read."""
    (tmp_path / "keep.py").write_text(
        "print('imported')\ndef keep(row):\n    print('seen')\n    return True\n"
    )
    command = [sys.executable, "-m", "builder", "build", str(recipe), "--allow-code", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["records"]["kept"] == 5, done.stderr
    assert {"imported", "seen"} <= set(done.stderr.splitlines())
