"""The docs cannot drift: what is generated is fresh, and everything has its page."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

from builder.cli.main import COMMANDS, cli
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
    assert stale == []


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
    """Each reason code of a stage or source stands in the one table of all codes."""
    found = stage_class(name) if name in STAGES else source_class(name)
    table = (DOCS / "reasons.md").read_text()
    assert [code for code in found.reasons if f"| `{name}` | `{code}` |" not in table] == []


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
