"""Yank, drop and gc mark or delete exactly what they should, and change nothing else."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest

import builder
from builder import drop, gc, verify, yank
from builder.corpus import Corpus, verify_files
from builder.corpus import pending as pending_commits
from builder.corpus.commit import is_pending
from builder.corpus.names import ROOT_SEAL
from builder.corpus.objects import object_name
from builder.domain.manifest import Manifest
from builder.errors import CorpusError, LockedError, TamperedError, VersionError

KILLER = Path(__file__).resolve().parent / "kill_changes.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(builder.__file__).resolve().parent.parent)}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., dict[str, int]]:
    """Return a function that counts the rows of each split with `load_dataset` and an own cache."""
    import datasets

    datasets.disable_progress_bars()

    def load_it(*args: Any) -> dict[str, int]:
        found = datasets.load_dataset(*map(str, args), cache_dir=str(tmp_path / "cache"))
        return {name: split.num_rows for name, split in found.items()}

    return load_it


@pytest.fixture
def grown(synthetic: ModuleType, tmp_path: Path) -> Corpus:
    """Create a corpus whose second version shares shards with the first; the third shares no shard."""
    corpus = synthetic.make_corpus(tmp_path / "grown")
    synthetic.write_version(corpus, "2.0.0", [synthetic.make_rows(60, seed=3)])
    return corpus


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Create a folder, in memory if possible."""
    shm = Path("/dev/shm")
    with TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


def kill(change: str, corpus: Path, target: Path, *, first: int = 0, stride: int = 1) -> list[Path]:
    """Kill a change before each of its steps, each time on a copy of the corpus."""
    target.mkdir()
    command = [sys.executable, str(KILLER), change, str(corpus), str(target), str(first), str(stride)]
    subprocess.run(command, check=True, timeout=300, env=ENVIRONMENT)
    return sorted(target.iterdir())


def promised(folder: Path) -> set[str]:
    """Return the versions that the card and `latest` name, after a check that their rows exist."""
    front = (folder / "README.md").read_text().split("---\n")[1]
    configs = re.findall(r'config_name: "([\d.]+)"', front)
    default = re.search(r'config_name: "([\d.]+)"(?:(?!config_name).)*default: true', front, re.DOTALL)
    for version in {*configs, str((folder / "latest").readlink())}:
        manifest = Manifest.parse((folder / version / "manifest.json").read_bytes())
        for _, shard in manifest.shards():
            assert (folder / version / shard.path).stat().st_size == shard.bytes
    assert default
    return {default[1], str((folder / "latest").readlink())}


# -- yank ------------------------------------------------------------------------------------------


def test_a_yanked_version_is_not_loaded_by_default(
    corpus: Corpus, load: Callable[..., dict[str, int]]
) -> None:
    """`latest` and the card name the newest version that is not yanked. The yanked one loads by number."""
    digest = corpus.digest("1.1.0")
    done = yank(f"{corpus.path}@1.1.0", because="half of it was a test")
    assert (done.newest, corpus.yanked("1.1.0"), corpus.digest("1.1.0")) == (
        "1.0.0",
        "half of it was a test",
        digest,
    )
    assert (corpus.path / "latest").readlink() == Path("1.0.0")
    assert "**withdrawn**: half of it was a test" in (corpus.path / "README.md").read_text()
    assert verify(corpus.path).clean
    assert load(corpus.path) == {"train": 120, "test": 30}
    assert load(corpus.path, "1.1.0") == {"train": 152, "test": 38}


def test_a_yank_can_be_undone(corpus: Corpus) -> None:
    """After that, everything is as before the yank, except the card, which is rewritten."""
    yank(f"{corpus.path}@1.1.0", because="a mistake")
    yank(f"{corpus.path}@1.1.0", because=None)
    assert (corpus.newest(), corpus.yanked("1.1.0")) == ("1.1.0", None)
    assert (corpus.path / "latest").readlink() == Path("1.1.0")
    assert verify(corpus.path).clean


