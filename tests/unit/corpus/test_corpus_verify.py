"""``verify`` names every changed file of a corpus, and finds no fault in an unchanged corpus."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.corpus import Corpus, verify_files
from builder.corpus.names import ROOT_SEAL
from builder.corpus.objects import object_name
from builder.corpus.seals import RootSeal, Sealed
from builder.errors import VersionError

SHARD = "1.0.0/data/test-00000-of-00002.parquet"
KINDS = ("flip", "cut", "remove", "add", "link", "retarget")


def files_of(corpus: Path) -> list[str]:
    """List every file and link of a corpus outside the spool."""
    found = [path.relative_to(corpus) for path in corpus.rglob("*") if path.is_file() or path.is_symlink()]
    return sorted(
        str(path) for path in found if path.parts[0] not in (".spool", "latest") or len(path.parts) == 1
    )


def allow_writing(path: Path) -> None:
    """Make a file and its folder writable, as a careless or hostile person could."""
    for one in (path, path.parent):
        if not one.is_symlink():
            one.chmod(one.stat().st_mode | 0o700)


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def inject(corpus: Path, kind: str, name: str, rng: random.Random) -> str:
    """Damage one file in one way, and return the name that ``verify`` must report."""
    path = corpus / name
    allow_writing(path)
    if kind == "retarget" or name == "latest":
        (corpus / "latest").unlink()
        (corpus / "latest").symlink_to(rng.choice(["1.0.0", "2.0.0", ".", "/etc", "./1.1.0"]))
        return "latest"
    if kind == "add":
        added = path.with_name(rng.choice(["extra.parquet", ".hidden", path.name + "~"]))
        added.write_bytes(b"" if rng.random() < 0.3 else path.read_bytes())
        return str(added.relative_to(corpus))
    size = path.stat().st_size
    if kind == "link":
        shutil.move(path, corpus.parent / "elsewhere")
        path.symlink_to(corpus.parent / "elsewhere")
    elif kind == "remove" or not size:
        path.unlink()
    elif kind == "cut":
        os.truncate(path, rng.randrange(size))
    else:
        flip(path, rng)
    return name


def names(corpus: Corpus | Path, version: str | None = None) -> list[str]:
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    return [fault.where for fault in verify_files(corpus, version)]


@pytest.mark.parametrize("seed", range(100))
def test_any_damage_is_named(corpus: Corpus, seed: int) -> None:
    """The random choice takes a file first and then a byte, so it damages small and large files equally."""
    rng = random.Random(seed)
    name = rng.choice(files_of(corpus.path))
    damaged = inject(corpus.path, KINDS[seed % len(KINDS)], name, rng)
    assert damaged in names(corpus)


def test_damage_covers_every_kind_of_file(pristine: Path) -> None:
    """The random damage above must be able to reach every kind of file of a corpus."""
    kinds = {name.split("/")[0] if name.startswith(".") else Path(name).name for name in files_of(pristine)}
    expected = {".objects", ".audit", ".index", ".seals", "README.md", "tombstones.jsonl", "latest"}
    assert expected | {"manifest.json", "croissant.json", "inputs.parquet"} <= kinds


@pytest.mark.parametrize("name", [ROOT_SEAL, ".seals/1.0.0.json", "1.0.0/manifest.json"])
def test_every_byte_of_a_seal_counts(corpus: Corpus, name: str) -> None:
    """A changed byte in a seal or manifest is a fault of this file."""
    data = (corpus.path / name).read_bytes()
    allow_writing(corpus.path / name)
    for at in range(0, len(data), 37):
        changed = bytearray(data)
        changed[at] ^= 4
        (corpus.path / name).write_bytes(changed)
        assert name in names(corpus)


def test_clean_corpus_has_no_fault(pristine: Path) -> None:
    """Neither the check of the whole corpus nor that of one version reports an unchanged file."""
    assert names(pristine) == []
    assert names(pristine, "1.0.0") == []


def test_copy_has_no_fault(pristine: Path, tmp_path: Path) -> None:
    """``cp -r`` turns hard links into separate files, which is allowed."""
    subprocess.run(["cp", "-r", str(pristine), str(tmp_path / "copy")], check=True)
    assert names(tmp_path / "copy") == []


def test_corpus_on_another_file_system_has_no_fault(pristine: Path, tmp_path: Path) -> None:
    """Users move a corpus to another disk."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine does not have a second file system")
    target = shm / f"builder-test-{os.getpid()}"
    try:
        shutil.copytree(pristine, target, symlinks=True)
        assert names(target) == []
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", str(target)], check=True)
        shutil.rmtree(target)


def test_changed_modes_and_times_are_not_a_fault(corpus: Corpus) -> None:
    """A copy may change modes and times."""
    for path in corpus.path.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
            os.utime(path, (1, 1))
    assert names(corpus) == []


def test_the_spool_is_not_checked(corpus: Corpus) -> None:
    """The spool contains the files of an unfinished build."""
    (corpus.spool("build") / "part.arrow").write_bytes(b"x")
    assert names(corpus) == []


