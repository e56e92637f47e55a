"""A used corpus (grown, purged, yanked, dropped) loads, and `verify` finds all damage to it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from planted import STAGES, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build, drop, takedown, verify, yank
from builder.cli import main
from builder.errors import VersionError

KINDS = ("flip", "cut", "remove", "add", "link")
FAULTS = 100


def page(name: str, seed: int) -> dict[str, Any]:
    return {"url": f"https://{name}", "text": sentence(seed)}


def build_in(folder: Path, **options: Any) -> BuildResult:
    document = {
        "name": "harbour",
        "sources": [{"jsonl": {"path": "feed"}}],
        "stages": [{stage: {}} for stage in STAGES],
        "splits": {"train": 0.7, "test": 0.3},
        "corpus": "corpus",
    }
    return build(Recipe.from_dict(document, folder=folder), workers=1, **options)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.0.0 was purged, 1.1.0 dropped, 2.0.0 and 2.1.0 are as they were written, 2.2.0 was yanked."""
    folder = tmp_path_factory.mktemp("lived")
    rows = [page(f"a.example/{i}", i) for i in range(25)]
    bad = {"url": "https://a.example/bad", "text": 7}
    write_lines(folder / "feed/a.jsonl", [*rows, page("mirror.example/3", 3), bad])
    build_in(folder)
    write_lines(folder / "feed/b.jsonl", [page(f"b.example/{i}", 100 + i) for i in range(15)])
    corpus = build_in(folder).corpus
    takedown(corpus, urls=["https://a.example/3"], because="asked", purge=True)
    for name, first in (("c", 200), ("d", 300)):
        write_lines(folder / f"feed/{name}.jsonl", [page(f"{name}.example/{i}", first + i) for i in range(5)])
        build_in(folder)
    yank(f"{corpus}@2.2.0", because="half of it was a test")
    drop(f"{corpus}@1.1.0")
    assert Corpus(corpus).versions() == ["1.0.0", "1.1.0", "2.0.0", "2.1.0", "2.2.0"]
    return corpus


@pytest.fixture
def copy(lived: Path, tmp_path: Path) -> Path:
    """A copy of the corpus with its hard links, for one test to change."""
    subprocess.run(["cp", "-a", str(lived), str(tmp_path / "corpus")], check=True)
    return tmp_path / "corpus"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    writable = [Path(one) for one in ("/dev/shm", "/tmp", "/var/tmp") if os.access(one, os.W_OK)]
    others = [one for one in writable if one.stat().st_dev != tmp_path.stat().st_dev]
    if not others:
        pytest.skip("this machine has only one writable file system")
    with TemporaryDirectory(dir=others[0]) as folder:
        yield Path(folder)
        subprocess.run(["chmod", "-R", "u+rwx", folder], check=True)


