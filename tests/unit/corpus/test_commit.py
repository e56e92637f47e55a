"""A commit is atomic, whenever the process is killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

import builder
from builder.corpus import Corpus, verify_files
from builder.corpus import pending as pending_commits
from builder.corpus.commit import is_pending
from builder.domain.manifest import Manifest
from builder.errors import BuilderError, CorpusError, TamperedError, VersionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

KILLER = Path(__file__).resolve().parent / "kill_commits.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(builder.__file__).resolve().parent.parent)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Create a folder, in memory if possible: the steps are the same, and syncs to a disk are slow."""
    shm = Path("/dev/shm")
    with TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def small(synthetic: ModuleType, place: Path) -> Corpus:
    """Create a corpus with one small version."""
    corpus = Corpus.open_or_create(place / "small", name=synthetic.NAME)
    synthetic.write_version(corpus, "1.0.0", [synthetic.make_rows(20, seed=1)])
    return corpus


def kill_commits(corpus: Path, target: Path, *, first: int, stride: int) -> None:
    """Kill a commit of 1.1.0 before its ``first`` step and every ``stride`` steps later, each on a copy."""
    target.mkdir()
    command = [sys.executable, str(KILLER), str(corpus), str(target), str(first), str(stride)]
    subprocess.run(command, check=True, timeout=120, env=ENVIRONMENT)