def test_the_kind_of_damage_is_reported(corpus: Corpus) -> None:
    """Truncated, grown and changed files have different messages; the first two contain the sizes."""
    shard = corpus.path / SHARD
    allow_writing(shard)
    data = shard.read_bytes()
    for damaged, text in (
        (data[:-1], f"was cut short: {len(data) - 1:,} bytes instead of {len(data):,}"),
        (data + b"x", f"grew: {len(data) + 1:,} bytes instead of {len(data):,}"),
        (b"x" + data[1:], "was changed: its bytes have another SHA-256"),
    ):
        shard.write_bytes(damaged)
        assert f"{SHARD}: {text}" in map(str, verify_files(corpus))


def test_foreign_folder_in_a_version_is_named(corpus: Corpus) -> None:
    """A version contains only what its manifest lists; not even an empty folder may be added."""
    allow_writing(corpus.path / "1.0.0/data")
    (corpus.path / "1.0.0/notes").mkdir()
    assert names(corpus) == ["1.0.0/notes"]
    assert names(corpus, "1.0.0") == ["1.0.0/notes"]
    assert names(corpus, "1.1.0") == []


def test_folder_replaced_by_a_link_is_one_fault(corpus: Corpus, tmp_path: Path) -> None:
    """The link is not followed, even if the same bytes are at its target."""
    for name in ("1.0.0/data", ".audit", ".objects/sha256"):
        path = corpus.path / name
        allow_writing(path)
        path.rename(tmp_path / "away")
        path.symlink_to(tmp_path / "away")
        assert names(corpus) == [name]
        path.unlink()
        (tmp_path / "away").rename(path)


def test_missing_folder_names_every_file(corpus: Corpus) -> None:
    """The user sees which files to restore."""
    gone = [name for name in files_of(corpus.path) if name.startswith(".index/1.0.0/")]
    shutil.rmtree(corpus.path / ".index/1.0.0")
    assert names(corpus) == gone


def test_damage_to_shared_bytes_is_reported_for_every_path(corpus: Corpus) -> None:
    """A changed hard link is a fault of the object and of each version that uses it."""
    allow_writing(corpus.path / SHARD)
    flip(corpus.path / SHARD, random.Random(1))
    found = names(corpus)
    assert SHARD in found
    assert "1.1.0/data/test-00000-of-00003.parquet" in found
    assert sum(name.startswith(".objects/") for name in found) == 1


def test_version_without_root_seal_is_still_checked(corpus: Corpus) -> None:
    """Their own seals still list the versions, so damage in a version is found too."""
    (corpus.path / ROOT_SEAL).unlink()
    allow_writing(corpus.path / SHARD)
    (corpus.path / SHARD).unlink()
    assert names(corpus) == [ROOT_SEAL, SHARD]


def test_version_swapped_for_another_is_named(corpus: Corpus) -> None:
    """Each folder is valid by itself, but not under the number of the other version."""
    for name in ("1.0.0", "1.1.0"):
        allow_writing(corpus.path / name)
    (corpus.path / "1.0.0").rename(corpus.path / "x")
    (corpus.path / "1.1.0").rename(corpus.path / "1.0.0")
    (corpus.path / "x").rename(corpus.path / "1.1.0")
    assert "1.0.0/manifest.json" in names(corpus)


def test_yanked_without_a_seal_is_named(corpus: Corpus) -> None:
    """A yank that was edited into the root seal does not match the digest of the seal."""
    data = (corpus.path / ROOT_SEAL).read_bytes()
    (corpus.path / ROOT_SEAL).write_bytes(data.replace(b'"yanked":null', b'"yanked":"why"', 1))
    assert names(corpus) == [ROOT_SEAL]


def test_unknown_version_is_an_error(corpus: Corpus) -> None:
    """A missing version is a mistake of the caller, not damage to the corpus."""
    with pytest.raises(VersionError, match=r"has no version 3\.0\.0"):
        verify_files(corpus, "3.0.0")


def test_special_file_is_named_and_not_read(corpus: Corpus) -> None:
    """Reading a FIFO would block for ever."""
    path = corpus.path / "README.md"
    path.unlink()
    os.mkfifo(path)
    assert names(corpus) == ["README.md"]


def test_the_caller_receives_every_hashed_file(pristine: Path) -> None:
    """Progress counts each hashed file once; hard links to the same file are hashed once."""
    heard: list[tuple[str, int]] = []
    verify_files(Corpus(pristine), on_file=lambda name, n_bytes: heard.append((name, n_bytes)))
    shards = [name for name in files_of(pristine) if name.startswith(".objects")]
    inodes = [(pristine / name).stat().st_ino for name, _ in heard]
    assert {(pristine / name).stat().st_ino for name in shards} <= set(inodes)
    assert len(set(inodes)) == len(inodes)
    assert all((pristine / name).stat().st_size == n_bytes for name, n_bytes in heard)


def test_object_that_was_left_over_is_expected(corpus: Corpus) -> None:
    """The root seal lists unused objects, so such an object is a fault only if it changes."""
    data = b"left over"
    name = object_name(Sealed.of(data).sha256)
    (corpus.path / name).parent.mkdir(exist_ok=True)
    (corpus.path / name).write_bytes(data)
    assert set(names(corpus)) & {name, str(Path(name).parent)}
    seal = corpus.seal()
    facts = {field: getattr(seal, field) for field in ("name", "latest", "versions", "files")}
    changed = RootSeal(**facts, unused=(Sealed.of(data).sha256,))
    (corpus.path / ROOT_SEAL).write_bytes(changed.to_bytes())
    assert names(corpus) == []
    (corpus.path / name).write_bytes(b"something")
    assert names(corpus) == [name]
