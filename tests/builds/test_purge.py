"""A purge leaves no trace of a taken-down document in the corpus, and changes nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from planted import STAGES, sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build, diff, drop, gc, takedown, verify
from builder.card.front_matter import read_front_matter
from builder.corpus import verify_files
from builder.errors import CorpusError
from builder.hub.guard import check_version
from builder.operations.purge import PurgeResult, purge
from builder.operations.why import why

WHY = "the owner asked"
SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "purged-1.schema.json"
SPLITS = {"train": 0.7, "test": 0.3}


def page(name: str, seed: int, tail: str = "") -> dict[str, Any]:
    return {"url": f"https://{name}", "text": sentence(seed) + tail}


def build_in(folder: Path, corpus: str = "corpus") -> BuildResult:
    """Build all files in ``feed``."""
    document = {
        "name": "harbour",
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [{stage: {}} for stage in STAGES],
        "splits": SPLITS,
        "corpus": corpus,
    }
    return build(Recipe.from_dict(document, folder=folder), workers=1)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions. Page 3 has a near-duplicate, an exact one, and one more in the second version."""
    folder = tmp_path_factory.mktemp("purged")
    rows = [page(f"a.example/{i}", i) for i in range(30)]
    rows += [page("near.example/3", 3, " and more"), page("mirror.example/3", 3)]
    write_lines(folder / "feed/a.jsonl", [*rows, {"url": "https://a.example/bad", "text": 7}])
    build_in(folder)
    more = [page(f"b.example/{i}", 100 + i) for i in range(20)]
    write_lines(folder / "feed/b.jsonl", [*more, page("late.example/3", 3)])
    build_in(folder)
    return folder


