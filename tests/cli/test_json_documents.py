"""With `--json`, stdout is one JSON document that meets its schema."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from builder.cli.main import COMMANDS

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
TIDES = "https://example.org/tides"

CALLS = {
    "init": (["init", "{tmp}/fresh"], 0),
    "check a recipe": (["check", "my/recipe.yaml"], 0),
    "tune": (["tune", "my/recipe.yaml", "--workers", "1"], 0),
    "tune, written": (["tune", "{tmp}/r.yaml", "--set", "stages.dedup_near.threshold=0.7", "--write"], 0),
    "check a version": (["check", "my/corpus@1.0.0"], 0),
    "build": (["build", "my/recipe.yaml", "--set", "corpus={tmp}/corpus"], 0),
    "build again": (["build", "my/recipe.yaml"], 0),
    "build, dry": (["build", "my/recipe.yaml", "--set", "corpus={tmp}/corpus", "--dry-run"], 0),
    "build, limited": (["build", "my/recipe.yaml", "--limit", "2"], 0),
    "validate": (["validate", "my/pages/pages.jsonl", "--contract", "page-1"], 4),
    "dedup": (["dedup", "my/pages/pages.jsonl", "--output", "{tmp}/clean"], 0),
    "versions": (["versions", "my/corpus"], 0),
    "verify": (["verify", "my/corpus"], 0),
    "why, kept and merged": (["why", "my/corpus", TIDES], 0),
    "why, rejected": (["why", "my/corpus", "https://example.org/broken"], 0),
    "why, unknown": (["why", "my/corpus", "https://example.org/nowhere"], 1),
    "diff": (["diff", "{lamps}/lamps", "1.0.0", "2.0.0"], 0),
    "diff of all rows": (["diff", "{lamps}/lamps", "2.0.0", "1.0.0", "--rows"], 0),
    "diff of all rows, without any": (["diff", "{lamps}/lamps", "2.0.0", "2.0.0", "--rows"], 0),
    "takedown": (
        ["takedown", "{tmp}/corpus", "--url", TIDES, "--because", "a test"],
        0,
    ),
    "takedown, dry": (
        ["takedown", "{tmp}/corpus", "--url", TIDES, "--because", "a test", "--dry-run"],
        0,
    ),
    "takedown and purge": (
        ["takedown", "{tmp}/corpus", "--url", TIDES, "--because", "a test", "--purge"],
        0,
    ),
    "optout": (["optout", "my/corpus"], 0),
    "yank": (["yank", "{tmp}/lamps@2.0.0", "--because", "a test"], 0),
    "drop": (["drop", "{tmp}/lamps@1.0.0"], 0),
    "gc": (["gc", "{tmp}/lamps"], 0),
    "gc that only looks": (["gc", "{tmp}/lamps", "--dry-run"], 0),
    "publish, dry": (["publish", "my/corpus", "--repo", "harbour/json", "--dry-run"], 0),
    "publish": (["publish", "my/corpus", "--repo", "harbour/json"], 0),
    "fetch": (["fetch", "harbour/json@1.0.0", "{tmp}/got"], 0),
    "show": (["show", "my/corpus"], 0),
    "show, kept": (["show", "my/corpus", "--outcome", "kept"], 0),
    "rejected": (["rejected", "my/corpus", "--output", "{tmp}/rejected.jsonl"], 0),
    "report": (["report", "my/corpus", "-o", "{tmp}/report.html"], 0),
    "plugin": (["plugin", "check", "repair_text"], 0),
    "schema": (["schema"], 0),
}


def schema(name: str) -> dict[str, Any]:
    """Read the schema of the document of a command."""
    found: dict[str, Any] = json.loads((SCHEMAS / f"json-{name}.schema.json").read_text())
    return found


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the schemas of objects inside a schema."""
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", CALLS)
def test_the_document_meets_its_schema(
    name: str, run: Any, run_with_hub: Any, start: Any, lamps: Path, tmp_path: Path
) -> None:
    """stdout is one JSON document for any exit status."""
    args, status = CALLS[name]
    shutil.copytree(lamps / "lamps", tmp_path / "lamps", symlinks=True)
    if args[0] == "takedown":
        shutil.copytree(start.folder / "my" / "corpus", tmp_path / "corpus", symlinks=True)
    if "--write" in args:
        recipe = (start.folder / "my" / "recipe.yaml").read_text()
        (tmp_path / "r.yaml").write_text(recipe.replace("pages/", f"{start.folder}/my/pages/"))
    if args[0] == "fetch":
        run_with_hub("publish", "my/corpus", "--repo", "harbour/json")
    if args[0] in ("publish", "fetch"):
        run = run_with_hub
    done = run(*(arg.format(tmp=tmp_path, lamps=lamps) for arg in args), "--json")
    assert done.status == status, done.err
    document = json.loads(done.out)
    named = "build" if args[0] == "dedup" else args[0]
    assert [error.message for error in Draft202012Validator(schema(named)).iter_errors(document)] == []


