"""The docs cannot drift: what is generated is fresh, and everything has its page."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest
from ruamel.yaml import YAML

from builder.cli.main import COMMANDS, cli
from builder.recipe.faults import find_faults
from builder.recipe.text import read_document
from builder.registry import SOURCES, STAGES, source_class, stage_class

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script that writes the pages."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_fresh(generate: ModuleType) -> None:
    """`make docs` would change nothing."""
    stale = [name for name, text in generate.pages().items() if generate._read(ROOT / name) != text]
    assert stale == [], "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    """A command has a page, and the page has each of its options and an example."""
    page = (DOCS / "commands" / f"{name}.md").read_text()
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = [opt for param in command.params for opt in param.opts if opt.startswith("--")]
    assert [opt for opt in options if opt not in page] == []
    assert "Example: builder" in page


@pytest.mark.parametrize("name", [*STAGES, *SOURCES])
def test_every_reason_code_is_documented(name: str) -> None:
    """The page of all codes has each reason code, with the stages and sources that give it."""
    found = stage_class(name) if name in STAGES else source_class(name)
    rows = (DOCS / "reasons.md").read_text().splitlines()
    given = {row.split("|")[1].strip(" `") for row in rows if row.startswith("|") and f"`{name}`" in row}
    assert set(found.reasons) - given == set()


@pytest.mark.parametrize("name", [*STAGES, *SOURCES])
def test_the_recipe_of_a_page_is_one(name: str) -> None:
    """What a page shows as the entry of a recipe is one that a recipe takes, with each option once."""
    page = DOCS / ("stages" if name in STAGES else "sources") / f"{name}.md"
    entry = YAML(typ="safe", pure=True).load(page.read_text().split("```yaml\n")[1].split("```")[0])
    recipe = {"name": "docs", "corpus": "out", "sources": [{"jsonl": {"path": "a.jsonl"}}], **entry}
    assert find_faults(recipe) == []
    ((options,),) = (list(part[0].values()) for part in entry.values())
    found = stage_class(name) if name in STAGES else source_class(name)
    assert list(options) == [one.name for one in dataclasses.fields(found) if "help" in one.metadata]


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_recipes_in_the_docs_have_no_faults(page: Path, tmp_path: Path) -> None:
    """A whole recipe on a written page, in YAML or TOML, meets the recipe's schema."""
    for kind, block in re.findall(r"```(yaml|toml)\n(.*?)```", page.read_text(), re.DOTALL):
        recipe = tmp_path / f"recipe.{kind}"
        recipe.write_text(block)
        document = read_document(recipe)
        if "name" in document:
            assert find_faults(document) == []


def test_links_lead_somewhere() -> None:
    """A relative link in a page leads to a file that is there."""
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        if page.name != "DATASET_CARD.md"
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []
