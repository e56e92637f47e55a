"""No control character of a page, a name or a reason reaches a terminal, a file of the card, or a log."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub.process import StandIn
from planted import sentence
from terminals import EVIL, EVIL_NAME, escapes, on_terminal

from builder import Recipe, build, takedown, yank
from builder.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = f"https://evil.example/{EVIL}"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of pages, names and reasons with control characters, in three versions."""
    folder = tmp_path_factory.mktemp("evil")
    feed = folder / f"feed {EVIL_NAME}"
    feed.mkdir()
    lines: list[dict[str, Any]] = [{"url": f"https://a.example/{i}", "text": sentence(i)} for i in range(6)]
    lines += [{"url": PAGE, "text": sentence(50) + EVIL, "title": EVIL}]
    lines += [{"url": PAGE + "again", "text": sentence(50) + EVIL}]
    lines += [{"url": PAGE + "bad", "text": 7}, {"url": PAGE, EVIL: EVIL}]
    (feed / f"{EVIL_NAME}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines) + f"{{{EVIL}\n")
    document = {
        "name": "evil",
        "title": f"Title {EVIL}",
        "description": f"Described {EVIL}".replace("\r\n", " "),
        "sources": [{"jsonl": {"path": f"{feed.name}/*.jsonl", "name": "pages"}}],
        "splits": {"train": 1.0},
        "corpus": "corpus",
    }
    (folder / "recipe.json").write_text(json.dumps(document))
    assert build(Recipe.load(folder / "recipe.json"), workers=1).version == "1.0.0"
    (feed / "b.jsonl").write_text(json.dumps({"url": PAGE + "new", "text": sentence(60)}) + "\n")
    assert build(Recipe.load(folder / "recipe.json"), workers=1).version == "1.1.0"
    takedown(folder / "corpus", urls=["https://a.example/3"], because=f"asked {EVIL}")
    yank(f"{folder}/corpus@1.0.0", because=f"withdrawn {EVIL}")
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("hub")) as started:
        yield started


CALLS: dict[str, tuple[int, list[str]]] = {
    "init": (0, ["init", f"new {EVIL_NAME}".replace("[", "(")]),
    "check": (0, ["check", "recipe.json"]),
    "check version": (0, ["check", "corpus"]),
    "tune": (0, ["tune", "tuned.json", "--workers", "1"]),
    "build": (0, ["build", "recipe.json", "--workers", "1", "--full"]),
    "build broken": (1, ["build", "broken.json"]),
    "validate": (4, ["validate", f"feed {EVIL_NAME}/{EVIL_NAME}.jsonl", "--contract", "page-1"]),
    "dedup": (1, ["dedup", f"feed {EVIL_NAME}/{EVIL_NAME}.jsonl", "--output", "corpus"]),
    "versions": (0, ["versions", "corpus"]),
    "diff": (0, ["diff", "corpus", "1.0.0", "2.0.0"]),
    "verify": (0, ["verify", "corpus"]),
    "why": (0, ["why", "corpus", PAGE]),
    "show": (0, ["show", "corpus@1.0.0"]),
    "rejected": (0, ["rejected", "corpus", "--output", f"{EVIL_NAME}.jsonl"]),
    "takedown": (0, ["takedown", "corpus", "--url", PAGE, "--because", EVIL]),
    "yank": (0, ["yank", "corpus@1.1.0", "--because", EVIL]),
    "drop": (0, ["drop", "corpus@1.0.0"]),
    "gc": (0, ["gc", "corpus"]),
    "publish": (0, ["publish", "corpus", "--repo", "harbour/evil", "--dry-run"]),
    "fetch": (1, ["fetch", f"harbour/{EVIL}@1.0.0", "got"]),
    "report": (0, ["report", "corpus", "-o", f"{EVIL_NAME}.html"]),
    "optout": (0, ["optout", "corpus", "--missing"]),
    "schema": (1, ["schema", EVIL]),
    "plugin": (1, ["plugin", "check", EVIL]),
    "no command": (2, [EVIL]),
}
"""Calls of each command, with the exit status that shows that a call came to what it prints."""

MORE: dict[str, tuple[int, list[str]]] = {
    "build nothing new": (0, ["build", "recipe.json", "--workers", "1"]),
    "build --set": (1, ["build", "recipe.json", "--set", f"stages.{EVIL}=1"]),
    "build absent": (1, ["build", f"{EVIL_NAME}.yaml"]),
    "validate contract": (1, ["validate", "recipe.json", "--contract", EVIL]),
    "versions absent": (1, ["versions", EVIL_NAME]),
    "diff --rows": (0, ["diff", "corpus", "1.1.0", "1.0.0", "--rows"]),
    "verify damaged": (4, ["verify", "damaged"]),
    "why unknown": (1, ["why", "corpus", EVIL]),
    "takedown nothing": (1, ["takedown", "corpus", "--url", EVIL, "--because", EVIL]),
    "yank again": (1, ["yank", "corpus@1.0.0", "--because", EVIL]),
    "publish to nowhere": (1, ["publish", "corpus", "--repo", EVIL]),
    "tune labels": (1, ["tune", "tuned.json", "--labels", f"{EVIL_NAME}.csv"]),
    "usage": (2, ["build", "recipe.json", "--workers", EVIL]),
}
"""Calls whose output is a log; most end with an error."""


def test_each_command_is_among_the_calls() -> None:
    assert {call[0] for _, call in CALLS.values()} >= set(COMMANDS)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CALLS)
def test_a_terminal_sees_no_control_character(name: str, corpus: Path, hub: StandIn, tmp_path: Path) -> None:
    """Each command, with its errors, on a terminal: the reader's clipboard, title and colours stay theirs."""
    status, call = CALLS[name]
    here = _copy(corpus, tmp_path)
    done, said = on_terminal(*call, cwd=here, env=hub.environment(tmp_path / "home"))
    assert escapes(said) == []
    assert "Traceback" not in said
    assert done == status, said
    assert said.strip()


def _copy(corpus: Path, here: Path) -> Path:
    shutil.copytree(corpus, here, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(here / "corpus", here / "damaged", symlinks=True)
    (here / f"damaged/{EVIL_NAME}").write_text("added")
    document = json.loads((here / "recipe.json").read_text())
    stages = [{"filter": {"words": {"min": 3}}}, {"dedup_near": {"threshold": 0.5}}]
    (here / "tuned.json").write_text(json.dumps({**document, "stages": stages}))
    (here / "broken.json").write_text(json.dumps({**document, EVIL: EVIL, "contract": EVIL, "license": 7}))
    return here


JSON = (
    *(
        "versions",
        "verify damaged",
        "verify",
        "why",
        "diff",
        "validate",
        "check",
        "takedown",
        "yank",
        "rejected",
    ),
)


@pytest.mark.parametrize("name", JSON)
def test_a_json_document_has_escapes_of_json(name: str, corpus: Path, tmp_path: Path, run_here: Any) -> None:
    """The document has no raw control character, and its values have all of them."""
    status, call = (CALLS | MORE)[name]
    _copy(corpus, tmp_path)
    done = run_here(*call, "--json")
    assert done.status == status, done.err
    assert escapes(done.out) == escapes(done.err) == []
    values = json.dumps(json.loads(done.out), ensure_ascii=False)
    if name in ("why", "validate", "takedown", "yank"):
        assert "\u202e" in values


def test_cards_have_no_control_character(corpus: Path) -> None:
    """What the recipe, the pages and the reasons say is escaped in README.md and croissant.json."""
    names = ("README.md", "[0-9]*/README.md", "[0-9]*/croissant.json", ".audit/*/run.json")
    files = [file for name in names for file in (corpus / "corpus").glob(name)]
    assert len(files) == 10
    for file in files:
        assert escapes(file.read_text()) == [], file
    croissant = json.loads((corpus / "corpus/1.0.0/croissant.json").read_text())
    assert escapes(croissant["description"].replace("\n", " ")) == []


@pytest.mark.parametrize("name", MORE)
def test_a_log_has_no_control_character(name: str, corpus: Path, tmp_path: Path, run_here: Any) -> None:
    """Without a terminal, the output is a log: it has the same escapes."""
    status, call = MORE[name]
    _copy(corpus, tmp_path)
    done = run_here(*call)
    assert done.status == status, done.err
    assert escapes(done.out) == escapes(done.err) == []
    assert "\\x1b]0;owned" in done.out + done.err or name == "build nothing new"


WRITERS = {"print", "echo", "secho", "print_exc", "print_exception", "Console", "excepthook"}
ALLOWED = {
    ("report/printer.py", "excepthook"): "the one printer",
    (
        "progress/terminal.py",
        "Console",
    ): "bars of progress have control sequences of their own, and no text of others",
    ("progress/terminal.py", "print"): "a line above the bars, escaped",
    ("operations/plugin/laws.py", "stdout"): "what a process of its own printed, to read it",
    ("operations/plugin/laws.py", "stderr"): "what a process of its own printed, to read it",
    ("engines/worker.py", "print_exc"): "a bug of the engine, in a process without the printer",
}


def test_nothing_else_prints() -> None:
    """Whoever calls `print` or `click.echo`, or names `sys.stdout`, goes past the escapes of the printer."""
    found = set()
    for path in sorted((ROOT / "builder").rglob("*.py")):
        where = path.relative_to(ROOT / "builder").as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in WRITERS:
                    found.add((where, name))
            if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr", "__stdout__"):
                found.add((where, node.attr))
    left = {one for one in found if one not in ALLOWED and one[0] != "report/printer.py"}
    reasons = {
        ("cli/main.py", "stdout"): "flushes",
        ("progress/shown.py", "stderr"): "asks for isatty",
        ("pipeline/stage_errors.py", "stderr"): "what a user's stage prints goes there",
        ("stages/functions/called.py", "stderr"): "what a user's file prints goes there",
    }
    assert left == set(reasons)
