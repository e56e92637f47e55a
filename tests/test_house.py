"""Rules of the house that a machine can hold people to."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import builder
from builder import errors
from builder.recipe import recipe_schema
from builder.registry import SOURCES, STAGES, source_class, stage_class
from builder.stages.filter import Filter
from builder.stages.opt_out import OptOut

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "builder").rglob("*.py"))
MAX_LINES = 500
MAX_FUNCTION_LINES = 60


def test_no_file_has_more_than_500_lines() -> None:
    """A longer file has a second idea in it."""
    long = {
        str(path.relative_to(ROOT)): n
        for path in MODULES
        if (n := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_no_function_is_too_long() -> None:
    """A function that needs more than a screen is several; its docstring does not count."""
    long = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and (n := _body_lines(node)) > MAX_FUNCTION_LINES:
                long[f"{path.relative_to(ROOT)}:{node.name}"] = n
    assert long == {}


def _body_lines(node: ast.FunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_module_is_called_utils() -> None:
    """A function without a home shows a missing word."""
    homeless = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in MODULES if path.name in homeless] == []


def test_every_error_is_drawn() -> None:
    """The tree at the top of errors.py is complete, and each error hangs where it is drawn."""
    drawn = re.findall(r"(\w+Error)\b", errors.__doc__ or "")
    made = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert sorted(drawn) == sorted(made)
    assert all(issubclass(getattr(errors, name), errors.BuilderError) for name in drawn)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_one_name(name: str) -> None:
    """Key in the recipe, file, registered name and ledger column are one word."""
    stage = stage_class(name)
    assert stage.name == name
    assert stage.__module__ == f"builder.stages.{name}"
    assert dataclasses.is_dataclass(stage)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_has_one_name(kind: str) -> None:
    """Key in the recipe, file, kind and ledger column are one word."""
    source = source_class(kind)
    assert source.kind == kind
    assert source.__module__ == f"builder.io.{kind}"


@pytest.mark.parametrize("found", [*map(stage_class, STAGES), *map(source_class, SOURCES)])
def test_every_option_has_help(found: type) -> None:
    """An option is a field that says what it is; a default holds if the recipe does not say."""
    for field in dataclasses.fields(found):
        if (found, field.name) in (
            (Filter, "called"),
            (OptOut, "noted"),
        ):  # the recipe and the build set them
            continue
        assert field.metadata.get("help", "").strip().endswith("."), f"{found.__name__}.{field.name}"


def test_the_recipe_schema_is_fresh() -> None:
    """schemas/recipe.schema.json is what the options make of it; `make docs` writes it anew."""
    written = json.loads((ROOT / "schemas" / "recipe.schema.json").read_text())
    assert written == json.loads(json.dumps(recipe_schema()))


def test_all_is_sorted_and_complete() -> None:
    """What the package promises is there, in order."""
    assert list(builder.__all__) == sorted(builder.__all__)
    assert [name for name in builder.__all__ if not hasattr(builder, name)] == []


def test_help_imports_nothing_heavy() -> None:
    """`builder --help` answers at once because it imports no library that takes time."""
    code = (
        "import sys, contextlib, io\n"
        "from builder.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main(['--help'])\n"
        "heavy = {'pyarrow', 'numba', 'numpy', 'datasets', 'jsonschema', 'rich'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_build_starts_without_pandas() -> None:
    """Importing pandas takes a fifth of a second. `pyarrow.dataset` imports it, and few builds need that."""
    code = (
        "import sys\n"
        "import builder.operations.build\n"
        "print(sorted({'pandas', 'pyarrow.dataset'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


DEFINED_TWICE = {
    "REASONS": "each module that reads or judges lists its reason codes under this one name",
    "TASK_BYTES": "each format has its own size of a task, for its own reason",
}
"""Public names that several modules define, each with its reason."""


def test_a_public_name_is_defined_once() -> None:
    """One name, one meaning: who searches for a name finds what it is."""
    homes: dict[str, list[str]] = {}
    for path in MODULES:
        for name in _defined(ast.parse(path.read_text())):
            homes.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    twice = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert {name: paths for name, paths in twice.items() if name not in DEFINED_TWICE} == {}
    assert sorted(twice) == sorted(DEFINED_TWICE)


def _defined(module: ast.Module) -> set[str]:
    """The public names that the top level of a module defines; imports are not definitions."""
    names: set[str] = set()
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {
                leaf.id for target in node.targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)
            }
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


MAX_MODULES = 25


def test_no_folder_has_too_many_modules() -> None:
    """A folder is a room: what is in it can be seen at one glance."""
    counts = Counter(
        path.parent.relative_to(ROOT).as_posix() for path in MODULES if path.name != "__init__.py"
    )
    assert {folder: n for folder, n in counts.items() if n > MAX_MODULES} == {}
