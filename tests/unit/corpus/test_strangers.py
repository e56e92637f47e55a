"""Every command refuses a manipulated corpus from a stranger, without any other effect."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hostile_corpora import (
    NEWEST,
    ODDITIES,
    READERS,
    Scene,
    commands,
    forge_seal,
    make_scene,
    promise,
    read,
    run,
    tree_hash,
    write,
)

from builder.cli import main
from builder.corpus.seals import Sealed
from builder.domain.json.canonical import canonical_json

SHARD = f"{NEWEST}/data/train-00000-of-00001.parquet"
NAMES = sorted(commands(Scene(Path(), Path(), Path())))
READ_BY_ALL = (".seals", ".seals/root.json")
PLACES = (
    *READ_BY_ALL,
    f".seals/{NEWEST}.json",
    NEWEST,
    f"{NEWEST}/manifest.json",
    f"{NEWEST}/README.md",
    f"{NEWEST}/inputs.parquet",
    f"{NEWEST}/data",
    "shard",
    ".audit",
    f".audit/{NEWEST}",
    f".audit/{NEWEST}/ledger.parquet",
    f".audit/{NEWEST}/rejected.parquet",
    ".index",
    f".index/{NEWEST}",
    f".index/{NEWEST}/index.json",
    f".index/{NEWEST}/rows.arrow",
    f".index/{NEWEST}/card.json",
    ".objects",
    ".objects/sha256",
    "tombstones.jsonl",
    ".spool",
)
LOCKING = ("gc", "takedown", "yank", "drop", "build")
READ_MANIFESTS = [name for name in NAMES if name != "rejected"]
QUICK = ("verify", "versions", "why", "diff", "gc")
"""Commands that refuse within a second. The other commands run only in tests that need every command."""


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile kernels and import libraries before a command may take only ``LIMIT_S`` seconds."""
    scene = make_scene(tmp_path_factory.mktemp("warm"))
    for name in ("takedown", "build"):
        with pytest.raises(SystemExit) as end:
            main(commands(scene)[name])
        assert end.value.code == 0, name


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return make_scene(tmp_path)


def place_of(scene: Scene, place: str) -> Path:
    if place == "shard":
        return sorted((scene.corpus / NEWEST / "data").iterdir())[0]
    return scene.corpus / place


@pytest.mark.sampled(6)
@pytest.mark.parametrize("names", [QUICK, pytest.param(NAMES, marks=pytest.mark.long)], ids=["quick", "all"])
@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("place", PLACES)
def test_a_special_file_or_link_is_refused(
    scene: Scene, place: str, oddity: str, names: tuple[str, ...]
) -> None:
    """`verify` names it and exits with 4. No command hangs, prints a traceback or changes other files."""
    for name in NAMES if place in READ_BY_ALL else names:
        if oddity == "link" and place == ".spool" and name not in LOCKING:
            continue
        if not place_of(scene, place).is_symlink():
            ODDITIES[oddity](place_of(scene, place), scene)
        before = tree_hash(scene.canary)
        status, said = run(commands(scene)[name])
        assert tree_hash(scene.canary) == before, (name, said)
        assert status in (0, 1, 4), (name, said)
        if place in READ_BY_ALL or (name == "verify" and place != ".spool"):
            assert status in (1, 4), (name, said)
            assert said.strip(), name
        if place == ".spool" and name in LOCKING:
            assert status == 1, (name, said)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("place", [".spool/lock", ".spool/hashes.json"])
def test_an_odd_lock_or_cache_is_refused(scene: Scene, place: str, oddity: str) -> None:
    """Commands that write print an error message. Commands that read do not need these files."""
    ODDITIES[oddity](scene.corpus / place, scene)
    before = tree_hash(scene.canary)
    for name in READERS:
        assert run(commands(scene)[name])[0] == 0, name
    for name in LOCKING if place == ".spool/lock" else ["build"]:
        status, said = run(commands(scene)[name])
        assert status == 1, (name, said)
        assert place in said
    assert tree_hash(scene.canary) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [".seals/root.json", f"{NEWEST}/manifest.json"])
@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error_message(scene: Scene, place: str, name: str) -> None:
    """A file without read permission must not lead to a traceback."""
    (scene.corpus / place).chmod(0)
    status, said = run(commands(scene)[name])
    assert status in (1, 4), said


# -- nothing is written by those who read ------------------------------------------------------------