@pytest.fixture
def grown(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the corpus and its inputs in the test's folder."""
    shutil.copytree(pristine, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path / "corpus"


def take_down(corpus: Path, *numbers: int) -> list[str]:
    result = takedown(corpus, urls=[f"https://a.example/{n}" for n in numbers], because=WHY)
    return [one for one, _ in result.documents]


def purge_ids(corpus: Path, ids: list[str]) -> PurgeResult:
    there = Corpus(corpus)
    with there.lock():
        return purge(there, document_ids=ids)


def loaded(corpus: Path, version: str, cache: Path) -> dict[str, list[str]]:
    """Return the URLs of each split in `load_dataset`."""
    import datasets

    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(corpus), version, cache_dir=str(cache))
    return {name: list(split["url"]) for name, split in found.items()}


def every_value(corpus: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the content of each file (each value of tables, the bytes of other files) and each file name."""
    for path in sorted(corpus.rglob("*")):
        name = str(path.relative_to(corpus))
        yield name, name.encode()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        elif path.suffix == ".arrow":
            table = pa.ipc.open_file(path).read_all()
        elif path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()
            continue
        else:
            continue
        for row in table.to_pylist():
            for value in row.values():
                yield name, value if isinstance(value, bytes) else json.dumps(value, default=str).encode()


def traces(corpus: Path, ids: list[str]) -> set[str]:
    """Return the files with the text, a URL or an id of page 3."""
    texts = [sentence(3).encode()[:60], b'//a.example/3"']
    texts += [f"{name}.example/3".encode() for name in ("near", "mirror", "late")]
    texts += [one.encode() for one in ids] + [bytes.fromhex(one) for one in ids]
    return {name for name, value in every_value(corpus) if any(text in value for text in texts)}


def test_a_purge_leaves_no_trace_of_a_page(grown: Path) -> None:
    """No file has the text, a URL or an id of a page, or of the pages merged into it."""
    spool = Corpus(grown).spool("stopped")
    (spool / "part").write_bytes(sentence(3).encode())
    ids = take_down(grown, 3)
    before = traces(grown, ids)
    places = {".objects", ".audit", ".index", ".spool", "1.0.0", "1.1.0"}
    assert {name.split("/")[0] for name in before} == places
    result = purge_ids(grown, ids)
    assert traces(grown, ids) == set()
    assert (result.documents, result.rows) == (ids, {"1.0.0": 1, "1.1.0": 1})
    assert result.hub_tags == ["v1.0.0", "v1.1.0"]
    assert result.n_records == 4
    assert verify(grown).clean


def test_a_purge_changes_nothing_else(grown: Path, tmp_path: Path) -> None:
    """Manifests and digests stay, other rows stay in their order, and the versions load without the page."""
    versions = ("1.0.0", "1.1.0")
    manifests = {version: (grown / version / "manifest.json").read_bytes() for version in versions}
    rows = {version: loaded(grown, version, tmp_path / "before") for version in versions}
    ids = take_down(grown, 3)
    newest = {path: path.read_bytes() for path in (grown / "2.0.0").rglob("*") if path.is_file()}
    purge_ids(grown, ids)
    corpus = Corpus(grown)
    for version in versions:
        assert (grown / version / "manifest.json").read_bytes() == manifests[version]
        assert corpus.manifest(version).digest == corpus.digest(version)
        after = loaded(grown, version, tmp_path / "after")
        for name, urls in rows[version].items():
            assert after[name] == [url for url in urls if url != "https://a.example/3"]
    public = {path: data for path, data in newest.items() if path.read_bytes() != data}
    assert public == {}


def test_every_report_shows_the_purge(grown: Path) -> None:
    """verify, versions, the card and purged.json have the number of purged rows."""
    old = {shard.path: shard.sha256 for _, shard in Corpus(grown).shards("1.0.0")}
    purge_ids(grown, take_down(grown, 3))
    assert verify(grown).purged == {"1.0.0": 1, "1.1.0": 1}
    assert verify(f"{grown}@1.0.0").purged == {"1.0.0": 1}
    document = json.loads((grown / "1.0.0/purged.json").read_bytes())
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    (shard,) = document["shards"]
    assert (document["rows"], shard["rows"], shard["old"]["sha256"]) == (1, 1, old[shard["path"]])
    (now,) = (one for _, one in Corpus(grown).shards("1.0.0") if one.path == shard["path"])
    assert shard["new"] == {"sha256": now.sha256, "bytes": now.bytes}
    card = (grown / "1.0.0/README.md").read_text()
    assert "**1 document was purged from this version after it was written.**" in card
    assert "Version 1.0.0" in card
    assert "29 documents" in card
    (config,) = (read_front_matter(card)["dataset_info"],)
    told = {one["name"]: (one["num_examples"], one["num_bytes"]) for one in config["splits"]}
    assert told == {n: (s.rows, s.raw_bytes) for n, s in Corpus(grown).as_is("1.0.0").splits.items()}
    croissant = json.loads((grown / "1.0.0/croissant.json").read_bytes())
    hashes = {one["sha256"] for one in croissant["distribution"] if "sha256" in one}
    assert hashes == {one.sha256 for _, one in Corpus(grown).shards("1.0.0")}


def test_a_purge_does_not_change_later_builds(grown: Path, tmp_path: Path) -> None:
    """A build on a purged corpus has the same result as one without the purge."""
    shutil.copytree(grown, tmp_path / "other", symlinks=True)
    for corpus in ("corpus", "other"):
        ids = take_down(tmp_path / corpus, 3)
    purge_ids(tmp_path / "corpus", ids)
    more = [page(f"c.example/{i}", 200 + i) for i in range(9)]
    more += [page("again.example/3", 3), page("x.example/5", 5), page("y.example/7", 7, " at last")]
    write_lines(tmp_path / "feed/c.jsonl", more)
    results = [build_in(tmp_path, corpus) for corpus in ("corpus", "other")]
    assert results[0].outcomes == results[1].outcomes
    assert results[0].reasons == results[1].reasons
    manifests = [Corpus(one.corpus).manifest(one.version) for one in results]
    assert manifests[0].splits == manifests[1].splits
    assert verify(tmp_path / "corpus").clean


def test_purges_add_up(grown: Path, tmp_path: Path) -> None:
    """After a second purge, purged.json has both; the old hash stays the one in the manifest."""
    first = take_down(grown, 3)
    purge_ids(grown, first)
    before = Corpus(grown).purged("1.0.0")
    second = take_down(grown, 5, 6)
    assert set(purge_ids(grown, second).rows.values()) == {2}
    after = Corpus(grown).purged("1.0.0")
    assert before and after
    assert (before.rows, after.rows) == (1, 3)
    told = {one.path: one.sha256 for _, one in Corpus(grown).manifest("1.0.0").shards()}
    assert all(shard.old.sha256 == told[shard.path] for shard in after.shards)
    assert verify(grown).clean
    assert sum(map(len, loaded(grown, "1.0.0", tmp_path / "cache").values())) == 27


def test_a_split_may_become_empty(tmp_path: Path) -> None:
    """The file is deleted, the card has no entry for the split, and the version still loads."""
    write_lines(tmp_path / "feed/a.jsonl", [page(f"a.example/{i}", i) for i in range(12)])
    corpus = build_in(tmp_path).corpus
    urls = loaded(corpus, "1.0.0", tmp_path / "before")
    result = takedown(corpus, urls=urls["test"], because=WHY)
    purge_ids(corpus, [one for one, _ in result.documents])
    assert verify(corpus).clean
    assert loaded(corpus, "1.0.0", tmp_path / "after") == {"train": urls["train"]}
    assert list((corpus / "1.0.0/data").glob("test-*")) == []
    assert diff(corpus, "1.0.0", "2.0.0").reason.startswith("PATCH")


def test_a_published_document_is_not_purged(grown: Path) -> None:
    """A document must be taken down first; otherwise nothing changes."""
    there = Corpus(grown)
    (row,) = [
        r for r in pq.read_table(there.ledger_file("1.0.0")).to_pylist() if r["url"] == "https://a.example/3"
    ]
    with pytest.raises(
        CorpusError, match=r"version 1\.1\.0 still has a document to purge \(run builder takedown first\)"
    ):
        purge_ids(grown, [row["document_id"]])
    assert verify(grown).purged == {}


def test_a_purged_version_can_be_dropped_and_moved(grown: Path, tmp_path: Path) -> None:
    """Copies, drops and gc work as with any other version."""
    purge_ids(grown, take_down(grown, 3))
    subprocess.run(["cp", "-r", str(grown), str(tmp_path / "copy")], check=True)
    assert verify_files(Corpus(tmp_path / "copy")) == []
    assert gc(grown, spool_days=0).garbage.n_objects == 0
    drop(f"{grown}@1.0.0")
    assert verify(grown).clean
    purge_ids(grown, take_down(grown, 5))
    assert verify(grown).clean


def test_a_purged_version_is_not_published(grown: Path) -> None:
    """It differs from its manifest, and a reader could not know why; other versions can be published."""
    purge_ids(grown, take_down(grown, 3))
    assert [str(fault) for fault in check_version(f"{grown}@1.0.0").faults] == [
        "1.0.0: differs from its manifest since a purge (purged rows: 1) (publish a later version)"
    ]
    assert check_version(grown).fit


@pytest.mark.parametrize("name", ["purged.json", "README.md", "data"])
def test_damage_to_a_purged_version_is_named(grown: Path, name: str) -> None:
    """Only the bytes that the purge wrote are accepted."""
    purge_ids(grown, take_down(grown, 3))
    (shard,) = Corpus(grown).purged("1.0.0").shards  # type: ignore[union-attr]
    path = grown / "1.0.0" / (shard.path if name == "data" else name)
    path.parent.chmod(0o755)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    assert str(path.relative_to(grown)) in [fault.where for fault in verify_files(Corpus(grown))]


def test_a_document_that_was_merged_later_is_purged_too(tmp_path: Path) -> None:
    """A page that was published and merged after a new fetch is deleted from the versions that had it."""
    rows = [page(f"a.example/{i}", i) for i in range(12)]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    build_in(tmp_path)
    write_lines(tmp_path / "feed/b.jsonl", [page("a.example/9", 3) | {"fetched_at": "2030-01-01T00:00:00Z"}])
    corpus = build_in(tmp_path).corpus
    assert Corpus(corpus).newest() == "2.0.0"
    ids = take_down(corpus, 3)
    assert purge_ids(corpus, ids).rows == {"1.0.0": 2, "2.0.0": 1}
    texts = {sentence(3).encode(), sentence(9).encode(), b"//a.example/3", b"//a.example/9"}
    assert [name for name, value in every_value(corpus) if any(text in value for text in texts)] == []
    assert verify(corpus).clean


def test_another_page_at_the_same_place_stays(tmp_path: Path) -> None:
    """If an input file was rewritten, a record id can now name another page; that page stays."""
    rows = [page(f"a.example/{i}", i) for i in range(8)]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    build_in(tmp_path)
    write_lines(tmp_path / "feed/a.jsonl", [page("b.example/new", 50), *rows[1:]])
    corpus = build_in(tmp_path).corpus
    ledgers = [pq.read_table(Corpus(corpus).ledger_file(v)).to_pylist() for v in ("1.0.0", "1.1.0")]
    first = [next(row for row in rows if row["ordinal"] == 0) for rows in ledgers]
    assert first[0]["record_id"] == first[1]["record_id"]
    result = takedown(corpus, urls=["https://b.example/new"], because=WHY)
    purge_ids(corpus, [one for one, _ in result.documents])
    assert verify(corpus).clean
    assert pq.read_table(Corpus(corpus).ledger_file("1.0.0")).to_pylist() == ledgers[0]
    (found,) = why(str(corpus), "https://a.example/0").histories[0].records
    assert found["outcome"] == "kept"


def test_a_takedown_can_purge_at_once_or_later(grown: Path) -> None:
    """With `purge` nothing is left, not even of pages that were taken down before."""
    take_down(grown, 3)
    result = takedown(grown, urls=["https://a.example/3", "https://a.example/4"], because=WHY, purge=True)
    assert result.purged
    assert result.purged.rows == {"1.0.0": 2, "1.1.0": 2, "2.0.0": 1}
    assert traces(grown, list(result.purged.documents)) == set()
    again = takedown(grown, urls=["https://a.example/3"], because=WHY, purge=True)
    assert again.nothing_new
    assert again.purged
    assert (again.purged.rows, again.purged.n_records) == ({}, 0)
    assert verify(grown).clean
