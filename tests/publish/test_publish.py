"""`publish` puts exactly one version on the Hub, in one commit with one tag."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hub.looks import REPO, commit_at, digest_at, ids_of, program, repo, text_at
from hub.process import StandIn
from hub.server import TOKEN

from builder import Corpus

LOAD = program("load_version")


def publish(hub: StandIn, address: str, *options: str, status: int = 0) -> str:
    """Run the command and return its stdout, or its stderr if it must fail."""
    done = hub.builder("publish", address, "--repo", REPO, *options)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.mark.sampled(1)
def test_each_of_three_versions_loads_at_its_tag(any_hub: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """Each way to load gives the rows of the manifest, from an empty cache; main is the last version."""
    for version in corpus.versions():
        publish(any_hub, f"{corpus.path}@{version}")
        assert digest_at(any_hub, "main") == version
    assert set(repo(any_hub).tags) == {"v1.0.0", "v1.1.0", "v2.0.0"}
    assert set(repo(any_hub).branches) == {"main"}
    versions = [*corpus.versions(), "main"]
    done = any_hub.python(LOAD, REPO, *versions, home=tmp_path / "reader", token=None)
    assert done.returncode == 0, done.stderr
    for version, found in json.loads(done.stdout).items():
        number = "2.0.0" if version == "main" else version
        expected = ids_of(corpus, number)
        assert found.pop("version") == number
        assert all(ids == expected for ids in found.values())
        assert digest_at(any_hub, f"v{number}") == number


def test_a_version_is_one_commit_and_sends_only_new_files(hub: StandIn, corpus: Corpus) -> None:
    """A shard that the Hub has under another name is copied, not sent."""
    publish(hub, f"{corpus.path}@1.0.0")
    before = commit_at(hub, "main")
    hub.plan()
    output = json.loads(publish(hub, f"{corpus.path}@1.1.0", "--json"))
    assert commit_at(hub, "main").parent == before.id
    assert commit_at(hub, "main").title == "Version 1.1.0"
    sent = sum(entry["bytes_in"] for entry in hub.log() if entry["method"] == "PUT")
    shards = {one["path"]: one["bytes"] for one in output["add"] if one["path"].endswith(".parquet")}
    assert sent == sum(shards.values())


def test_publishing_twice_changes_nothing(hub: StandIn, corpus: Corpus) -> None:
    """The second call reports that; it sends and commits nothing, but it reads the rows back."""
    first = json.loads(publish(hub, str(corpus.path), "--json"))
    assert (first["nothing_new"], first["version"], first["main"]) == (False, "2.0.0", True)
    state = repo(hub)
    hub.plan()
    second = json.loads(publish(hub, str(corpus.path), "--json", "--read-back", "all"))
    assert second["nothing_new"]
    assert (second["add"], second["copy"], second["delete"], second["bytes_to_send"]) == ([], [], [], 0)
    assert second["read_back"]["rows"] == corpus.manifest("2.0.0").rows
    assert second["commit"] == first["commit"]
    assert repo(hub) == state
    assert {entry["method"] for entry in hub.log()} <= {"GET", "HEAD"}
    assert "nothing was changed" in publish(hub, str(corpus.path))


def test_an_older_version_gets_only_a_tag(hub: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """main stays at the newest version, and no temporary branch remains."""
    publish(hub, f"{corpus.path}@2.0.0")
    main = commit_at(hub, "main").id
    output = json.loads(publish(hub, f"{corpus.path}@1.0.0", "--json"))
    assert output["main"] is False
    assert commit_at(hub, "main").id == main
    assert set(repo(hub).branches) == {"main"}
    assert digest_at(hub, "v1.0.0") == "1.0.0"
    assert json.loads(publish(hub, f"{corpus.path}@1.0.0", "--json"))["nothing_new"]
    done = hub.python(LOAD, REPO, "1.0.0", home=tmp_path / "reader")
    assert json.loads(done.stdout)["1.0.0"]["loaded"] == ids_of(corpus, "1.0.0")


def test_a_dry_run_lists_the_changes_and_changes_nothing(hub: StandIn, corpus: Corpus) -> None:
    """It lists the files to send and shows the card; it does not create the repository."""
    address = f"{corpus.path}@1.0.0"
    output = json.loads(publish(hub, address, "--dry-run", "--json"))
    assert {entry["method"] for entry in hub.log()} == {"GET"}
    assert output["dry_run"]
    assert f'load_dataset("{REPO}", revision="v1.0.0")' in output["card"]
    done = json.loads(publish(hub, address, "--json"))
    assert [done[name] for name in ("add", "copy", "delete")] == [
        output[name] for name in ("add", "copy", "delete")
    ]
    assert done["bytes_to_send"] == output["bytes_to_send"] == sum(one["bytes"] for one in output["add"])


def test_old_shards_are_deleted_and_files_of_people_stay(hub: StandIn, corpus: Corpus) -> None:
    """The commit deletes files in the shard folder that the manifest does not list; a LICENSE stays."""
    publish(hub, f"{corpus.path}@1.0.0")
    code = (
        "from huggingface_hub import CommitOperationAdd as A, HfApi\n"
        "files = [A('data/train-00007-of-00008.parquet', b'old'), A('LICENSE', b'x')]\n"
        f"HfApi().create_commit('{REPO}', files, repo_type='dataset', commit_message='by hand')\n"
    )
    assert hub.python(code).returncode == 0
    output = json.loads(publish(hub, f"{corpus.path}@1.1.0", "--json"))
    assert "data/train-00007-of-00008.parquet" in output["delete"]
    assert output["left_alone"] == ["LICENSE"]
    assert digest_at(hub, "main") == "1.1.0"
    assert "LICENSE" in commit_at(hub, "main").files


def test_a_gitignore_on_the_hub_keeps_no_shard_out(hub: StandIn, corpus: Corpus) -> None:
    """Clients silently skip ignored files, but a version must be complete."""
    publish(hub, f"{corpus.path}@1.0.0")
    code = (
        "from huggingface_hub import CommitOperationAdd as A, HfApi\n"
        "files = [A('.gitignore', b'*.parquet')]\n"
        f"HfApi().create_commit('{REPO}', files, repo_type='dataset', commit_message='by hand')\n"
    )
    assert hub.python(code).returncode == 0
    publish(hub, f"{corpus.path}@1.1.0")
    assert digest_at(hub, "v1.1.0") == "1.1.0"


def test_people_keep_what_they_wrote_on_the_hub(hub: StandIn, corpus: Corpus) -> None:
    """Their sections and keys of the card stay; ours are replaced; the sealed card is published too."""
    publish(hub, f"{corpus.path}@1.0.0")
    code = (
        "from huggingface_hub import HfApi, hf_hub_download\n"
        f"text = open(hf_hub_download('{REPO}', 'README.md', repo_type='dataset')).read()\n"
        "key = 'task_categories: [text-generation]'\n"
        "text = text.replace('---\\n', '---\\n' + key + '\\n', 1) + '\\n## Thanks\\n'\n"
        f"HfApi().upload_file(path_or_fileobj=text.encode(), path_in_repo='README.md', repo_id='{REPO}',"
        " repo_type='dataset')\n"
    )
    done = hub.python(code)
    assert done.returncode == 0, done.stderr
    publish(hub, f"{corpus.path}@1.1.0")
    card = text_at(hub, "v1.1.0", "README.md")
    assert "## Thanks" in card
    assert "text-generation" in card
    assert "Written by a person." in card
    assert "Version 1.1.0" in card
    assert 'revision="v1.1.0"' in card
    sealed = (corpus.version_folder("1.1.0") / "README.md").read_text()
    assert text_at(hub, "v1.1.0", ".builder/README.md") == sealed


def test_private_audit_files_are_never_published(hub: StandIn, corpus: Corpus) -> None:
    """These are rejected records, index, tombstones and run.json. The ledger is sent only on request."""
    publish(hub, f"{corpus.path}@1.0.0")
    plain = set(commit_at(hub, "v1.0.0").files)
    assert not [path for path in plain if "ledger" in path or "clusters" in path or "rejected" in path]
    publish(hub, f"{corpus.path}@1.1.0", "--with-ledger")
    names = set(commit_at(hub, "v1.1.0").files)
    assert names - plain >= {"audit/ledger.parquet", "audit/clusters.parquet"}
    assert {path for path in names if path.startswith("audit/")} == {
        "audit/ledger.parquet",
        "audit/clusters.parquet",
    }
    private = [corpus.audit_folder("1.1.0") / name for name in ("rejected.parquet", "run.json")]
    private += [path for path in corpus.index_folder("1.1.0").rglob("*") if path.is_file()]
    sent = {path.read_bytes() for folder in ("objects", "blobs") for path in (hub.folder / folder).iterdir()}
    assert not [path.name for path in private if path.read_bytes() in sent]


def test_publishing_again_without_the_ledger_keeps_it(hub: StandIn, corpus: Corpus) -> None:
    """A tag never changes, so its files stay; a ledger cannot be added later."""
    publish(hub, f"{corpus.path}@1.1.0", "--with-ledger")
    assert json.loads(publish(hub, f"{corpus.path}@1.1.0", "--json"))["nothing_new"]
    assert "audit/ledger.parquet" in commit_at(hub, "main").files
    publish(hub, f"{corpus.path}@2.0.0")
    assert "audit/ledger.parquet" not in commit_at(hub, "main").files
    output = publish(hub, f"{corpus.path}@2.0.0", "--with-ledger", status=1)
    assert "a tag is never moved" in output


def test_the_token_is_never_written(hub: StandIn, corpus: Corpus, home: Path) -> None:
    """It is not in the output, in errors or in files, even if a call fails."""
    address = f"{corpus.path}@1.0.0"
    output = [hub.builder("publish", address, "--repo", REPO, "--token", TOKEN, home=home, token=None)]
    wrong = "hf_thewrongtoken0987"
    output.append(
        hub.builder(
            "publish", f"{corpus.path}@1.1.0", "--repo", REPO, "--token", wrong, home=home, token=None
        )
    )
    hub.plan({"kind": "503", "only": "/refs", "times": 1000})
    code = (
        "import sys, builder\nfrom builder.hub.retry_policy import RetryPolicy\n"
        f"builder.publish(sys.argv[1], '{REPO}', token=sys.argv[2], retry_policy=RetryPolicy(attempts=1))"
    )
    output.append(hub.python(code, address, TOKEN, home=home, token=None))
    assert [done.returncode for done in output] == [0, 1, 1], output
    assert "401" in output[1].stderr
    for token in (TOKEN, wrong):
        assert not [done for done in output if token in done.stdout + done.stderr]
        kept = [path for place in (home, corpus.path) for path in place.rglob("*") if path.is_file()]
        assert not [path for path in kept if token.encode() in path.read_bytes()]


def test_private_creates_and_requires_a_private_repository(hub: StandIn, corpus: Corpus) -> None:
    """With --private, an existing public repository is refused."""
    publish(hub, f"{corpus.path}@1.0.0", "--private")
    assert repo(hub).private
    done = hub.builder("publish", f"{corpus.path}@1.0.0", "--repo", "harbour/open")
    assert done.returncode == 0, done.stderr
    done = hub.builder("publish", f"{corpus.path}@1.1.0", "--repo", "harbour/open", "--private")
    assert done.returncode == 1
    assert "is public" in done.stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("api.create_tag(r, tag='v1.1.0', repo_type='dataset')", "exists and contains other files"),
        ("api.create_branch(r, branch='v1.1.0', repo_type='dataset')", "has a branch v1.1.0"),
        ("add('tides.py', b'')", "contains tides.py"),
        ("add('.huggingface.yaml', b'configs: []')", "contains .huggingface.yaml"),
        ("add('README.md', b'---\\na: [\\n---\\n')", "fix the card on the Hub"),
    ],
)
def test_each_obstacle_in_the_repository_is_reported(
    code: str, message: str, hub: StandIn, corpus: Corpus
) -> None:
    """Obstacles: other content at the tag, a branch of that name, a file for load_dataset, a broken card."""
    publish(hub, f"{corpus.path}@1.0.0")
    prepare = (
        "from huggingface_hub import CommitOperationAdd as A, HfApi\n"
        f"api, r = HfApi(), '{REPO}'\n"
        "add = lambda n, b: api.create_commit(r, [A(n, b)], repo_type='dataset', commit_message='x')\n"
    )
    changed = hub.python(prepare + code)
    state = repo(hub)
    if changed.returncode:  # the Hub refuses such a card, but a git push can bypass its check
        pytest.skip(changed.stderr) if "README" not in code else _put_card(hub, code)
    output = publish(hub, f"{corpus.path}@1.1.0", status=1)
    assert message in output
    assert all(line.startswith(("error: ", "load", "hash")) for line in output.splitlines())
    if not changed.returncode:
        assert repo(hub) == state


def _put_card(hub: StandIn, code: str) -> None:
    """Commit a card without the checks of the Hub, as a git push does."""
    from hub.store import Store

    text = code.partition("b'")[2].rpartition("'")[0].encode().decode("unicode_escape")
    store = Store(hub.folder)
    with store.changing(REPO) as found:
        head = store.resolve(found, "main")
        assert head
        files = {**head.files, "README.md": store.keep(text.encode())}
        found.branches["main"] = store.add_commit(head.id, files, title="by git", message="").id


def test_another_dataset_is_not_overwritten(hub: StandIn, corpus: Corpus, tmp_path: Path) -> None:
    """A repository with a version of another dataset is refused."""
    import subprocess
    import sys

    command = [sys.executable, "-c", "from builder.cli import main; main()"]
    subprocess.run([*command, "init", "my"], cwd=tmp_path, check=True, capture_output=True)
    build = [*command, "build", "my/recipe.yaml", "--workers", "1"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    publish(hub, str(tmp_path / "my" / "corpus"))
    assert "contains the dataset" in publish(hub, f"{corpus.path}@1.1.0", status=1)


def test_other_bytes_on_the_hub_are_detected(hub: StandIn, corpus: Corpus) -> None:
    """The Hub can report the right hash but return other bytes, so the bytes are compared with local rows."""
    publish(hub, f"{corpus.path}@1.0.0")
    shard = next(
        file for path, file in commit_at(hub, "v1.0.0").files.items() if path.startswith("data/train")
    )
    stored = hub.folder / "objects" / str(shard.sha256)
    data = bytearray(stored.read_bytes())
    data[100] ^= 1
    stored.write_bytes(data)
    for option in ("ends", "all"):
        output = publish(hub, f"{corpus.path}@1.0.0", "--read-back", option, status=1)
        assert "has other rows in row group 0" in output