@pytest.mark.parametrize("name", READERS)
def test_readers_write_nothing(scene: Scene, name: str) -> None:
    """Without a lock, spool or journal, a read-only corpus can be read."""
    promise(scene.corpus, ["replace", "root/payload", "README.md"])
    before = tree_hash(scene.corpus)
    status, said = run(commands(scene)[name])
    assert tree_hash(scene.corpus) == before
    if name in ("verify", "gc --dry-run"):
        assert status == (4 if name == "verify" else 1)
        assert "a commit is pending" in said
        assert "builder build" in said
    else:
        assert status == 0, said


# -- journals ----------------------------------------------------------------------------------------

FORGED: dict[str, Any] = {
    "replace outside": ["replace", "root/payload", "../canary/a.txt"],
    "replace absolute": ["replace", "root/payload", "/tmp/builder-canary"],
    "replace through a version": ["replace", "root/payload", f"{NEWEST}/../../canary/a.txt"],
    "replace newline": ["replace", "root/payload", f"{NEWEST}/data\n/../../../canary/a.txt"],
    "source outside": ["replace", "../../../canary/a.txt", "README.md"],
    "remove outside": ["remove", "../canary"],
    "remove everything": ["remove", "."],
    "remove nothing": ["remove", ""],
    "remove the lock": ["remove", ".spool/lock"],
    "remove the objects": ["remove", ".objects"],
    "free outside": ["free", ".objects/sha256/../../../canary/a.txt"],
    "freeze outside": ["freeze", "../canary"],
    "freeze the corpus": ["freeze", "."],
    "point elsewhere": ["point", "../canary/a.txt", NEWEST],
    "point outside": ["point", "latest", "../canary"],
    "move outside": ["move", "root", "../canary/new"],
    "move to any place": ["move", "root", "new"],
    "unknown verb": ["unlink", "README.md"],
    "too few": ["replace", "README.md"],
    "too many": ["freeze", NEWEST, NEWEST],
    "a number": ["remove", 7],
    "a step that is a text": "remove",
    "nothing in it": [],
    "version of many digits": ["freeze", "9" * 5_000 + ".0.0"],
}


