"""Complete outputs of commands, compared with files; BUILDER_REWRITE_GOLDEN=1 rewrites the files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from golden_files import compare_with_golden

GOLDEN = Path(__file__).with_name("golden")
OUTPUTS = {
    "check": ["check", "my/recipe.yaml"],
    "tune": ["tune", "my/recipe.yaml", "--workers", "1"],
    "check_version": ["check", "my/corpus"],
    "build_again": ["build", "my/recipe.yaml", "--workers", "1"],
    "validate": ["validate", "my/pages/pages.jsonl", "--contract", "page-1"],
    "versions": ["versions", "my/corpus"],
    "verify": ["verify", "my/corpus"],
    "optout": ["optout", "my/corpus", "--missing"],
    "why_kept": ["why", "my/corpus", "https://example.org/tides"],
    "why_merged": ["why", "my/corpus", "https://mirror.example.net/lamps"],
    "why_rejected": ["why", "my/corpus@1.0.0", "https://example.org/broken"],
    "diff": ["diff", "{lamps}/lamps", "1.0.0", "2.0.0"],
    "diff_rows": ["diff", "{lamps}/lamps", "1.0.0", "2.0.0", "--rows"],
    "show": ["show", "my/corpus"],
    "rejected": ["rejected", "my/corpus", "--output", "{tmp}/rejected.jsonl"],
    "schema": ["schema"],
}


def masked(text: str, *folders: Path) -> str:
    """Replace values that differ between machines and library versions: paths, digests, sizes, times."""
    for folder in folders:
        text = text.replace(str(folder), "PLACE")
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "DIGEST......", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "HUB", text)
    text = re.sub(r"about [\d.]+ [kMGT]?B", "about SIZE", text)
    text = re.sub(r"\d+\.\d(?= [kMG]B)", "#.#", text)
    return re.sub(r"about (a second|\d+ \w+)$", "about TIME", text, flags=re.MULTILINE)


AFTERWARDS = {
    "yank": [["yank", "lamps@2.0.0", "--because", "half of it was a test"], ["versions", "lamps"]],
    "yank_undo": [["yank", "lamps@2.0.0", "--because", "a test"], ["yank", "lamps@2.0.0", "--undo"]],
    "drop": [["drop", "lamps@1.0.0"], ["versions", "lamps"], ["verify", "lamps"]],
    "takedown": [
        ["takedown", "corpus", "--url", "https://mirror.example.net/lamps", "--because", "asked"],
        ["why", "corpus", "https://example.org/lamps"],
        ["takedown", "corpus", "--url", "https://mirror.example.net/lamps", "--because", "asked"],
    ],
    "purge": [
        ["takedown", "corpus", "--url", "https://example.org/lamps", "--because", "asked", "--purge"],
        ["versions", "corpus"],
        ["verify", "corpus"],
        ["why", "corpus", "https://mirror.example.net/lamps"],
    ],
    "gc": [["gc", "lamps", "--dry-run"], ["gc", "lamps"]],
}
"""Sequences of commands that change a corpus; each sequence runs on its own copy."""


@pytest.mark.parametrize("name", ["init", "build"])
def test_init_and_build_print_the_golden_output(name: str, start: Any) -> None:
    """New users see these outputs first."""
    done = getattr(start, name)
    compare_with_golden(GOLDEN / f"{name}.txt", masked(done.out, start.folder.resolve(), start.folder))


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_command_prints_the_golden_output(
    name: str, run: Any, start: Any, lamps: Path, tmp_path: Path
) -> None:
    """A person has read each line of the golden files."""
    done = run(*(arg.format(tmp=tmp_path, lamps=lamps) for arg in OUTPUTS[name]))
    compare_with_golden(
        GOLDEN / f"{name}.txt", masked(done.out, tmp_path, lamps, start.folder.resolve(), start.folder)
    )


@pytest.mark.parametrize("name", AFTERWARDS)
def test_commands_that_change_a_corpus_print_the_golden_output(
    name: str, run_here: Any, start: Any, lamps: Path, tmp_path: Path
) -> None:
    """Each sequence changes a corpus and then shows it."""
    shutil.copytree(lamps / "lamps", tmp_path / "lamps", symlinks=True)
    shutil.copytree(start.folder / "my" / "corpus", tmp_path / "corpus", symlinks=True)
    texts = [f"$ builder {' '.join(args)}\n{run_here(*args).out}" for args in AFTERWARDS[name]]
    compare_with_golden(GOLDEN / f"{name}.txt", masked("".join(texts), tmp_path))


def test_publish_and_fetch_print_the_golden_output(
    run: Any, run_with_hub: Any, start: Any, tmp_path: Path
) -> None:
    """The sequence is a dry run, two publish calls and a fetch."""
    calls = {
        "publish_dry_run": ["publish", "my/corpus", "--repo", "harbour/my-corpus", "--dry-run"],
        "publish": ["publish", "my/corpus", "--repo", "harbour/my-corpus"],
        "publish_again": ["publish", "my/corpus", "--repo", "harbour/my-corpus", "--read-back", "all"],
        "fetch": ["fetch", "harbour/my-corpus@1.0.0", f"{tmp_path}/got"],
    }
    for name, args in calls.items():
        done = run_with_hub(*args)
        assert done.status == 0, done.err
        text, _, card = done.out.partition("\nREADME.md\n")
        assert bool(card) == (name == "publish_dry_run")
        compare_with_golden(
            GOLDEN / f"{name}.txt", masked(text, tmp_path, start.folder.resolve(), start.folder)
        )
    done = run("why", f"{tmp_path}/got", "https://example.org/tides")
    compare_with_golden(GOLDEN / "why_fetched.txt", masked(done.out, tmp_path))


def test_progress_goes_to_stderr_in_lines(start: Any) -> None:
    """Without a terminal, each phase of a build prints one plain line; stdout has no progress.

    The first build of a machine also says that it compiles kernels.
    """
    notices = ("first run: compiling", "compiling kernels", "compiled ")
    lines = [line for line in start.build.err.splitlines() if not line.startswith(notices)]
    phases = [line.partition(":")[0] for line in lines]
    assert phases[-4:] == ["resolve", "settle", "write", "ledger"]
    assert set(phases[:-4]) <= {"hash", "read", "records"}
    assert not re.search(r"^(read|records|resolve|settle|write|ledger):", start.build.out, re.MULTILINE)


def test_rejected_writes_the_original_records(run: Any, start: Any, tmp_path: Path) -> None:
    """`rejected` writes lines of the input; the second file has the line number and faults of each record."""
    run("rejected", "my/corpus", "--output", str(tmp_path / "rejected.jsonl"))
    lines = (tmp_path / "rejected.jsonl").read_text().splitlines()
    pages = (start.folder / "my" / "pages" / "pages.jsonl").read_text().splitlines()
    assert lines == [pages[4]]
    (note,) = map(json.loads, (tmp_path / "rejected.jsonl.faults.jsonl").read_text().splitlines())
    assert (note["line"], note["stage"], note["reason"]) == (1, "validate", "any_of")
    assert [fault["pointer"] for fault in note["faults"]] == ["", "/text"]
