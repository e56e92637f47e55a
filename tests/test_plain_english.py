"""User-facing text uses plain technical English: no metaphor and no set phrase of an older style.

A pattern is here only if it finds an unwanted phrase reliably. A false hit goes to ``ALLOWED`` with a reason.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

PYTHON_FOLDERS = (
    "builder/card",
    "builder/cli",
    "builder/history",
    "builder/hub",
    "builder/inputs",
    "builder/io",
    "builder/pipeline",
    "builder/recipe",
    "builder/comparison",
    "builder/corpus",
    "builder/domain",
    "builder/engines",
    "builder/kernels",
    "builder/operations",
    "builder/protocols",
    "builder/release",
    "builder/removal",
    "builder/report",
    "builder/stages",
    "builder/__init__.py",
    "builder/assets.py",
    "builder/errors.py",
    "builder/registry.py",
    "docs",
    "examples",
    "benchmarks",
    "tests/cli",
    "tests/corpora",
    "tests/hub",
    "tests/publish",
    "tests/unit/corpus",
    "tests/unit/engines",
    "tests/unit/hub",
    "tests/unit/stages",
)
"""Folders and single files whose string literals and docstrings are checked. Add an entry when its texts are
rewritten.
"""

GENERATED_FROM = {
    "docs/commands": ("builder/cli",),
    "docs/stages": ("builder/stages",),
    "docs/sources": ("builder/io",),
    "docs/reasons.md": ("builder/io", "builder/stages", "builder/domain", "builder/release"),
    "docs/README.md": ("builder/cli", "builder/io", "builder/stages"),
    "schemas/recipe.schema.json": ("builder/io", "builder/recipe", "builder/stages"),
}
"""Generated files, and the folders with their texts: a file is checked when all its folders are."""

PENDING: dict[str, str] = {}
"""Pages and folders that the check leaves out, with the reason. Remove an entry when it is rewritten."""

ALLOWED: dict[tuple[str, str], str] = {
    ("builder/report/why.py", "fates"): "a key of the JSON document of `builder why`, which does not change",
}
"""False hits: the file and the text that a pattern finds, with the reason why it is right there."""


class Phrase(NamedTuple):
    """An unwanted phrase: how to find it, what to write, and a sentence that contains it."""

    pattern: str
    instead: str
    planted: str


PHRASES = (
    Phrase(r"\b(?!there\b)\w+ (is|are|was|were) no\b(?! longer)", "is not a", "The folder is no corpus."),
    Phrase(
        r"\b(is|are|was|were) (?-i:none)\b", "is not one; without one", "A schema that is none is refused."
    ),
    Phrase(r"\banew\b", "again, or re-shard, rebuild, rewrite", "Everything is built anew."),
    Phrase(r"\bmend(s|ed|ing)?\b", "fix", "The records are written to a file, to be mended."),
    Phrase(r"\bbut for\b", "except", "All are failed, but for two."),
    Phrase(r"\bfor want of\b", "because there is no", "It stopped for want of room."),
    Phrase(r"\bborne\b", "retried", "Failures are borne six times."),
    Phrase(r"\bdearest\b", "most expensive", "From the cheapest to the dearest."),
    Phrase(r"\blet(s|ting)? go of\b", "release, unmap", "Pages are let go of."),
    Phrase(r"\bg(i|a)ve(s|n)? out\b", "return", "No version is given out."),
    Phrase(r"\bhand(s|ed)? in\b", "submit", "Tasks are handed in."),
    Phrase(r"\bflights?\b", "pass", "Each batch takes one flight."),
    Phrase(r"\blandings?\b", "barrier", "A landing decides."),
    Phrase(r"\bfates?\b", "outcome", "The fates of all rows."),
    Phrase(r"\bgraves?\b", "tombstone", "Each document has a grave."),
    Phrase(r"\bbur(y|ies|ied)\b", "make tombstones", "The pages are buried."),
    Phrase(r"\b(holds?|held) against\b", "compare with", "Every row is held against the index."),
    Phrase(r"\bgo(es|ing|ne)? on (from|where)\b", "resume, build on", "The build goes on where it was."),
    Phrase(r"\b(stands?|stood) for\b", "represents", "Another document stands for it."),
    Phrase(r"\bbeside\b", "next to; in addition to", "The reason is written beside the number."),
    Phrase(r"\b(lies|lay)\b", "is", "The file lies in the spool."),
    Phrase(r"\b(is|are|be) told\b", "is reported, is printed", "All faults are told together."),
    Phrase(r"\b(became|becomes?) of\b", "happened to", "It explains what became of a page."),
    Phrase(r"\brather miss\b", "favour precision", "Rather miss text than keep a menu."),
    Phrase(r"\bwithout a word\b", "silently", "The set is empty without a word."),
)


class Hit(NamedTuple):
    """A place where a phrase occurs."""

    line: int
    found: str
    instead: str


def find_phrases(text: str, *, first_line: int = 1) -> list[Hit]:
    """Return every unwanted phrase of a text; a line break may stand for a space."""
    hits = []
    for phrase in PHRASES:
        for match in re.finditer(phrase.pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
            line = first_line + text.count("\n", 0, match.start())
            hits.append(Hit(line=line, found=" ".join(match[0].lower().split()), instead=phrase.instead))
    return sorted(hits)


def check_file(path: Path) -> list[Hit]:
    """Return the unwanted phrases in the user-facing text of a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
        return [
            hit
            for node in nodes
            if isinstance(node.value, str)
            for hit in find_phrases(node.value, first_line=node.lineno)
        ]
    if path.suffix == ".json":
        return [hit for text in _described(json.loads(source)) for hit in find_phrases(text)]
    return find_phrases(source)


