"""Exit statuses, and messages on stderr: lines for people, never a traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def corpus(start: Any, tmp_path: Path) -> Path:
    """A writable copy of the corpus."""
    copy = tmp_path / "corpus"
    shutil.copytree(start.folder / "my" / "corpus", copy, symlinks=True)
    return copy


def test_success_exits_with_0(start: Any) -> None:
    """`build` works on the files that `init` wrote."""
    assert (start.init.status, start.build.status) == (0, 0)


def test_faults_of_a_recipe_exit_with_1_and_all_are_reported(run: Any, start: Any, tmp_path: Path) -> None:
    """Each fault is a line on stderr with place and advice; stdout is empty."""
    text = (start.folder / "my" / "recipe.yaml").read_text()
    text = text.replace("threshold: 0.8", "treshold: 0.8").replace("train: 0.9", "train: 0.5")
    (tmp_path / "recipe.yaml").write_text(text)
    done = run("build", str(tmp_path / "recipe.yaml"))
    assert (done.status, done.out) == (1, "")
    lines = done.err.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    assert any("stages[6].dedup_near.treshold" in line and "threshold" in line for line in lines)
    assert any("splits" in line and "0.6" in line for line in lines)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["check", "nowhere.yaml"], "no such file"),
        (["check", "nowhere@1.0.0"], "no such file"),
        (["check", "my"], "my: is not a corpus folder (did you mean my/corpus?)"),
        (["versions", "my/pages"], "my/pages: is not a corpus folder (`builder build` creates one)"),
        (["versions", "nowhere"], "no such folder"),
        (["verify", "my/corpus@7.0.0"], "my/corpus: has no version 7.0.0"),
        (["why", "my/corpus", "nowhere"], "nowhere: is not in any version of my/corpus"),
        (["schema", "pages-1"], "page-1"),
        (["publish", "my/corpus@7.0.0", "--repo", "harbour/tides"], "my/corpus: has no version 7.0.0"),
        (["publish", "my/corpus", "--repo", "tides"], "USER/NAME"),
        (["fetch", "tides@1.0.0", "got"], "USER/NAME"),
        (["fetch", "harbour/tides@v1", "got"], "is not a version number"),
        (["init", "my"], "already exists"),
        (["rejected", "my/corpus", "--output", "no/such/folder.jsonl"], "cannot be written"),
        (["validate", "nowhere.jsonl", "--contract", "page-1"], "nowhere.jsonl"),
        (["validate", "my/pages/pages.jsonl", "--contract", "nowhere.json"], "nowhere.json"),
        (["dedup", "my/pages/barometer.html", "--output", "out"], "does not show the format"),
        (["build", "my/recipe.yaml", "--set", "stages.dedup_naer.threshold=1"], "dedup_near"),
        (["build", "my/recipe.yaml", "--set", "sources.jsonl.path=pages/*.none"], "none"),
        (["build", "my/recipe.yaml", "--set", "nonsense"], "KEY=VALUE"),
        (["build", "my/recipe.yaml", "--set", "stages.dedup_near.threshold=.nan"], "is not allowed"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_mistake_exits_with_1(args: list[str], message: str, run: Any) -> None:
    """The message on stderr names the mistake."""
    done = run(*args)
    assert (done.status, done.out) == (1, "")
    assert all(line.startswith("error: ") for line in done.err.splitlines())
    assert message in done.err


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["build"],
        ["build", "my/recipe.yaml", "--workers", "0"],
        ["build", "my/recipe.yaml", "--max-memory", "much"],
        ["build", "my/recipe.yaml", "--max-memory", "2"],
        ["build", "my/recipe.yaml", "--max-rejected", "120%"],
        ["build", "my/recipe.yaml", "--version", "v1"],
        ["build", "my/recipe.yaml", "--no-such-option"],
        ["check", "my/corpus", "--set", "a=b"],
        ["publish", "my/corpus"],
        ["publish", "my/corpus", "--repo", "harbour/tides", "--read-back", "some"],
        ["validate", "my/pages/pages.jsonl"],
        ["dedup", "my/pages/pages.jsonl", "--output", "out", "--threshold", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(args: list[str], run: Any) -> None:
    """stderr shows the usage of the command."""
    done = run(*args)
    assert (done.status, done.out) == (2, "")
    assert "Usage: builder" in done.err


def test_too_many_rejected_records_exit_with_3(run: Any, tmp_path: Path) -> None:
    """Above the limit, no version is written, and stderr has the path of the ledger."""
    args = ["build", "my/recipe.yaml", "--workers", "1", "--set", f"corpus={tmp_path}/corpus"]
    done = run(*args, "--max-rejected", "16%")
    assert (done.status, done.out) == (3, "")
    error = done.err.splitlines()[-1]
    assert "1 of 6 records were rejected or failed (16.7%)" in error
    ledger = error.partition("ledger: ")[2].rstrip(")")
    assert Path(ledger).is_file()
    assert not (tmp_path / "corpus" / "1.0.0").exists()
    assert run(*args, "--max-rejected", "17%").status == 0


def test_a_build_that_keeps_nothing_exits_with_1(run: Any, tmp_path: Path) -> None:
    """A build that would publish no row writes no version."""
    (tmp_path / "pages.jsonl").write_text('{"text": 1}\n{"text": 2}\n')
    settings = [f"sources.jsonl.path={tmp_path}/pages.jsonl", f"sources.html.path={tmp_path}/empty.html"]
    (tmp_path / "empty.html").write_text("<html></html>")
    flags = [flag for one in settings for flag in ("--set", one)]
    done = run("build", "my/recipe.yaml", "--workers", "1", *flags, "--set", f"corpus={tmp_path}/corpus")
    assert done.status == 1
    assert "0 of 3 records were kept" in done.err
    assert not (tmp_path / "corpus" / "latest").exists()


def test_a_flipped_byte_exits_with_4(corpus: Path, run: Any) -> None:
    """`verify` finds one changed byte of a shard, names the file, and prints no digest."""
    assert run("verify", str(corpus)).status == 0
    shard = next((corpus / "1.0.0" / "data").glob("*.parquet"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.chmod(0o644)
    shard.write_bytes(data)
    shard.chmod(0o444)
    done = run("verify", str(corpus))
    assert done.status == 4
    assert f"1.0.0/data/{shard.name}" in done.out


def test_faulty_records_exit_with_4(run: Any, tmp_path: Path) -> None:
    """`validate` prints file, line and fault of each record, and writes them to a file on request."""
    bad = tmp_path / "bad.jsonl"
    done = run("validate", "my/pages/pages.jsonl", "--contract", "page-1", "--rejected", str(bad))
    assert done.status == 4
    assert "my/pages/pages.jsonl:5: any_of: " in done.out
    assert "type at /text: " in done.out
    (line,) = bad.read_text().splitlines()
    assert json.loads(line)["reason"] == "any_of"


def test_a_version_that_cannot_be_loaded_exits_with_4(corpus: Path, run: Any) -> None:
    """`check` names a shard that cannot be opened, and prints the row counts without that shard."""
    assert run("check", str(corpus)).status == 0
    shard = next((corpus / "1.0.0" / "data").glob("*.parquet"))
    shard.chmod(0o644)
    shard.write_bytes(b"no Parquet")
    done = run("check", f"{corpus}@1.0.0")
    assert done.status == 4
    assert f"1.0.0/data/{shard.name}: cannot be opened (split train)" in done.out
    assert done.out.splitlines()[-1] == f"{corpus}@1.0.0: 3 faults; 1 shard, train 0 rows"


def test_the_installed_command_sets_the_exit_status(start: Any) -> None:
    """It also keeps stdout and stderr separate."""
    command = [sys.executable, "-c", "from builder.cli import main; main()"]
    bad = subprocess.run(
        [*command, "check", "nowhere.yaml"], cwd=start.folder, capture_output=True, text=True
    )
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("error: nowhere.yaml: no such file")
    assert "Traceback" not in bad.stderr
    good = subprocess.run(
        [*command, "versions", "my/corpus", "--json"], cwd=start.folder, capture_output=True, text=True
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["versions"][0]["version"] == "1.0.0"


def test_help_is_printed_on_stdout(run: Any) -> None:
    """Requested help is not an error."""
    done = run("build", "-h")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Usage: builder build")


@pytest.mark.parametrize("option", [("--limit", "5"), ("--full",), ("--prune",), ("--max-memory", "2GB")])
def test_compact_refuses_options_without_effect(run: Any, option: tuple[str, ...]) -> None:
    """That is wrong usage, and nothing is written."""
    done = run("build", "my/recipe.yaml", "--compact", *option)
    assert done.status == 2
    assert f"{option[0]} cannot be combined with --compact" in done.err
