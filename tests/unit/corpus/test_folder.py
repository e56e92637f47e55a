"""Create, open and read a corpus folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.corpus import Corpus, split_address, verify_files
from builder.corpus.durable import rename_new, write_file
from builder.corpus.names import ROOT_SEAL
from builder.corpus.seals import RootSeal, VersionSeal
from builder.errors import CorpusError, TamperedError, VersionError


def test_a_corpus_lists_its_versions(pristine: Path) -> None:
    """The order is by number, lowest first, and the newest version is the highest."""
    corpus = Corpus(pristine)
    assert corpus.versions() == ["1.0.0", "1.1.0"]
    assert corpus.newest() == corpus.find_newest() == "1.1.0"
    assert corpus.name == "synthetic"
    assert corpus.yanked("1.0.0") is None


def test_a_corpus_returns_the_paths_of_its_files(pristine: Path) -> None:
    """Callers need the shards by split, the ledger, the index and the folder of a version."""
    corpus = Corpus(pristine)
    files = corpus.data_files("1.0.0")
    assert list(files) == ["test", "train"] or list(files) == ["train", "test"]
    assert [path.name for path in files["test"]] == [f"test-0000{i}-of-00002.parquet" for i in (0, 1)]
    assert all(path.is_file() for paths in files.values() for path in paths)
    assert corpus.ledger_file("1.0.0") == pristine / ".audit/1.0.0/ledger.parquet"
    assert corpus.index_folder("1.0.0").is_dir()
    assert corpus.version_folder("1.0.0") == pristine / "1.0.0"


def test_yanked_version_is_not_the_newest(corpus: Corpus) -> None:
    """It stays in the list with its reason, but it is not loaded by default."""
    seal = corpus.seal()
    versions = {number: dict(facts) for number, facts in seal.versions.items()}
    versions["1.1.0"]["yanked"] = "wrong licence"
    changed = RootSeal(name=seal.name, latest="1.0.0", versions=versions, files=seal.files)
    (corpus.path / ROOT_SEAL).write_bytes(changed.to_bytes())
    assert corpus.newest() == "1.0.0"
    assert corpus.versions() == ["1.0.0", "1.1.0"]
    assert corpus.yanked("1.1.0") == "wrong licence"


def test_the_error_for_an_unknown_version_lists_the_known_versions(pristine: Path) -> None:
    """The user can then choose one of them."""
    with pytest.raises(VersionError, match=r"has no version 9\.0\.0 \(versions: 1\.0\.0, 1\.1\.0\)"):
        Corpus(pristine).manifest("9.0.0")


def test_changed_manifest_is_not_read(corpus: Corpus) -> None:
    """Even a valid manifest is refused if it is not the sealed one."""
    path = corpus.path / "1.0.0/manifest.json"
    path.chmod(0o644)
    path.write_bytes((corpus.path / "1.1.0/manifest.json").read_bytes())
    with pytest.raises(TamperedError, match="was changed"):
        corpus.manifest("1.0.0")


def test_new_corpus_is_empty_and_clean(tmp_path: Path) -> None:
    """A corpus without versions is valid, and opening it again changes nothing."""
    corpus = Corpus.open_or_create(tmp_path / "a" / "b", name="x")
    assert (corpus.versions(), corpus.find_newest()) == ([], None)
    assert verify_files(corpus) == []
    assert Corpus.open_or_create(tmp_path / "a" / "b", name="x").seal() == corpus.seal()
    with pytest.raises(VersionError, match="has no version"):
        corpus.newest()


def test_an_interrupted_creation_can_be_repeated(tmp_path: Path) -> None:
    """The root seal comes last, so it is missing after a killed creation."""
    Corpus.open_or_create(tmp_path / "c", name="x")
    (tmp_path / "c" / ROOT_SEAL).unlink()
    assert verify_files(Corpus.open_or_create(tmp_path / "c", name="x")) == []


def test_corpus_of_another_name_is_refused(pristine: Path) -> None:
    """Two recipes cannot share a corpus by accident."""
    with pytest.raises(CorpusError, match="is the corpus of 'synthetic', not of 'other'"):
        Corpus.open_or_create(pristine, name="other")


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    """builder must not write a corpus into a folder with other files, or over a file."""
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"is not a corpus folder and contains 'photo\.jpg'"):
        Corpus.open_or_create(tmp_path, name="x")
    with pytest.raises(CorpusError, match="is a file"):
        Corpus.open_or_create(tmp_path / "photo.jpg", name="x")
    with pytest.raises(CorpusError, match="is not a corpus folder"):
        Corpus(tmp_path)
    with pytest.raises(CorpusError, match="no such folder"):
        Corpus(tmp_path / "nowhere")


def test_a_corpus_without_its_root_seal_is_not_created_again(corpus: Corpus) -> None:
    """If the folder has versions, a missing root seal is damage."""
    (corpus.path / ROOT_SEAL).unlink()
    with pytest.raises(TamperedError, match="is missing"):
        Corpus.open_or_create(corpus.path, name="synthetic")
    with pytest.raises(TamperedError, match="cannot be read"):
        corpus.versions()


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a/b", ".commit-1.0.0", "lock"])
def test_spool_has_plain_names(corpus: Corpus, key: str) -> None:
    """Another name could lead out of the spool, or to the lock or a staging folder."""
    with pytest.raises(CorpusError, match="not a name for a spool"):
        corpus.spool(key)


def test_address_may_name_a_version(tmp_path: Path) -> None:
    """An existing folder whose own name contains ``@`` is not split."""
    assert split_address("out/news@1.2.0") == (Path("out/news"), "1.2.0")
    assert split_address("out/news") == (Path("out/news"), None)
    (tmp_path / "me@home").mkdir()
    assert split_address(tmp_path / "me@home") == (tmp_path / "me@home", None)
    assert split_address(f"{tmp_path}/me@home@1.0.0") == (tmp_path / "me@home", "1.0.0")
    with pytest.raises(VersionError, match="is not a version number"):
        split_address("out/news@latest")


def test_a_seal_survives_a_round_trip(pristine: Path) -> None:
    """A seal of one kind is not accepted as the other kind."""
    root = (pristine / ROOT_SEAL).read_bytes()
    version = (pristine / ".seals/1.0.0.json").read_bytes()
    assert RootSeal.parse(root, where="r").to_bytes() == root
    assert VersionSeal.parse(version, where="v").to_bytes() == version
    with pytest.raises(TamperedError, match="is not a root-seal-1"):
        RootSeal.parse(version, where="v")


def test_rename_replaces_nothing(tmp_path: Path) -> None:
    """A plain rename would silently replace an empty folder."""
    (tmp_path / "new").mkdir()
    (tmp_path / "taken").mkdir()
    with pytest.raises(FileExistsError):
        rename_new(tmp_path / "new", tmp_path / "taken")
    rename_new(tmp_path / "new", tmp_path / "free")
    assert (tmp_path / "free").is_dir()


def test_rename_replaces_nothing_without_the_system_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an exclusive rename in the system, the target is checked first."""
    import errno

    monkeypatch.setattr("builder.corpus.durable._rename_exclusively", lambda *_: errno.ENOSYS)
    test_rename_replaces_nothing(tmp_path)


def test_written_file_replaces_the_old_one(tmp_path: Path) -> None:
    """The temporary file of a killed write does not block the next write."""
    write_file(tmp_path / "a", b"old")
    (tmp_path / "a.tmp").write_bytes(b"half")
    write_file(tmp_path / "a", b"new", mode=0o600)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
