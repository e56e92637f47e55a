"""Pages that kill or block their worker, and lost processes, in builds by the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import MAIN, ledger_rows
from planted import sentence, write_lines

HERE = Path(__file__).resolve().parent
Build = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that builds texts with the stage ``harm`` of a plug-in package."""
    package = tmp_path / "package"
    package.mkdir()
    shutil.copy(HERE / "plugins" / "harm.py", package / "harm.py")
    facts = package / "harm-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: harm\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[builder.stages]\nharm = harm:Harm\n[builder.sources]\nhoard = harm:Hoard\n"
    )
    (tmp_path / "notes").mkdir()

    def run(
        *options: str, texts: list[str], corpus: str = "corpus", limit_s: float = 60.0, source: str = "jsonl"
    ) -> Any:
        write_lines(tmp_path / "feed.jsonl", [{"text": text} for text in texts])
        recipe = {
            "name": "harmed",
            "sources": [{source: {"path": "feed.jsonl"}}],
            "stages": [
                {"harm": {"folder": str(tmp_path / "notes"), "limit_s": limit_s}},
                {"dedup_exact": {}},
            ],
            "splits": {"train": 1.0},
            "corpus": corpus,
        }
        (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
        path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(
            [sys.executable, "-c", MAIN, "build", "recipe.yaml", "--workers", "2", *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


TEXTS = [sentence(number) for number in range(6)]


def _not_reproducible(corpus: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((corpus / ".audit/1.0.0/run.json").read_text())[
        "not_reproducible"
    ]
    return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("harm", "reason", "options", "limit_s"),
    [
        ("harm:hang", "timeout", (), 0.5),
        ("harm:crash", "crash", (), 60.0),
        ("harm:memory", "memory", ("--max-memory", "700MB"), 60.0),
    ],
)
def test_a_page_that_kills_or_blocks_its_worker_has_a_ledger_row(
    build: Build, tmp_path: Path, harm: str, reason: str, options: tuple[str, ...], limit_s: float
) -> None:
    """The build continues and succeeds; ``run.json`` lists the page, which another run may keep."""
    done = build(*options, texts=[*TEXTS[:3], harm, *TEXTS[3:]], limit_s=limit_s)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    rows = ledger_rows(tmp_path / "corpus")
    assert [(row["outcome"], row["reason"]) for row in rows if row["outcome"] != "kept"] == [
        ("failed", reason)
    ]
    assert len(rows) == 7
    assert _not_reproducible(tmp_path / "corpus") == [
        {"source": "jsonl", "path": "feed.jsonl", "stage": "harm", "unit": 3, "reason": reason}
    ]


def test_one_lost_worker_costs_no_page(build: Build, tmp_path: Path) -> None:
    """A worker that is killed once is replaced, and its page is kept."""
    done = build(texts=[*TEXTS, f"harm:killed-once a {sentence(100)}"])
    assert done.returncode == 0, done.stderr
    assert {row["outcome"] for row in ledger_rows(tmp_path / "corpus")} == {"kept"}
    assert _not_reproducible(tmp_path / "corpus") == []


def test_a_lost_zygote_ends_the_build_with_an_error_and_the_next_run_resumes(
    build: Build, tmp_path: Path
) -> None:
    """No worker can start without the zygote; the error has no traceback, and nothing is lost."""
    texts = [*TEXTS, f"harm:zygote-once z {sentence(100)}"]
    done = build(texts=texts)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "run the same command again to resume" in done.stderr
    assert build(texts=texts).returncode == 0
    assert len(ledger_rows(tmp_path / "corpus")) == 7


def test_a_resumed_build_still_lists_what_is_not_reproducible(build: Build, tmp_path: Path) -> None:
    """The part in the spool records the refused unit, so a second run has it too."""
    texts = ["harm:crash", *TEXTS, f"harm:zygote-once z {sentence(100)}"]
    assert build("--batch-rows", "2", texts=texts).returncode == 1
    assert build("--batch-rows", "2", texts=texts).returncode == 0
    assert [(one["unit"], one["reason"]) for one in _not_reproducible(tmp_path / "corpus")] == [(0, "crash")]


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("harm", "reason"), [("harm:memory", "memory"), ("harm:crash", "crash")])
def test_a_record_that_harms_a_stage_outside_of_its_units_has_a_ledger_row(
    build: Build, tmp_path: Path, harm: str, reason: str
) -> None:
    """Its batch is divided until the record is alone; all others are kept."""
    texts = [*TEXTS[:4], f"outside {harm}", *TEXTS[4:]]
    done = build("--max-memory", "700MB", texts=texts)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    rows = ledger_rows(tmp_path / "corpus")
    assert [(row["outcome"], row["stage"], row["reason"]) for row in rows if row["outcome"] != "kept"] == [
        ("failed", "jsonl", reason)
    ]
    assert len(rows) == 7
    assert _not_reproducible(tmp_path / "corpus") == [
        {"source": "jsonl", "path": "feed.jsonl", "stage": "jsonl:rows", "unit": 4, "reason": reason}
    ]


def test_a_reader_without_memory_fails_the_rest_of_its_file(build: Build, tmp_path: Path) -> None:
    """The batches before are kept; one row represents all that was not read."""
    done = build("--max-memory", "700MB", "--batch-rows", "2", texts=TEXTS, source="hoard")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    rows = ledger_rows(tmp_path / "corpus")
    assert [(row["outcome"], row["reason"]) for row in rows] == [("kept", None)] * 4 + [("failed", "memory")]
    assert rows[-1]["record_id"] == f"{rows[-2]['record_id']}+"