def _described(schema: Any) -> Iterator[str]:
    """Yield the titles and descriptions of a JSON Schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from _described(part)
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"title", "description"} and isinstance(value, str):
                yield value
            yield from _described(value)


def _is_done(path: Path) -> bool:
    """Whether the texts from which a file is generated are rewritten; true for a file that people write."""
    name = path.relative_to(ROOT).as_posix()
    sources = [folders for prefix, folders in GENERATED_FROM.items() if f"{name}/".startswith(f"{prefix}/")]
    return all(folder in PYTHON_FOLDERS for folders in sources for folder in folders)


def _files() -> list[Path]:
    """List the files that are checked."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")]
    pages += [*(ROOT / "benchmarks").glob("*.md"), *(ROOT / "builder").rglob("*.md")]
    schemas = [*(ROOT / "schemas").glob("json-*.schema.json"), ROOT / "schemas" / "recipe.schema.json"]
    modules = [path for name in PYTHON_FOLDERS for path in _modules(ROOT / name)]
    return sorted(path for path in {*pages, *schemas, *modules} if _is_done(path))


def _modules(path: Path) -> list[Path]:
    """List the Python files of a folder, or the single file."""
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_user_facing_text_is_plain_english(path: Path) -> None:
    """Newcomers read these texts first, and must not have to translate them."""
    for name, reason in PENDING.items():
        if path.is_relative_to(ROOT / name):
            pytest.skip(reason)
    hits = [hit for hit in check_file(path) if (_name(path), hit.found) not in ALLOWED]
    assert [f"{_name(path)}:{hit.line}: {hit.found!r}: write {hit.instead!r}" for hit in hits] == []


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.planted)
def test_each_pattern_finds_its_planted_sentence(phrase: Phrase) -> None:
    """A pattern that finds nothing would let the phrase pass for ever."""
    assert phrase.instead in {hit.instead for hit in find_phrases(phrase.planted)}


def test_a_phrase_across_two_lines_is_found() -> None:
    """Pages break lines inside of phrases."""
    assert [hit.line for hit in find_phrases("One.\nA document is\nno corpus.")] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "The file is no longer there.",
        "It stands next to the manifest.",
        "Recommended, amended.",
        "It is None.",
    ],
)
def test_plain_sentences_pass(text: str) -> None:
    """A pattern that finds good sentences would make people work around the check."""
    assert find_phrases(text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", "# Title\n\nAll is built anew.\n"),
        ("module.py", 'def f():\n    """Return x."""\n    raise ValueError(f"{1} is built anew")\n'),
        ("schema.json", '{"properties": {"a": {"description": "built anew", "const": "anew"}}}'),
    ],
)
def test_a_planted_sentence_is_found_in_each_kind_of_file(name: str, text: str, tmp_path: Path) -> None:
    """Each kind of file has its own way to the text; names and values of a schema are not text."""
    (tmp_path / name).write_text(text)
    assert [hit.found for hit in check_file(tmp_path / name)] == ["anew"]


def test_comments_of_python_files_are_not_user_facing(tmp_path: Path) -> None:
    """The check reads strings and docstrings only."""
    (tmp_path / "module.py").write_text('x = 1  # built anew\ny = "fine"\n')
    assert check_file(tmp_path / "module.py") == []


def test_an_entry_may_be_a_single_file(tmp_path: Path) -> None:
    """Some folders are rewritten one file at a time."""
    (tmp_path / "sub").mkdir()
    files = [tmp_path / "a.py", tmp_path / "sub/b.py"]
    for file in files:
        file.touch()
    assert _modules(tmp_path) == files
    assert _modules(files[0]) == files[:1]


def test_exceptions_name_files_that_exist() -> None:
    """An exception for a file that was renamed would hide a hit in another file of that name."""
    names = {*PENDING, *(name for name, _ in ALLOWED), *PYTHON_FOLDERS, *GENERATED_FROM}
    assert sorted(name for name in names if not (ROOT / name).exists()) == []
