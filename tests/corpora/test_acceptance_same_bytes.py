"""The manifest digest is the same for any workers, batches, files and interruptions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import builder, manifest_of, start, write_recipe

from builder import Recipe, build

pytestmark = [pytest.mark.corpora, pytest.mark.long]

N_FILES = 40


@pytest.fixture(scope="module")
def inputs(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same real texts as one file and as 40 files, in the same order."""
    folder = tmp_path_factory.mktemp("inputs")
    lines = [json.dumps(record) + "\n" for record in _records(corpora)]
    for name in ("one", "many"):
        (folder / name).mkdir()
    (folder / "one" / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    size = -(-len(lines) // N_FILES)
    for i in range(N_FILES):
        part = "".join(lines[i * size : (i + 1) * size])
        (folder / "many" / f"{i:03}.jsonl").write_text(part, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def recipe(inputs: Path, corpora: Path) -> Callable[..., Path]:
    """A function that writes a recipe for a new corpus from the 40 files, all archives and many pages."""
    sources = [
        {"jsonl": {"path": str(inputs / "many" / "*"), "name": "texts"}},
        {"warc": {"path": str(corpora / "warc" / "**" / "*")}},
        {"html": {"path": str(corpora / "wcxb" / "html" / "*")}},
    ]

    def write(corpus: str) -> Path:
        return write_recipe(inputs, sources, corpus=corpus, name=f"{corpus}.yaml")

    return write


@pytest.fixture(scope="module")
def undisturbed(recipe: Callable[..., Path], inputs: Path) -> tuple[str, float]:
    """The digest and the duration in seconds of a build without interruption."""
    began = time.monotonic()
    run = builder("build", recipe("undisturbed"), "--workers", "2", "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["digest"], time.monotonic() - began


def _records(corpora: Path) -> list[dict[str, Any]]:
    feeds = [line for path in sorted((corpora / "dolma-cc").glob("*.jsonl")) for line in _lines(path)]
    records = [{"url": r["metadata"]["url"], "text": r["text"]} for r in map(json.loads, feeds)]
    pages = [json.loads(line) for line in _lines(corpora / "aeb-plaintext" / "pages.jsonl")]
    for kind in ("inscriptis", "html-text", "beautifulsoup", "gold"):
        records += [{"url": f"{page['url']}?from={kind}", "text": page[kind]} for page in pages]
    articles = _lines(corpora / "minhash-articles" / "articles_1000.train")
    return records + [{"text": line.partition(" ")[2]} for line in articles]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 1},
        {"workers": 2, "batch_rows": 7},
        {"workers": 1, "batch_rows": 7},
        {"workers": 2, "batch_rows": 5_000},
    ],
    ids=str,
)
def test_workers_and_batch_sizes_do_not_change_the_digest(
    options: dict[str, int],
    undisturbed: tuple[str, float],
    recipe: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    inputs: Path,
) -> None:
    """Each worker runs at least ten tasks, so that the work is really shared."""
    n_tasks = _count_tasks(monkeypatch)
    shutil.rmtree(inputs / "varied", ignore_errors=True)
    result = build(Recipe.load(recipe("varied")), **options)  # type: ignore[arg-type]
    assert result.digest == undisturbed[0]
    assert sum(n_tasks.values()) >= 20
    assert len(n_tasks) == options["workers"]
    assert all(n >= 10 for n in n_tasks.values())


def _count_tasks(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Count the reading tasks of each worker."""
    from builder.engines.supervisor import Supervisor

    sent: Counter[int] = Counter()
    send = Supervisor._send

    def count(self: Supervisor, worker: Any, job: Any) -> None:
        sent[worker.slot] += b"FirstPass" in job.function
        send(self, worker, job)

    monkeypatch.setattr(Supervisor, "_send", count)
    return sent


def test_one_file_or_many_give_the_same_shards(inputs: Path) -> None:
    """Content, order and shards do not depend on the number of input files."""
    manifests = []
    for name in ("one", "many"):
        source = {"jsonl": {"path": f"{name}/*", "name": "texts"}}
        path = write_recipe(inputs, [source], corpus=f"from-{name}", name=f"from-{name}.yaml")
        run = builder("build", path, "--workers", "2")
        assert run.returncode == 0, run.stderr
        manifests.append(manifest_of(inputs / f"from-{name}"))
    one, many = manifests
    assert one["splits"] == many["splits"]
    assert one["data_digest"] == many["data_digest"]
    assert one["inputs"] != many["inputs"]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.97])
def test_a_killed_build_resumes_to_the_same_digest(
    share: float, undisturbed: tuple[str, float], recipe: Callable[..., Path], inputs: Path
) -> None:
    """SIGKILL comes at any moment, also twice."""
    digest, seconds = undisturbed
    corpus = f"killed-{share}"
    for at_s in (seconds * share, seconds * share / 2):
        process = start("build", recipe(corpus), "--workers", "2")
        try:
            process.communicate(timeout=at_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    run = builder("build", recipe(corpus), "--workers", "2", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["digest"] == digest
    assert builder("verify", inputs / corpus).returncode == 0
    shutil.rmtree(inputs / corpus)


def test_a_killed_build_of_a_second_version_resumes(inputs: Path) -> None:
    """The first version stays, and the second version is the same as without the kill."""
    digests, seconds = set(), 0.0
    for name, share in [("calm", None), ("early", 0.3), ("late", 0.85)]:
        first = write_recipe(inputs, [{"jsonl": {"path": "many/00*"}}], corpus=name, name=f"{name}.yaml")
        assert builder("build", first, "--workers", "2").returncode == 0
        before = manifest_of(inputs / name)
        began = time.monotonic()
        second = write_recipe(inputs, [{"jsonl": {"path": "many/*"}}], corpus=name, name=f"{name}.yaml")
        if share is not None:
            process = start("build", second, "--workers", "2")
            try:
                process.communicate(timeout=seconds * share)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        run = builder("build", second, "--workers", "2", "--json")
        assert run.returncode == 0, run.stderr
        seconds = time.monotonic() - began
        digests.add(json.loads(run.stdout)["digest"])
        assert json.loads((inputs / name / "1.0.0" / "manifest.json").read_bytes()) == before
        assert builder("verify", inputs / name).returncode == 0
    assert len(digests) == 1


def test_an_interrupted_build_resumes_to_the_same_digest(
    undisturbed: tuple[str, float], recipe: Callable[..., Path], inputs: Path
) -> None:
    """Ctrl-C ends with status 130 and says what to do; the same command resumes and gives the same digest."""
    process = start("build", recipe("interrupted"), "--workers", "2")
    deadline = time.monotonic() + 60
    while not list((inputs / "interrupted").glob(".spool/*/0/*/done")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "finished work is kept" in output
    assert "Traceback" not in output
    run = builder("build", recipe("interrupted"), "--workers", "2", "--json")
    assert json.loads(run.stdout)["digest"] == undisturbed[0]