@pytest.mark.sampled(10)
@pytest.mark.parametrize("step", FORGED.values(), ids=list(FORGED))
def test_a_forged_journal_is_refused(scene: Scene, step: Any) -> None:
    """No step is done, not even the valid steps before it. Readers report it, and writers refuse it."""
    staged = promise(scene.corpus, ["replace", "root/payload", "README.md"], step)
    before, corpus = tree_hash(scene.canary), tree_hash(scene.corpus)
    status, said = run(commands(scene)["verify"])
    assert status == 4
    assert ".spool/.commit-9.9.9/commit.json" in said
    assert tree_hash(scene.corpus) == corpus
    for name in LOCKING:
        status, said = run(commands(scene)[name])
        assert status == 1, said
        assert ".spool/.commit-9.9.9/commit.json" in said
        assert "nothing was done" in said
    assert tree_hash(scene.canary) == before
    assert (staged / "root/payload").exists()
    assert b"attack" not in (scene.corpus / "README.md").read_bytes()


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[", b"7", b"[[[" * 50_000, b'[["remove", NaN]]', b"\xff", b"[" + b"9" * 5_000],
)
def test_an_invalid_journal_is_refused(scene: Scene, data: bytes) -> None:
    """Any content of the file leads to an error message, not to a traceback."""
    staged = promise(scene.corpus)
    (staged / "commit.json").write_bytes(data)
    for name in ("verify", *LOCKING):
        status, said = run(commands(scene)[name])
        assert status in (1, 4), said
        assert "commit.json" in said


@pytest.mark.parametrize("oddity", ["fifo", "link", "other kind"])
def test_a_journal_that_is_not_a_file_is_refused(scene: Scene, oddity: str) -> None:
    """A FIFO must not block, and a link must not be followed."""
    staged = promise(scene.corpus, ["replace", "root/payload", "README.md"])
    ODDITIES[oddity](staged / "commit.json", scene)
    before = tree_hash(scene.canary)
    for name in ("verify", *LOCKING):
        status, said = run(commands(scene)[name])
        assert status in (1, 4), said
        assert "commit.json" in said
    assert tree_hash(scene.canary) == before


def test_links_on_the_way_of_a_step_are_refused(scene: Scene) -> None:
    """The link may be the folder of the version, a folder in it, the staged folder or a file in it."""
    steps = {
        NEWEST: ["replace", "root/payload", f"{NEWEST}/a.txt"],
        f"{NEWEST}/data": ["remove", f"{NEWEST}/data/b.parquet"],
        ".audit": ["replace", "root/payload", f".audit/{NEWEST}/a.txt"],
        ".objects/sha256/00": ["free", ".objects/sha256/00/a.txt"],
        ".spool/.commit-9.9.9/root": ["replace", "root/a.txt", "README.md"],
        "3.0.0": ["freeze", "3.0.0"],
    }
    for number, (place, step) in enumerate(steps.items()):
        folder = scene.corpus.parent / str(number)
        folder.mkdir()
        one = make_scene(folder)
        promise(one.corpus, step)
        path = one.corpus / place
        if path.exists():
            path.parent.chmod(0o755)
            path.rename(folder / "away")
        path.symlink_to(one.canary)
        before = tree_hash(one.canary)
        status, said = run(commands(one)["gc"])
        assert (status, tree_hash(one.canary)) == (1, before), (place, said)


def test_a_staged_folder_that_is_a_link_is_refused(scene: Scene) -> None:
    """builder neither follows its journal nor deletes the target of the link."""
    (scene.canary / "commit.json").write_text("[]")
    (scene.corpus / ".spool/.commit-1.0.0").symlink_to(scene.canary)
    before = tree_hash(scene.canary)
    for name in ("verify", *LOCKING):
        assert run(commands(scene)[name])[0] in (1, 4), name
    assert tree_hash(scene.canary) == before


def test_a_frozen_version_leaves_links_alone(scene: Scene) -> None:
    """Freezing must not change the mode of a file at the target of a link."""
    (scene.corpus / "3.0.0").chmod(0o755)
    (scene.corpus / "3.0.0/more").symlink_to(scene.canary / "a.txt")
    (scene.canary / "a.txt").chmod(0o640)
    promise(scene.corpus, ["freeze", "3.0.0"])
    before = tree_hash(scene.canary)
    run(commands(scene)["gc"])
    assert tree_hash(scene.canary) == before


# -- seals and manifests -----------------------------------------------------------------------------

ROOT = ".seals/root.json"
SEALS: dict[str, Any] = {
    "name is a number": lambda d: d.update(name=7),
    "version of many digits": lambda d: d["versions"].update({"9" * 5_000 + ".0.0": d["versions"][NEWEST]}),
    "version that leads out": lambda d: d["versions"].update({"../canary": d["versions"][NEWEST]}),
    "version with a newline": lambda d: d["versions"].update({"9.0.0\n": d["versions"][NEWEST]}),
    "versions is a list": lambda d: d.update(versions=[]),
    "facts are a text": lambda d: d["versions"].update({NEWEST: "x"}),
    "facts are missing": lambda d: d["versions"].update({NEWEST: {}}),
    "a digest is a number": lambda d: d["versions"][NEWEST].update(digest=1),
    "a digest leads out": lambda d: d["versions"][NEWEST].update(digest="../../canary/a.txt"),
    "yanked is a number": lambda d: d["versions"][NEWEST].update(yanked=1),
    "latest leads out": lambda d: d.update(latest="../canary"),
    "files is a list": lambda d: d.update(files=[1]),
    "a file leads out": lambda d: d["files"].update({"../canary/a.txt": d["files"]["README.md"]}),
    "a size is a truth": lambda d: d["files"]["README.md"].update(bytes=True),
    "a size is huge": lambda d: d["files"]["README.md"].update(bytes=10**4_000),
    "a size is a fraction": lambda d: d["files"]["README.md"].update(bytes=0.5),
    "unused leads out": lambda d: d.update(unused=["../../../canary/a.txt"]),
    "unused is a number": lambda d: d.update(unused=3),
    "more fields": lambda d: d.update(more=1),
    "fewer fields": lambda d: d.pop("latest"),
    "another format": lambda d: d.update(format=["root-seal-1"]),
}


@pytest.mark.parametrize("change", SEALS.values(), ids=list(SEALS))
def test_a_forged_seal_is_refused(scene: Scene, change: Any) -> None:
    """The digest in the forged seal is right, so only the grammar can refuse it."""
    forge_seal(scene.corpus / ROOT, change)
    before = tree_hash(scene.canary)
    for name in NAMES:
        status, said = run(commands(scene)[name])
        assert status in (1, 4), (name, said)
        assert ROOT in said, (name, said)
        assert len(said) < 2_000, name
    assert tree_hash(scene.canary) == before


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"seal":NaN}',
        b'{"seal":' + b"9" * 6_000 + b"}",
        b'{"seal":"\\ud800"}',
    ],
)
def test_bytes_that_are_not_a_seal_are_refused(scene: Scene, data: bytes) -> None:
    """No command prints a traceback, for the root seal and for the seal of a version."""
    for place in (f".seals/{NEWEST}.json", ROOT):
        write(scene.corpus / place, data)
        for name in NAMES if place == ROOT else ("verify", "drop", "takedown"):
            status, said = run(commands(scene)[name])
            assert status in (0, 1, 4), (name, said)
            assert status or place != ROOT, (name, said)


def test_a_seal_that_is_too_big_is_refused(scene: Scene) -> None:
    """A sparse file of a terabyte must not be read into memory."""
    with (scene.corpus / ROOT).open("r+b") as file:
        file.truncate(1 << 40)
    for name in NAMES:
        status, said = run(commands(scene)[name])
        assert status in (1, 4), (name, said)


def reseal(scene: Scene, version: str, manifest: dict[str, Any]) -> None:
    """Put a forged manifest into a version, and make every digest above it agree."""
    data = canonical_json(manifest)
    write(scene.corpus / version / "manifest.json", data)
    digest = Sealed.of(data).sha256
    forge_seal(scene.corpus / f".seals/{version}.json", lambda d: d.update(digest=digest))
    seal = Sealed.of((scene.corpus / f".seals/{version}.json").read_bytes()).sha256
    forge_seal(scene.corpus / ROOT, lambda d: d["versions"][version].update(digest=digest, seal=seal))


@pytest.mark.parametrize(
    "path",
    [
        "data\n/../../../canary/data/b.parquet",
        "data/x.parquet\n",
        "../canary/data/b.parquet",
        "/etc/hostname",
        "data/\x00.parquet",
        "data\\..\\x.parquet",
        "d" * 2_000,
        "data/" + "d" * 300,
        7,
    ],
)
def test_a_manifest_that_names_other_places_is_refused(scene: Scene, path: Any) -> None:
    """The whole path must match the whitelist; a newline does not end the match."""
    manifest = read(scene.corpus / NEWEST / "manifest.json")
    manifest["splits"]["train"]["shards"][0]["path"] = path
    reseal(scene, NEWEST, manifest)
    before = tree_hash(scene.canary)
    for name in READ_MANIFESTS:
        status, said = run(commands(scene)[name])
        assert status in (1, 4), (name, said)
        assert "manifest.json" in said, (name, said)
    assert tree_hash(scene.canary) == before


def test_a_parent_that_is_not_lower_is_refused(scene: Scene) -> None:
    """builder would follow a version that is its own parent for ever."""
    manifest = read(scene.corpus / NEWEST / "manifest.json")
    manifest["parent"]["version"] = NEWEST
    reseal(scene, NEWEST, manifest)
    for name in READ_MANIFESTS:
        assert run(commands(scene)[name])[0] in (1, 4), name


INDEXES: dict[str, Any] = {
    "base is itself": lambda d: d.update(base=NEWEST),
    "base leads out": lambda d: d.update(base="../../canary"),
    "base is a number": lambda d: d.update(base=4),
    "shards is a number": lambda d: d.update(shards=7),
    "a shard is a text": lambda d: d.update(shards=["x"]),
    "retired is a list": lambda d: d.update(retired=[]),
    "no version": lambda d: d.pop("version"),
    "a shard made from itself": lambda d: d["shards"][0].update(
        derived={"source": d["shards"][0]["sha256"], "removed": [], "replaced": []}
    ),
}


@pytest.mark.parametrize("change", INDEXES.values(), ids=list(INDEXES))
def test_a_forged_index_is_refused(scene: Scene, change: Any) -> None:
    """Chains of versions must end, and wrong types must not lead to a traceback."""
    path = scene.corpus / f".index/{NEWEST}/index.json"
    document = read(path)
    change(document)
    write(path, canonical_json(document))
    for name in ("verify", "why", "takedown"):
        status, said = run(commands(scene)[name])
        assert status in (0, 1, 4), (name, said)
        assert status != 0 or name == "why"


@pytest.mark.parametrize("place", [f".audit/{NEWEST}/ledger.parquet", f".index/{NEWEST}/rows.arrow", "shard"])
@pytest.mark.parametrize("data", [b"", b"PAR1", b"ARROW1\0\0", os.urandom(2_000)])
def test_invalid_tables_are_refused(scene: Scene, place: str, data: bytes) -> None:
    """Bytes that Arrow cannot read lead to an error message."""
    write(place_of(scene, place), data)
    for name in QUICK:
        status, said = run(commands(scene)[name])
        assert status in (0, 1, 4), (name, said)
        assert status == 4 or name != "verify"


def test_a_spool_with_links_is_not_written_through(scene: Scene) -> None:
    """A spool from a stranger may contain links with the names of files that a build writes."""
    from builder.corpus import Corpus
    from builder.errors import CorpusError

    corpus = Corpus(scene.corpus)
    (corpus.spool("key") / "0").symlink_to(scene.canary)
    (scene.corpus / ".spool/other").symlink_to(scene.canary)
    for key in ("key", "other"):
        with pytest.raises(CorpusError, match="symbolic link"):
            corpus.spool(key)
