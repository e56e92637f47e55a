"""Outputs and file names in a locale that is not UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND

ASCII_LOCALE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
PAGE = {"url": "https://a.example/3", "title": "ü", "status": "日本"}


def run(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own, with other variables of the environment."""
    return subprocess.run(
        [*COMMAND, *args], capture_output=True, timeout=300, cwd=folder, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-8:strict"])
def test_json_output_is_the_same_document_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    """Characters that the encoding of the output lacks are escapes, which every JSON parser reads."""
    (tmp_path / "a.jsonl").write_text(json.dumps(PAGE, ensure_ascii=False), encoding="utf-8")
    done = run(tmp_path, "validate", "a.jsonl", "--contract", "page-1", "--json", PYTHONIOENCODING=encoding)
    assert done.returncode == 4, done.stderr
    faults = json.loads(done.stdout)["files"][0]["places"][0]["faults"]
    assert '"日本"' in [fault["value"] for fault in faults]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_text_output_never_fails_to_encode(encoding: str, tmp_path: Path) -> None:
    """People read escapes or another character instead of the one that the encoding lacks."""
    (tmp_path / "日本.jsonl").write_text(json.dumps(PAGE), encoding="utf-8")
    done = run(tmp_path, "validate", "日本.jsonl", "--contract", "page-1", PYTHONIOENCODING=encoding)
    assert (done.returncode, b"Traceback" in done.stderr) == (4, False)
    assert b"1 record against page-1" in done.stdout


def test_a_build_runs_in_an_ascii_locale(tmp_path: Path) -> None:
    """File names are ASCII, texts are not: the locale has no effect on texts."""
    page = {"url": "https://a.example/", "title": "Über", "text": "Äpfel und Öfen stehen am Hafen."}
    (tmp_path / "a.jsonl").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    recipe = "name: t\ntitle: Häfen\nsources: [jsonl: {path: a.jsonl}]\ncorpus: out\n"
    (tmp_path / "r.yaml").write_text(recipe, encoding="utf-8")
    done = run(tmp_path, "build", "r.yaml", "--workers", "1", **ASCII_LOCALE)
    assert done.returncode == 0, done.stderr
    assert "Häfen" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_file_name_outside_the_locale_is_an_error_with_advice(tmp_path: Path) -> None:
    """Python cannot open such a file; the message names the variable that helps."""
    recipe = "name: t\nsources: [jsonl: {path: a.jsonl}]\ncorpus: öut\n"
    (tmp_path / "r.yaml").write_text(recipe, encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "a text"}), encoding="utf-8")
    done = run(tmp_path, "build", "r.yaml", **ASCII_LOCALE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"set the environment variable PYTHONUTF8=1" in done.stderr
    assert b"Traceback" not in done.stderr