def loadable(folder: Path) -> list[str]:
    """Return the versions that the root card and ``latest`` name, after a check that all their rows exist."""
    card = (folder / "README.md").read_text().rsplit("\n", 1)[1]
    latest = str((folder / "latest").readlink())
    for version in {card, latest}:
        manifest = Manifest.parse((folder / version / "manifest.json").read_bytes())
        for _, shard in manifest.shards():
            assert (folder / version / shard.path).stat().st_size == shard.bytes
    return [card, latest]


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.long)])
def test_killed_commit_leaves_the_old_or_the_new_corpus(
    small: Corpus, place: Path, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The corpus loads after a kill before any step, and the next command with the lock cleans up."""
    monkeypatch.setattr(pending_commits, "_GRACE_S", 0.0)
    target = place / "killed"
    kill_commits(small.path, target, first=stride // 2, stride=stride)
    folders = sorted(target.iterdir())
    assert len(folders) > 60 // stride
    outcomes, pending = [], 0
    for folder in folders:
        assert set(loadable(folder)) <= {"1.0.0", "1.1.0"}
        corpus = Corpus(folder)
        pending += is_pending(folder)
        told = [fault.what for fault in verify_files(corpus)]
        assert told == (["a commit is pending"] if is_pending(folder) else [])
        with corpus.lock():
            assert not list(folder.glob(".spool/.commit-*"))
        assert verify_files(corpus) == []
        assert set(loadable(folder)) == {corpus.newest()}
        outcomes.append(corpus.versions())
    assert outcomes == sorted(outcomes, key=len)
    assert outcomes[0] == ["1.0.0"]
    assert outcomes[-1] == ["1.0.0", "1.1.0"]
    assert pending > 20 // stride


def test_a_version_can_be_written_after_a_killed_commit(
    small: Corpus, place: Path, synthetic: ModuleType
) -> None:
    """An early kill leaves the number free; after a late kill, the version is complete."""
    target = place / "killed"
    kill_commits(small.path, target, first=3, stride=25)
    for folder in sorted(target.iterdir()):
        corpus = Corpus(folder)
        with corpus.lock():
            there = "1.1.0" in corpus.versions()
        parts = [synthetic.make_rows(20, seed=1), synthetic.make_rows(10, seed=2)]
        if there:
            with pytest.raises(VersionError, match=r"already has version 1\.1\.0"):
                synthetic.write_version(corpus, "1.1.0", parts)
        else:
            synthetic.write_version(corpus, "1.1.0", parts)
        assert corpus.versions() == ["1.0.0", "1.1.0"]
        assert verify_files(corpus) == []


def test_a_killed_creation_of_a_corpus_can_be_repeated(place: Path) -> None:
    """The same call creates the corpus after a kill before any step."""
    (place / "made").mkdir()
    command = [sys.executable, str(KILLER), "make", str(place / "made")]
    subprocess.run(command, check=True, timeout=120, env=ENVIRONMENT)
    folders = sorted((place / "made").iterdir())
    assert len(folders) > 10
    for folder in folders:
        corpus = Corpus.open_or_create(folder, name="new")
        assert corpus.versions() == []
        assert verify_files(corpus) == []


def test_shards_of_the_parent_are_the_same_files(pristine: Path) -> None:
    """Added rows do not change the old shards, so the corpus stores them once."""
    objects = list(pristine.glob(".objects/sha256/*/*"))
    links = list(pristine.glob("*.*.*/data/*"))
    assert len({path.name for path in objects}) == len(objects)
    assert len(links) > len(objects)
    old = {shard.sha256 for _, shard in Corpus(pristine).manifest("1.0.0").shards()}
    new = {shard.sha256 for _, shard in Corpus(pristine).manifest("1.1.0").shards()}
    assert old < new


def test_version_folder_is_read_only(pristine: Path) -> None:
    """Only root can write to a version by accident; only the owner can read the audit."""
    for path in [pristine / "1.0.0", *(pristine / "1.0.0").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444)
    assert {stat.S_IMODE(path.stat().st_mode) for path in pristine.glob(".objects/sha256/*/*")} == {0o444}
    assert {stat.S_IMODE(path.stat().st_mode) for path in pristine.glob(".audit/1.0.0/*")} == {0o600}


def test_digest_is_the_hash_of_the_manifest(pristine: Path) -> None:
    """The root seal has the same digest, and the manifest of the next version refers to it."""
    corpus = Corpus(pristine)
    assert corpus.manifest("1.0.0").digest == corpus.digest("1.0.0")
    assert corpus.manifest("1.1.0").parent == {"version": "1.0.0", "digest": corpus.digest("1.0.0")}


def test_commit_needs_the_lock(small: Corpus) -> None:
    """A staging without the lock could be deleted by another builder."""
    with pytest.raises(CorpusError, match="is not locked"):
        small.begin("1.1.0")


def test_version_number_is_taken_once(small: Corpus) -> None:
    """A folder with the name of a version blocks the number too."""
    (small.path / "1.2.0").mkdir()
    with small.lock():
        for version in ("1.0.0", "1.2.0"):
            with pytest.raises(VersionError, match=f"already has version {version}"):
                small.begin(version)


def test_manifest_must_match_the_staged_files(small: Corpus, synthetic: ModuleType) -> None:
    """A different file or shard would be a fault of the committed version."""
    with small.lock():
        staging = small.begin("1.1.0")
        manifest = synthetic.stage_version(small, staging, [synthetic.make_rows(20, seed=1)])
        (staging.folder / "more.txt").write_text("x")
        with pytest.raises(BuilderError, match=r"more\.txt: differs between the manifest"):
            small.commit(staging, manifest, "# card")
    assert small.versions() == ["1.0.0"]


def test_begin_deletes_an_earlier_staging(small: Corpus) -> None:
    """Files of a build that never committed must not reach the next version."""
    with small.lock():
        staging = small.begin("1.1.0")
        (staging.folder / "old.txt").write_text("x")
        assert not (small.begin("1.1.0").folder / "old.txt").exists()


def test_shard_that_differs_from_its_object_is_refused(small: Corpus, synthetic: ModuleType) -> None:
    """A new version must not link to a damaged object."""
    shard = next(iter(small.manifest("1.0.0").shards()))[1]
    copy = small.spool("build") / "shard.parquet"
    copy.write_bytes((small.path / "1.0.0" / shard.path).read_bytes())
    (stored,) = small.path.glob(f".objects/sha256/*/{shard.sha256}.parquet")
    stored.chmod(0o644)
    stored.write_bytes(b"damaged")
    with small.lock(), pytest.raises(TamperedError, match="was changed"):
        small.begin("1.1.0").add_shard(copy, name="data/train-00000-of-00001.parquet")


def test_a_lost_file_of_a_pending_commit_is_reported(small: Corpus, place: Path) -> None:
    """Another process deleted the file if it is neither staged nor at its target."""
    staged = small.path / ".spool/.commit-1.1.0"
    staged.mkdir()
    (staged / "commit.json").write_text('[["move","version","9.9.9"]]')
    with pytest.raises(CorpusError, match=r"9\.9\.9: was lost"), small.lock():
        pass


def test_a_folder_at_the_place_of_a_version_is_not_replaced(small: Corpus, synthetic: ModuleType) -> None:
    """The folder may contain files of the user. The commit resumes after the user has moved it."""
    with small.lock():
        staging = small.begin("1.1.0")
        manifest = synthetic.stage_version(small, staging, [synthetic.make_rows(20, seed=1)])
        (small.path / "1.1.0").mkdir()
        with pytest.raises(CorpusError, match=r"1\.1\.0: is in the way"):
            small.commit(staging, manifest, "# card")
    (small.path / "1.1.0").rmdir()
    with small.lock():
        assert small.versions() == ["1.0.0", "1.1.0"]
    assert verify_files(small) == []


def test_staging_on_another_file_system_is_refused(small: Corpus, tmp_path: Path) -> None:
    """Files cannot be renamed from another file system, so a link to such a spool is refused."""
    if tmp_path.stat().st_dev == small.path.stat().st_dev:
        pytest.skip("this machine does not have a second file system")
    (small.path / ".spool").rename(small.path.parent / "away")
    (tmp_path / "spool").mkdir()
    (small.path / ".spool").symlink_to(tmp_path / "spool")
    with pytest.raises(CorpusError, match="is a symbolic link, not a folder"), small.lock():
        pass
    assert not list((tmp_path / "spool").iterdir())


def test_tombstones_are_replaced_with_the_version(small: Corpus, synthetic: ModuleType) -> None:
    """Tombstones without their version would hide rows; the root seal covers them."""
    with small.lock():
        staging = small.begin("2.0.0")
        manifest = synthetic.stage_version(small, staging, [synthetic.make_rows(20, seed=1)])
        small.commit(staging, manifest, "# card", tombstones=b'{"url": "x"}\n')
    assert (small.path / "tombstones.jsonl").read_bytes() == b'{"url": "x"}\n'
    assert verify_files(small) == []
