"""A person's mistake, or a full disk, is an error with advice and never a traceback."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import COMMAND

CONTRACT = {
    "type": "object",
    "properties": {
        "body": {"type": "string"},
        "count": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "seen": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        (
            {"text": "count"},
            "columns.text: the column 'count' must be text (`type: string`), but its type is int64",
        ),
        ({"text": "body", "url": "tags"}, "columns.url: the column 'tags' must be text (`type: string`)"),
        ({"text": "body", "html": "tags"}, "columns.html: the column 'tags' must be text (`type: string`)"),
        (
            {"text": "body", "fetched_at": "seen"},
            "must be a date-time (`format: date-time`), but its type is string",
        ),
        (
            {"text": "body", "fetched_at": "tags"},
            "or write columns: {fetched_at: null})",
        ),
    ],
    ids=str,
)
def test_a_column_of_the_wrong_type_for_its_role_is_a_fault_of_the_recipe(
    columns: dict[str, str], fault: str, run_here: Any, tmp_path: Path
) -> None:
    """It is found before a record is read."""
    (tmp_path / "own.json").write_text(json.dumps(CONTRACT))
    (tmp_path / "a.jsonl").write_text('{"body": "A text."}\n')
    recipe = {
        "name": "t",
        "corpus": "out",
        "contract": "own.json",
        "columns": columns,
        "sources": [{"jsonl": {"path": "a.jsonl"}}],
    }
    (tmp_path / "r.yaml").write_text(json.dumps(recipe))
    done = run_here("build", "r.yaml")
    assert (done.status, done.out, fault in done.err) == (1, "", True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["text", "html", "url", "fetched_at"])
def test_a_contract_may_have_such_a_column_without_the_role(name: str, run_here: Any, tmp_path: Path) -> None:
    """The advice of the fault helps: null takes the role from the column."""
    contract = {
        "type": "object",
        "properties": {"body": {"type": "string"}, name: {"type": "array", "items": {"type": "integer"}}},
    }
    (tmp_path / "own.json").write_text(json.dumps(contract))
    (tmp_path / "a.jsonl").write_text(json.dumps({"body": "A text.", name: [1]}))
    recipe = {
        "name": "t",
        "corpus": "out",
        "contract": "own.json",
        "sources": [{"jsonl": {"path": "a.jsonl"}}],
    }
    (tmp_path / "r.yaml").write_text(json.dumps(recipe))
    assert f"columns.{name}: the column {name!r} must be" in run_here("build", "r.yaml").err
    (tmp_path / "r.yaml").write_text(json.dumps(recipe | {"columns": {name: None}}))
    done = run_here("build", "r.yaml", "--workers", "1")
    assert done.status == 0, done.err


def test_init_in_a_place_that_cannot_be_written_is_an_error(run_here: Any, tmp_path: Path) -> None:
    """A file is where the folder would be."""
    (tmp_path / "file").write_text("")
    done = run_here("init", "file/inside")
    assert (done.status, done.out) == (1, "")
    assert done.err == "error: file/inside: cannot be written: Not a directory (choose another folder)\n"


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system knows no such limit")
def test_init_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """The same command works when there is space: no half of an example is in the way."""
    done = subprocess.run(
        [*COMMAND, "init", "my"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "my: cannot be written: File too large (free some space, or choose another folder)" in done.stderr
    again = subprocess.run([*COMMAND, "init", "my"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