def test_all_versions_may_be_yanked(corpus: Corpus, load: Callable[..., dict[str, int]]) -> None:
    """After that, the folder loads no version by default and has no `latest`. Each number still loads."""
    for version in ("1.0.0", "1.1.0"):
        done = yank(f"{corpus.path}@{version}", because="all wrong")
    assert done.newest is None
    assert corpus.find_newest() is None
    assert not os.path.lexists(corpus.path / "latest")
    assert verify(corpus.path).clean
    with pytest.raises(ValueError, match="Config name is missing"):
        load(corpus.path)
    assert load(corpus.path, "1.0.0") == {"train": 120, "test": 30}
    yank(f"{corpus.path}@1.0.0", because=None)
    assert verify(corpus.path).clean
    assert load(corpus.path) == {"train": 120, "test": 30}


def test_a_yank_must_change_something(corpus: Corpus) -> None:
    """An unknown version, a version in the same state and an address without a version are errors."""
    with pytest.raises(VersionError, match="is not yanked"):
        yank(f"{corpus.path}@1.1.0", because=None)
    yank(f"{corpus.path}@1.1.0", because="first")
    with pytest.raises(VersionError, match="is already yanked: first"):
        yank(f"{corpus.path}@1.1.0", because="second")
    with pytest.raises(VersionError, match=r"no version 9\.9\.9"):
        yank(f"{corpus.path}@9.9.9", because="x")
    with pytest.raises(VersionError, match=r"does not name a version \(add the version, as in .*@1\.0\.0"):
        yank(corpus.path, because="x")


def test_a_change_needs_the_lock(corpus: Corpus) -> None:
    """Nothing may change while a builder is running."""
    other = Corpus(corpus.path)
    with other.lock():
        for change in (
            lambda: yank(f"{corpus.path}@1.0.0", because="x"),
            lambda: drop(f"{corpus.path}@1.0.0"),
            lambda: gc(corpus.path),
        ):
            with pytest.raises(LockedError, match="works on this corpus"):
                change()


# -- drop ------------------------------------------------------------------------------------------


def test_a_dropped_version_keeps_its_number(grown: Corpus, load: Callable[..., dict[str, int]]) -> None:
    """Number, digest, manifest and ledger stay, so no later version gets the same number."""
    digest = grown.digest("1.1.0")
    own = {s.sha256 for _, s in grown.shards("1.1.0")} - {s.sha256 for _, s in grown.shards("1.0.0")}
    done = drop(f"{grown.path}@1.1.0")
    assert (done.n_shards, done.digest, grown.digest("1.1.0")) == (len(own), digest, digest)
    assert done.n_bytes > 0
    assert [one for one in own if (grown.path / object_name(one)).exists()] == []
    assert grown.manifest("1.1.0").version == "1.1.0"
    assert grown.ledger("1.1.0").exists()
    assert sorted(path.name for path in (grown.path / "1.1.0").iterdir()) == ["README.md", "manifest.json"]
    assert verify(grown.path).clean
    assert verify(f"{grown.path}@1.1.0").clean
    with grown.lock(), pytest.raises(VersionError, match="already has version"):
        grown.begin("1.1.0")
    assert load(grown.path, "1.0.0") == {"train": 120, "test": 30}


def test_a_dropped_version_does_not_load(grown: Corpus, load: Callable[..., dict[str, int]]) -> None:
    """Every function that needs its rows raises an error with the reason."""
    drop(f"{grown.path}@1.0.0")
    assert '"1.0.0"' not in (grown.path / "README.md").read_text()
    with pytest.raises(ValueError, match=r"'1\.0\.0' not found"):
        load(grown.path, "1.0.0")
    with pytest.raises(FileNotFoundError, match="the rows of this version were dropped"):
        load(grown.path / "1.0.0")
    for read in (lambda: grown.data_files("1.0.0"), lambda: builder.diff(grown.path, "1.0.0", "2.0.0")):
        with pytest.raises(VersionError, match="was dropped: its rows are gone"):
            read()


def test_shards_of_other_versions_stay(grown: Corpus) -> None:
    """A version keeps the shards that it shares with the dropped version."""
    before = {path: path.read_bytes() for path in (grown.path / "1.1.0/data").iterdir()}
    drop(f"{grown.path}@1.0.0")
    assert {path: path.read_bytes() for path in (grown.path / "1.1.0/data").iterdir()} == before
    assert verify(grown.path).clean