def run_verify(corpus: Path) -> tuple[int, list[str]]:
    """Run the command, and return its status and the places that it names."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        main(["verify", str(corpus), "--json"])
    assert isinstance(end.value.code, int)
    return end.value.code, [fault["where"] for fault in json.loads(out.getvalue())["faults"]]


# -- loading ---------------------------------------------------------------------------------------


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., dict[str, int]]:
    """Return a function that counts the rows of each split in `load_dataset`, with its own cache."""
    import datasets

    datasets.disable_progress_bars()

    def load_it(*args: Any) -> dict[str, int]:
        found = datasets.load_dataset(*map(str, args), cache_dir=str(tmp_path / "cache"))
        return {name: split.num_rows for name, split in found.items()}

    return load_it


def test_every_version_loads_and_the_folder_loads_the_newest_not_yanked(
    lived: Path, load: Callable[..., dict[str, int]]
) -> None:
    """Each version with rows loads by number; without a number the newest that is not yanked loads."""
    corpus = Corpus(lived)
    for version in ("1.0.0", "2.0.0", "2.1.0", "2.2.0"):
        expected = {name: split.rows for name, split in corpus.as_is(version).splits.items()}
        assert load(lived, version) == load(lived / version) == expected
    assert load(lived) == load(lived / "latest") == load(lived, "2.1.0")
    with pytest.raises(ValueError, match=r"'1\.1\.0' not found"):
        load(lived, "1.1.0")


# -- damage ----------------------------------------------------------------------------------------


def kinds_of_files(corpus: Path) -> dict[str, list[str]]:
    """Return all files except those of the spool, by kind."""
    found: dict[str, list[str]] = {}
    for path in sorted(corpus.rglob("*")):
        name = str(path.relative_to(corpus))
        if name.startswith((".spool", "latest/")) or not (path.is_file() or path.is_symlink()):
            continue
        place = name.split("/")[0] if name.startswith(".") else "version" if "/" in name else ""
        file = "shard" if path.parent.name == "data" or place == ".objects" else path.name
        if file.endswith(".json") and place == ".seals" and file != "root.json":
            file = "VERSION.json"
        found.setdefault(f"{place} {file}".strip(), []).append(name)
    return found


def damage(corpus: Path, kind: str, name: str, rng: random.Random) -> str:
    """Damage one file in one way, and return the name that `verify` must report."""
    path = corpus / name
    for one in (path, path.parent):
        if not one.is_symlink():
            one.chmod(one.stat().st_mode | 0o700)
    if name == "latest":
        targets = ["1.0.0", "2.0.0", "2.2.0", "1.1.0", ".", "./2.1.0", str(corpus / "2.1.0")]
        path.unlink()
        if kind != "remove":
            path.symlink_to(rng.choice(targets))
        return name
    if kind == "add":
        added = path.with_name(rng.choice(["extra.parquet", ".hidden", path.name + "~", "purged.json.tmp"]))
        added.write_bytes(b"" if rng.random() < 0.3 else path.read_bytes())
        return str(added.relative_to(corpus))
    data = path.read_bytes()
    if kind == "link":
        shutil.move(path, corpus.parent / "elsewhere")
        path.symlink_to(corpus.parent / "elsewhere")
    elif kind == "remove":
        path.unlink()
    else:
        path.unlink()
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data[: rng.randrange(len(data))] if kind == "cut" else bytes(flipped))
    return name


def test_a_hundred_faults_are_named(lived: Path, tmp_path: Path) -> None:
    """`verify` reports damage of every kind, in every kind of file, and ends with status 4."""
    files = kinds_of_files(lived)
    rng = random.Random(20)
    for number in range(FAULTS):
        kind = list(files)[number % len(files)]
        name, how = rng.choice(files[kind]), KINDS[(number // len(files) + number) % len(KINDS)]
        corpus = tmp_path / "corpus"
        shutil.copytree(lived, corpus, symlinks=True)
        damaged = damage(corpus, how, name, rng)
        status, named = run_verify(corpus)
        assert (status, damaged in named) == (4, True), f"{how} {name}: {named}"
        subprocess.run(["rm", "-rf", str(corpus), str(tmp_path / "elsewhere")], check=True)


def test_faults_reach_every_kind_of_file(lived: Path) -> None:
    """The damaged files are chosen from every kind of file in a corpus."""
    kinds = kinds_of_files(lived)
    expected = {"README.md", "tombstones.jsonl", "latest", ".objects shard", ".seals root.json"}
    audits = ("ledger.parquet", "rejected.parquet", "clusters.parquet", "run.json")
    expected |= {f".audit {name}" for name in audits} | {".seals VERSION.json"}
    files = ("shard", "manifest.json", "purged.json", "README.md", "croissant.json", "inputs.parquet")
    expected |= {f"version {name}" for name in files}
    tables = ("rows", "records", "texts", "shards", "dedup_url", "dedup_exact", "dedup_near")
    expected |= {f".index {name}.arrow" for name in tables} | {".index index.json", ".index card.json"}
    assert expected <= set(kinds)


def test_a_clean_corpus_has_no_fault_wherever_it_is(lived: Path, tmp_path: Path, elsewhere: Path) -> None:
    """The place, a copy by `cp -r` and a move to another file system do not matter."""
    assert run_verify(lived) == (0, [])
    subprocess.run(["cp", "-r", str(lived), str(tmp_path / "copy")], check=True)
    assert run_verify(tmp_path / "copy") == (0, [])
    shutil.move(str(tmp_path / "copy"), elsewhere / "corpus")
    assert run_verify(elsewhere / "corpus") == (0, [])


def test_a_build_continues_on_a_moved_corpus(lived: Path, tmp_path: Path, elsewhere: Path) -> None:
    """A build on a copy on another file system has the same digest."""
    shutil.copytree(lived.parent, tmp_path / "here", symlinks=True)
    subprocess.run(["cp", "-r", str(lived.parent), str(elsewhere / "there")], check=True)
    results = []
    for folder in (tmp_path / "here", elsewhere / "there"):
        write_lines(folder / "feed/e.jsonl", [page(f"e.example/{i}", 400 + i) for i in range(5)])
        results.append(build_in(folder))
        assert run_verify(folder / "corpus") == (0, [])
    assert results[0].digest == results[1].digest


# -- two builders, and writing by accident ---------------------------------------------------------


def start_build(folder: Path, spool: Path) -> subprocess.Popen[str]:
    code = (
        "import sys\nfrom pathlib import Path\nsys.path[:0] = sys.argv[3:]\n"
        "from test_lived import build_in\nfrom builder.errors import LockedError\n"
        "try:\n    print(build_in(Path(sys.argv[1])).version)\n"
        "except LockedError as error:\n    print(error); sys.exit(1)\n"
    )
    here = Path(__file__).resolve().parent
    command = [sys.executable, "-c", code, str(folder), str(spool), str(here), str(here.parent)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_builds_at_once_damage_nothing(lived: Path, tmp_path: Path) -> None:
    """One build writes the version; the other stops at the lock, or finds nothing new afterwards."""
    folder = tmp_path / "two"
    shutil.copytree(lived.parent, folder, symlinks=True)
    write_lines(folder / "feed/e.jsonl", [page(f"e.example/{i}", 400 + i) for i in range(40)])
    builds = [start_build(folder, tmp_path / f"spool{i}") for i in range(2)]
    ends = [(one.communicate(timeout=240), one.returncode) for one in builds]
    texts = [out.strip() for (out, _), _ in ends]
    assert "2.3.0" in texts, ends
    other = texts[1 - texts.index("2.3.0")]
    busy = r"another builder \(process \d+, since .*\) works on this corpus"
    assert other == "2.3.0" or re.search(busy, other)
    assert Corpus(folder / "corpus").versions()[-1] == "2.3.0"
    assert verify(folder / "corpus").clean


def test_a_version_cannot_be_written_by_accident(copy: Path) -> None:
    """Files and folders of versions and all objects are read-only, and no number is used twice."""
    corpus = Corpus(copy)
    for version in corpus.versions():
        for path in [copy / version, *(copy / version).rglob("*")]:
            assert not stat.S_IMODE(path.stat().st_mode) & 0o222
        with corpus.lock(), pytest.raises(VersionError, match="already has version"):
            corpus.begin(version)
    for path in copy.glob(".objects/sha256/*/*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222