def test_every_command_has_a_schema_and_a_call_here() -> None:
    """A new command needs all of them."""
    assert {args[0] for args, _ in CALLS.values()} == set(COMMANDS)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("json-*.json")), ids=lambda path: path.name)
def test_a_schema_is_closed(path: Path) -> None:
    """An object has only declared members, and each member has a description or its own type."""
    found = json.loads(path.read_text())
    Draft202012Validator.check_schema(found)
    assert found["title"] == path.name.removesuffix(".schema.json")
    assert [one for one in objects(found) if one.get("additionalProperties") is not False] == []


def test_the_row_of_why_is_a_row_of_the_ledger() -> None:
    """`why` prints all columns of the ledger."""
    ledger = json.loads((SCHEMAS / "ledger-1.schema.json").read_text())
    row = schema("why")["$defs"]["row"]
    assert row["properties"] == ledger["properties"]
    assert row["required"] == list(ledger["properties"])


def test_faults_of_verify_meet_the_schema(run: Any, start: Any, tmp_path: Path) -> None:
    """Each fault in the document has place, text and advice."""
    corpus = tmp_path / "corpus"
    shutil.copytree(start.folder / "my" / "corpus", corpus, symlinks=True)
    (corpus / "1.0.0" / "README.md").chmod(0o644)
    (corpus / "1.0.0" / "README.md").write_text("other")
    for command in ("verify", "check"):
        done = run(command, str(corpus), "--json")
        assert done.status == 4
        document = json.loads(done.out)
        assert document["faults"]
        Draft202012Validator(schema(command)).validate(document)


def test_schema_prints_the_file_unchanged(run: Any) -> None:
    """The output is the same with and without `--json`."""
    text = (SCHEMAS / "page-1.schema.json").read_text()
    assert run("schema", "page-1").out == run("schema", "page-1", "--json").out == text


@pytest.mark.parametrize(
    ("args", "status", "what"),
    [
        (["build", "nowhere.yaml"], 1, "no such file"),
        (["buid", "my/recipe.yaml"], 2, "Did you mean 'build'?"),
        (["build"], 2, "Missing argument 'RECIPE'."),
        (["init", "my"], 1, "already exists"),
    ],
    ids=["no recipe", "no such command", "no argument", "a folder with files"],
)
def test_a_failure_is_a_document_too(
    args: list[str], status: int, what: str, run: Any, tmp_path: Path
) -> None:
    """A script reads the faults from stdout; people read the same lines on stderr."""
    if args[0] == "build" and len(args) > 2:
        args = [*args, "--set", f"corpus={tmp_path}/corpus"]
    done = run(*args, "--json")
    document = json.loads(done.out)
    Draft202012Validator(schema("faults")).validate(document)
    assert (done.status, what in document["faults"][0]["what"]) == (status, True)
    assert what in done.err


def test_a_build_that_wrote_no_version_prints_its_document_and_the_faults(run: Any, tmp_path: Path) -> None:
    """A script learns from it what was lost, and where."""
    args = ["my/recipe.yaml", "--max-rejected", "0", "--full", "--set", f"corpus={tmp_path}/corpus", "--json"]
    done = run("build", *args)
    document = json.loads(done.out)
    Draft202012Validator(schema("build")).validate(document)
    assert (done.status, "were rejected or failed" in document["faults"][0]["what"]) == (3, True)
    assert "were rejected or failed" in done.err