def test_the_newest_good_version_is_not_dropped(grown: Corpus) -> None:
    """The folder must keep the version that it loads by default. A yanked version can be dropped, once."""
    with pytest.raises(VersionError, match=r"2\.0\.0: cannot be dropped: it is the newest version"):
        drop(f"{grown.path}@2.0.0")
    yank(f"{grown.path}@2.0.0", because="wrong")
    drop(f"{grown.path}@2.0.0")
    assert grown.newest() == "1.1.0"
    for change in (lambda: drop(f"{grown.path}@2.0.0"), lambda: yank(f"{grown.path}@2.0.0", because=None)):
        with pytest.raises(VersionError, match="was dropped"):
            change()
    assert verify(grown.path).clean


def test_even_the_last_rows_may_go(corpus: Corpus, load: Callable[..., dict[str, int]]) -> None:
    """The corpus stays valid when all versions are dropped, and the next version gets a new number."""
    for version in ("1.0.0", "1.1.0"):
        yank(f"{corpus.path}@{version}", because="all wrong")
    for version in ("1.0.0", "1.1.0"):
        drop(f"{corpus.path}@{version}")
    with pytest.raises(FileNotFoundError, match="the rows of this version were dropped"):
        load(corpus.path)
    assert list((corpus.path / ".objects/sha256").glob("*/*")) == []
    assert verify(corpus.path).clean
    with pytest.raises(VersionError, match="no version that is neither yanked nor dropped"):
        corpus.newest()


def test_damage_to_a_dropped_version_is_named(grown: Corpus) -> None:
    """Its notice and its manifest stay sealed, even if the root seal is missing."""
    drop(f"{grown.path}@1.0.0")
    folder = grown.path / "1.0.0"
    folder.chmod(0o755)
    (folder / "data").mkdir()
    (folder / "README.md").chmod(0o644)
    (folder / "README.md").write_text("# here it is")
    assert [fault.where for fault in verify_files(grown)] == ["1.0.0/README.md", "1.0.0/data"]
    (grown.path / ROOT_SEAL).unlink()
    assert [fault.where for fault in verify_files(grown)] == [ROOT_SEAL, "1.0.0/README.md"]


def test_a_dropped_version_is_read_only(grown: Corpus) -> None:
    """The remaining files cannot be changed by accident."""
    drop(f"{grown.path}@1.0.0")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (grown.path / "1.0.0").iterdir()}
    assert modes == {0o444}
    assert stat.S_IMODE((grown.path / "1.0.0").stat().st_mode) == 0o555


# -- gc --------------------------------------------------------------------------------------------


def test_gc_frees_what_no_version_uses(corpus: Corpus) -> None:
    """Objects of versions stay. A dry run reports first what gc would remove."""
    lost = corpus.path / object_name("ab" * 32)
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(b"x" * 1_000)
    there = sorted((corpus.path / ".objects/sha256").glob("*/*"))
    look = gc(corpus.path, only_look=True)
    assert (look.garbage.n_objects, look.garbage.object_bytes, look.removed) == (1, 1_000, False)
    assert lost.exists()
    assert gc(corpus.path).garbage == look.garbage
    assert sorted((corpus.path / ".objects/sha256").glob("*/*")) == [one for one in there if one != lost]
    assert verify(corpus.path).clean
    assert gc(corpus.path).garbage.n_objects == 0


def test_gc_removes_empty_folders_of_objects(corpus: Corpus) -> None:
    """A loss of power can bring such a folder back; `verify` reports it, and nothing else removes it."""
    empty = corpus.path / ".objects/sha256/00"
    empty.mkdir(exist_ok=True)
    assert [fault.where for fault in verify(corpus.path).faults] == [".objects/sha256/00"]
    gc(corpus.path)
    assert not empty.exists()
    assert verify(corpus.path).clean


def test_gc_removes_abandoned_spools(corpus: Corpus) -> None:
    """A recently changed spool stays, because its build can resume from it; 0 days removes all."""
    for name, days in (("fresh", 0), ("stale", 30)):
        (corpus.spool(name) / "part").write_bytes(b"y" * 500)
        for path in (corpus.spool(name) / "part", corpus.spool(name)):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - days * 86_400))
    (corpus.path / ".spool/hashes.json").write_text("{}")
    freed = gc(corpus.path).garbage
    assert (freed.n_spools, freed.spool_bytes) == (1, 500)
    assert (corpus.path / ".spool/fresh/part").exists()
    assert gc(corpus.path, spool_days=0).garbage.n_spools >= 1
    left = {path.name for path in (corpus.path / ".spool").iterdir()}
    assert left == {"lock", "hashes.json"}


