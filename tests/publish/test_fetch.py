"""`fetch` and `load` return exactly the requested version, or raise an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hub.looks import REPO, ids_of, repo
from hub.process import StandIn
from hub.store import File, Store
from planted import sentence, write_lines

from builder import Corpus, Recipe, build, diff, verify
from builder.operations.why import why


@pytest.fixture
def published(hub: StandIn, corpus: Corpus) -> StandIn:
    """A Hub with 1.0.0, and 2.0.0 with its ledger."""
    return publish_two(hub, corpus)


@pytest.fixture
def stoppable(own_hub: StandIn, corpus: Corpus) -> StandIn:
    """A published Hub that the test can stop."""
    return publish_two(own_hub, corpus)


def publish_two(hub: StandIn, corpus: Corpus) -> StandIn:
    """Publish an old and a new version."""
    for version, *options in (("1.0.0",), ("2.0.0", "--with-ledger")):
        address = f"{corpus.path}@{version}"
        done = hub.builder("publish", address, "--repo", REPO, *options)
        assert done.returncode == 0, done.stderr
    return hub


def test_a_fetched_version_is_equal_byte_for_byte(published: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """It verifies, has the same digest and loads; a second fetch changes nothing."""
    for version in ("2.0.0", "1.0.0"):
        done = published.builder("fetch", f"{REPO}@{version}", tmp_path / "got", token=None)
        assert done.returncode == 0, done.stderr
    got = Corpus(tmp_path / "got")
    assert got.versions() == ["1.0.0", "2.0.0"]
    assert verify(got.path).faults == []
    for version in got.versions():
        assert got.digest(version) == corpus.digest(version)
        assert got.manifest(version) == corpus.manifest(version)
        assert ids_of(got, version) == ids_of(corpus, version)
    here, there = diff(got.path, "1.0.0", "2.0.0"), diff(corpus.path, "1.0.0", "2.0.0")
    assert (here.changes, here.sizes, here.reason) == (there.changes, there.sizes, there.reason)
    again = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got", "--json")
    assert json.loads(again.stdout)["nothing_new"]


def test_why_finds_published_documents_in_a_fetched_version(
    published: StandIn, corpus: Corpus, tmp_path: Path
) -> None:
    """With the published ledger, it also finds the records that the build did not keep."""
    for version in ("1.0.0", "2.0.0"):
        published.builder("fetch", f"{REPO}@{version}", tmp_path / "got")
    (without,) = why(f"{tmp_path / 'got'}@1.0.0", "https://example.org/7").histories
    (known,) = why(f"{corpus.path}@1.0.0", "https://example.org/7").histories
    assert not without.ledger
    assert [row["document_id"] for row in without.documents] == [r["document_id"] for r in known.records]
    assert not why(f"{tmp_path / 'got'}@1.0.0", "https://example.org/rejected").known
    page = "https://EXAMPLE.org/7?utm_source=x"
    assert why(f"{tmp_path / 'got'}@1.0.0", page).histories[0].documents == without.documents
    (gone,) = why(f"{tmp_path / 'got'}@2.0.0", "https://example.org/1").histories
    (known,) = why(f"{corpus.path}@2.0.0", "https://example.org/1").histories
    assert [row["outcome"] for row in gone.records] == [row["outcome"] for row in known.records]
    assert gone.ledger
    (kept,) = why(f"{tmp_path / 'got'}@2.0.0", "https://example.org/7").histories
    assert (kept.ledger, len(kept.documents)) == (False, 1), "its record is in the ledger of 1.0.0"


def test_a_build_can_build_on_a_fetched_version(published: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """It adds new pages and knows the published pages; it does not know which pages were merged."""
    published.builder("fetch", f"{REPO}@2.0.0", tmp_path / "got")
    rows = [{"url": "https://example.org/7", "text": sentence(7)}]
    rows += [{"url": "https://example.org/new", "text": sentence(1_000)}]
    write_lines(tmp_path / "feed" / "z.jsonl", rows)
    document = dict(corpus.manifest("2.0.0").recipe["document"])
    del document["card"]
    recipe = Recipe.from_dict(document | {"corpus": str(tmp_path / "got")}, folder=tmp_path)
    result = build(recipe, workers=1)
    assert (result.version, result.outcomes["kept"], result.outcomes["merged"]) == ("2.1.0", 1, 1)
    assert verify(tmp_path / "got").clean
    histories = why(tmp_path / "got", "https://example.org/8").histories
    assert [(history.ledger, len(history.documents)) for history in histories] == [(False, 1), (False, 1)]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (f"{REPO}@9.9.9", "has no version 9.9.9 (versions on the Hub: 1.0.0, 2.0.0)"),
        (REPO, "name a version, as in USER/NAME@1.0.0 (versions on the Hub: 1.0.0, 2.0.0)"),
        ("harbour/nothing@1.0.0", "no dataset of this name on the Hub"),
        ("tides@1.0.0", "is not a repository name"),
        (f"{REPO}@v1.0.0", "is not a version number"),
    ],
)
def test_a_missing_repository_or_version_is_an_error_that_lists_what_exists(
    address: str, message: str, published: StandIn, tmp_path: Path
) -> None:
    """No folder is created."""
    done = published.builder("fetch", address, tmp_path / "got")
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert not (tmp_path / "got").exists()


def test_another_digest_is_refused(published: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """A caller can know the digest from another source."""
    right, wrong = corpus.digest("1.0.0"), corpus.digest("2.0.0")
    done = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got", "--digest", wrong)
    assert (done.returncode, "has the digest" in done.stderr) == (1, True)
    done = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got", "--digest", right)
    assert done.returncode == 0, done.stderr


def test_a_tag_that_was_moved_is_found(published: StandIn, tmp_path: Path) -> None:
    """If a tag points to another version or other shards, nothing is written."""
    store = Store(published.folder)
    with store.changing(REPO) as found:
        good, found.tags["v1.0.0"] = found.tags["v1.0.0"], found.tags["v2.0.0"]
    done = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    assert "the tag contains version 2.0.0" in done.stderr
    code = f"import builder; builder.load('{REPO}', '1.0.0')"
    assert "contains version 2.0.0" in published.python(code).stderr
    with store.changing(REPO) as found:
        commit = store.resolve(found, good)
        assert commit
        shard = next(path for path in commit.files if path.startswith("data/"))
        files = {**commit.files, shard: store.keep(b"PAR1 other")}
        found.tags["v1.0.0"] = store.add_commit(good, files, title="by hand", message="").id
    done = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    assert (done.returncode, "has other bytes than the manifest says" in done.stderr) == (1, True)
    assert Corpus(tmp_path / "got").versions() == []
    assert "has other bytes" in published.python(code, home=tmp_path / "fresh").stderr


@pytest.mark.parametrize("kind", ["drop", "503", "429"])
def test_a_download_retries_after_a_transient_fault(kind: str, published: StandIn, tmp_path: Path) -> None:
    """The fault happens in the middle of the download."""
    published.plan({"kind": kind, "at": 8})
    done = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "got").clean


@pytest.mark.sampled(1)
def test_load_never_gives_another_version(
    stoppable: StandIn, corpus: Corpus, home: Path, tmp_path: Path
) -> None:
    """If the Hub is unreachable, load_dataset returns any cached version; `load` raises an error instead."""
    code = (
        "import sys, builder\n"
        "found = builder.load(sys.argv[1], sys.argv[2], split='train')\n"
        "print(found.info.version, found.num_rows)"
    )
    rows = corpus.manifest("2.0.0").splits["train"].rows
    done = stoppable.python(code, REPO, "2.0.0", home=home)
    assert done.stdout == f"2.0.0 {rows}\n", done.stderr
    stoppable.stop()
    none = stoppable.python(code, REPO, "1.0.0", home=home)
    assert (none.returncode, none.stdout) == (1, "")
    assert "version 1.0.0 cannot be loaded" in none.stderr
    assert stoppable.python(code, REPO, "2.0.0", home=home).stdout == f"2.0.0 {rows}\n"


@pytest.mark.long
def test_load_dataset_gives_another_version(stoppable: StandIn, home: Path) -> None:
    """`load` checks the version because of this; the test is long because datasets retries."""
    code = "import datasets, sys\nprint(datasets.load_dataset(sys.argv[1], split='train').info.version)"
    assert stoppable.python(code, REPO, home=home).stdout == "2.0.0\n"
    stoppable.stop()
    gone = "import datasets, sys\nprint(datasets.load_dataset(sys.argv[1], revision='v9.0.0', split='train'))"
    wrong = stoppable.python(gone, REPO, home=home)
    assert wrong.returncode == 0, "datasets has fixed this: remove the note from docs/hub.md"


@pytest.mark.sampled(1)
def test_half_a_version_in_the_cache_is_not_a_version(stoppable: StandIn, home: Path, tmp_path: Path) -> None:
    """A download that was cut short leaves some files; without the Hub that is an error."""
    code = f"import builder; print(builder.load('{REPO}', '1.0.0')['train'].num_rows)"
    assert stoppable.python(code, home=home).returncode == 0
    stoppable.stop()
    (snapshot,) = (home / "hub" / f"datasets--{REPO.replace('/', '--')}" / "snapshots").glob("*")
    next((snapshot / "data").iterdir()).unlink()
    done = stoppable.python(code, home=home)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is missing" in done.stderr or "version 1.0.0 cannot be loaded" in done.stderr


def test_load_reads_local_folders(corpus: Corpus, hub: StandIn, tmp_path: Path) -> None:
    """The folder can be a corpus with or without a version number, or the folder of a version."""
    shutil.copytree(corpus.version_folder("1.0.0"), tmp_path / "alone")
    code = (
        "import sys, builder\n"
        "for where in ([sys.argv[1], '1.0.0'], [sys.argv[1]], [sys.argv[2]]):\n"
        "    print(builder.load(*where)['train'].info.version)\n"
        "try: builder.load(sys.argv[1], '3.0.0')\n"
        "except builder.BuilderError as error: print(error)\n"
    )
    done = hub.python(code, corpus.path, tmp_path / "alone")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == ["1.0.0", "2.0.0", "1.0.0"]
    assert "has no version 3.0.0" in done.stdout


def test_nothing_is_fetched_over_another_version(published: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """A corpus that has other content under this version number keeps it."""
    shutil.copytree(corpus.path, tmp_path / "other", symlinks=True)
    store = Store(published.folder)
    manifest = json.loads(store.path_of(_manifest(store)).read_bytes())
    assert manifest["version"] == "1.0.0"
    changed = {**manifest, "reason": "another one"}
    with store.changing(REPO) as found:
        commit = store.resolve(found, "v1.0.0")
        assert commit
        from builder.domain.json.canonical import canonical_json

        files = {**commit.files, "manifest.json": store.keep(canonical_json(changed))}
        found.tags["v1.0.0"] = store.add_commit(commit.id, files, title="other", message="").id
    done = published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "other")
    assert (done.returncode, "has another version 1.0.0" in done.stderr) == (1, True)


def _manifest(store: Store) -> File:
    found = store.repo(REPO)
    assert found
    commit = store.resolve(found, "v1.0.0")
    assert commit
    return commit.files["manifest.json"]


def test_fetch_and_load_do_not_change_the_repository(published: StandIn, tmp_path: Path) -> None:
    """They are read-only operations."""
    before = repo(published)
    published.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    assert repo(published) == before