def test_gc_removes_half_commits(corpus: Corpus, synthetic: ModuleType) -> None:
    """gc deletes a staging folder that was never committed."""
    with corpus.lock():
        staging = corpus.begin("1.2.0")
        synthetic.stage_version(corpus, staging, [synthetic.make_rows(20, seed=5)])
    gc(corpus.path)
    assert not staging.place.exists()
    assert verify(corpus.path).clean


def test_gc_trusts_no_damaged_manifest(corpus: Corpus) -> None:
    """A changed manifest may have listed objects that look unused, so nothing is removed."""
    path = corpus.path / "1.0.0/manifest.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    objects = sorted((corpus.path / ".objects/sha256").glob("*/*"))
    with pytest.raises(TamperedError, match="was changed"):
        gc(corpus.path)
    assert sorted((corpus.path / ".objects/sha256").glob("*/*")) == objects


# -- whenever the machine stops ----------------------------------------------------------------------


@pytest.mark.sampled(2)
@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("change", ["yank_newest", "drop_oldest", "collect"])
def test_a_killed_change_is_done_or_not(change: str, stride: int, synthetic: ModuleType, place: Path) -> None:
    """The corpus loads after a kill before any step, and the next call cleans up."""
    corpus = synthetic.make_corpus(place / "pristine")
    yank(f"{corpus.path}@1.0.0", because="so that a card is there")
    yank(f"{corpus.path}@1.0.0", because=None)
    lost = corpus.path / object_name("ab" * 32)
    if change == "collect":
        lost.parent.mkdir(exist_ok=True)
        lost.write_bytes(b"x")
    outcomes, pending = [], 0
    for folder in kill(change, corpus.path, place / "killed", first=stride // 2, stride=stride):
        pending += is_pending(folder)
        assert promised(folder) <= {"1.0.0", "1.1.0"}
        one = Corpus(folder)
        with one.lock():
            assert not list(folder.glob(".spool/.commit-*"))
        gone = lost.relative_to(corpus.path)
        faults = [fault.where for fault in verify_files(one)]
        assert faults in ([], [str(gone)], [str(gone.parent)])
        outcomes.append((one.yanked("1.1.0"), one.dropped("1.0.0"), not (folder / gone).exists()))
        assert promised(folder) == {one.newest()}
    assert pending
    assert len(set(outcomes)) == 2
    assert outcomes[0] == (None, False, change != "collect")
    assert outcomes == sorted(outcomes, key=outcomes.index)


@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=pytest.mark.long)])
def test_a_killed_purge_is_done_or_not(
    stride: int, grown: Corpus, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill before any step, taking the lock leaves the old corpus or a finished purge."""
    monkeypatch.setattr(pending_commits, "_GRACE_S", 0.0)
    outcomes, pending = [], 0
    for folder in kill("purge_one", grown.path, place / "killed", first=stride // 2, stride=stride):
        pending += is_pending(folder)
        one = Corpus(folder)
        assert verify(folder).clean != is_pending(folder)
        with one.lock():
            pass
        assert verify(folder).clean
        purged = [one.purged(version) for version in one.versions()]
        outcomes.append([found.rows if found else 0 for found in purged])
        ids = {i for v in one.versions() for fs in one.data_files(v).values() for f in fs for i in ids_of(f)}
        assert ("000100000000" in ids) == (outcomes[-1] == [0, 0, 0])
    assert pending
    assert outcomes == sorted(outcomes)
    assert (outcomes[0], outcomes[-1]) == ([0, 0, 0], [1, 1, 0])


def ids_of(shard: Path) -> list[str]:
    found: list[str] = pq.read_table(shard, columns=["id"])["id"].to_pylist()
    return found


def test_changes_without_the_lock_are_refused(corpus: Corpus) -> None:
    """The functions check the lock themselves, so no caller can forget it."""
    from builder.corpus import mark, sweep

    with pytest.raises(CorpusError, match="is not locked"):
        mark(corpus, "1.0.0", because="x", root_readme="")
    with pytest.raises(CorpusError, match="is not locked"):
        sweep(corpus, spool_days=0)
