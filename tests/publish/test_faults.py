"""After any fault, the Hub has the old version or the new version, and the next call resumes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import INTERRUPTIBLE
from hub.faults import KINDS
from hub.looks import REPO, commit_at, digest_at, program, repo, text_at
from hub.process import TESTS, StandIn
from hub.store import Store

from builder import Corpus

FAULTS = program("faults")
OLD, NEW = "1.0.0", "1.1.0"
CHANGES = pytest.mark.parametrize(
    ("old", "new"), [(OLD, NEW), ("", OLD), (NEW, OLD)], ids=["update", "first", "older"]
)
"""The version on the Hub, and the version to publish; an older version only gets a tag."""


def matrix(
    hub: StandIn,
    corpus: Corpus,
    *,
    old: str = OLD,
    new: str = NEW,
    part: str = "0/1",
    attempts: int = 1,
    kinds: Sequence[str] = KINDS,
) -> dict[str, int]:
    """Run the program that makes each request fail with each fault; return its counts."""
    code = f"import sys; sys.path.insert(0, {str(TESTS)!r})\n{FAULTS}"
    arguments = (old, new, part, str(attempts), ",".join(kinds))
    done = hub.python(code, hub.folder, corpus.path, *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_sample_of_faults_leaves_the_old_or_the_new_version(hub: StandIn, corpus: Corpus) -> None:
    """A fast sample of the next test, with each request and each kind of fault about once."""
    found = matrix(hub, corpus, part="5/41")
    assert found["requests"] >= 12
    assert found["cases"] >= 2


@pytest.mark.long
@CHANGES
def test_each_fault_at_each_request_leaves_the_old_or_the_new_version(
    any_hub: StandIn, corpus: Corpus, old: str, new: str
) -> None:
    """After a second call without a fault, the Hub has the new version."""
    found = matrix(any_hub, corpus, old=old, new=new)
    assert found["cases"] == len(KINDS) * found["requests"]
    assert found["first_failed"] > 0


@pytest.mark.long
@CHANGES
def test_each_transient_fault_is_retried(any_hub: StandIn, corpus: Corpus, old: str, new: str) -> None:
    """With the default retries, a transient fault does not make the call fail."""
    assert matrix(any_hub, corpus, old=old, new=new, attempts=6)["first_failed"] == 0


@pytest.mark.long
@CHANGES
def test_ctrl_c_at_any_request_leaves_the_old_or_the_new_version(
    any_hub: StandIn, corpus: Corpus, old: str, new: str
) -> None:
    """The interrupt comes during the request; the next call resumes."""
    found = matrix(any_hub, corpus, old=old, new=new, kinds=["ctrl-c"])
    assert found["cases"] == found["requests"]
    assert found["first_failed"] > found["requests"] // 2


CALL = """
import sys, builder
from builder.hub.retry_policy import RetryPolicy
kind, corpus, repo = sys.argv[1:]
waited = []
policy = RetryPolicy(attempts=6, first_wait_s=0.01, sleep=waited.append)
result = builder.publish(corpus, repo, retry_policy=policy)
print(waited, result.nothing_new, len(result.add))
"""


@pytest.mark.parametrize(
    ("kind", "only"), [("412", "/commit/"), ("409", "/commit/"), ("lost", "/commit/"), ("lost", "/tag/")]
)
def test_after_a_conflict_the_trees_are_compared_again(
    hub: StandIn, corpus: Corpus, kind: str, only: str
) -> None:
    """After a stale parent, a conflict or a lost answer, the call does only what is missing."""
    hub.plan({"kind": kind, "only": only})
    done = hub.python(CALL, kind, f"{corpus.path}@{OLD}", REPO)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[0.01] False")
    assert digest_at(hub, "main") == digest_at(hub, f"v{OLD}") == OLD
    store = Store(hub.folder)
    assert len(list(store.history(repo(hub), "main"))) == 2


@pytest.mark.parametrize("kind", ["409", "lost"])
def test_another_client_can_create_the_repository_at_the_same_time(
    hub: StandIn, corpus: Corpus, kind: str
) -> None:
    """After a conflict or a lost answer, the call checks whether the repository exists and retries."""
    hub.plan({"kind": kind, "only": "/repos/create"})
    done = hub.python(CALL, kind, f"{corpus.path}@{OLD}", REPO)
    assert done.returncode == 0, done.stderr
    assert digest_at(hub, "main") == digest_at(hub, f"v{OLD}") == OLD


def test_a_commit_of_another_client_is_not_lost(hub: StandIn, corpus: Corpus, home: Path) -> None:
    """A commit between comparison and upload makes the call compare again."""
    done = hub.builder("publish", f"{corpus.path}@{OLD}", "--repo", REPO)
    assert done.returncode == 0, done.stderr
    code = (
        "import sys, builder\n"
        "from huggingface_hub import CommitOperationAdd as A, HfApi, hf_hub_download\n"
        "from builder.hub.remote import Repository\n"
        "commit, done = Repository.commit, []\n"
        "def slow(self, *args, **kw):\n"
        "    if not done:\n"
        "        done.append(1)\n"
        "        card = open(hf_hub_download(self.name, 'README.md', repo_type='dataset')).read()\n"
        "        files = [A('LICENSE', b'x'), A('README.md', (card + '## Thanks\\n').encode())]\n"
        "        HfApi().create_commit(self.name, files, repo_type='dataset', commit_message='x')\n"
        "    return commit(self, *args, **kw)\n"
        "Repository.commit = slow\n"
        "print(builder.publish(sys.argv[1], sys.argv[2]).left_alone)\n"
    )
    done = hub.python(code, f"{corpus.path}@{NEW}", REPO, home=home)
    assert done.returncode == 0, done.stderr
    assert "LICENSE" in commit_at(hub, "main").files
    assert "## Thanks" in text_at(hub, "main", "README.md")
    assert digest_at(hub, "main") == NEW


def test_uploaded_files_are_not_sent_again(hub: StandIn, corpus: Corpus) -> None:
    """The commit fails permanently; the next call needs only the commit."""
    hub.plan({"kind": "500", "only": "/commit/", "times": 1000})
    code = CALL.replace("attempts=6", "attempts=1")
    done = hub.python(code, "500", f"{corpus.path}@{OLD}", REPO)
    assert done.returncode == 1
    assert "run the same command again to resume" in done.stderr
    assert digest_at(hub, "main") is None
    sent = [entry["path"] for entry in hub.log() if entry["method"] == "PUT"]
    hub.plan()
    assert hub.builder("publish", f"{corpus.path}@{OLD}", "--repo", REPO).returncode == 0
    assert sent
    assert [entry["path"] for entry in hub.log() if entry["method"] == "PUT"] == []


def test_batches_end_in_one_commit(hub: StandIn, corpus: Corpus, home: Path) -> None:
    """Large uploads are sent in batches; if the second batch fails, the first batch stays on the Hub."""
    set_size = "from builder.hub.remote import Repository as r\nsys.modules[r.__module__]._BATCH_FILES = 1\n"
    small = CALL.replace("kind,", f"{set_size}kind,")
    hub.plan({"kind": "409", "only": "PUT /lfs/", "at": 2, "times": 1000})
    done = hub.python(
        small.replace("attempts=6", "attempts=1"), "409", f"{corpus.path}@{OLD}", REPO, home=home
    )
    assert done.returncode == 1, done.stdout
    arrived = [e["path"] for e in hub.log() if e["method"] == "PUT" and e["status"] == 200]
    assert len(arrived) == 1, done.stderr
    hub.plan()
    done = hub.python(small, "409", f"{corpus.path}@{OLD}", REPO, home=home)
    assert done.returncode == 0, done.stderr
    again = [e["path"] for e in hub.log() if e["method"] == "PUT"]
    assert len(again) > 1
    assert not set(arrived) & set(again)
    assert digest_at(hub, "main") == OLD
    assert [one.title for one in Store(hub.folder).history(repo(hub), "main")] == [
        f"Version {OLD}",
        "initial commit",
    ]


def test_retry_after_sets_the_wait(hub: StandIn, corpus: Corpus) -> None:
    """A wait that is too long is reported as an error instead."""
    hub.plan({"kind": "429", "only": "/commit/", "retry_after_s": 7})
    done = hub.python(CALL, "429", f"{corpus.path}@{OLD}", REPO)
    assert done.stdout.startswith("[7.0] False"), done.stderr
    hub.plan({"kind": "429", "only": "/commit/", "retry_after_s": 100_000})
    done = hub.python(CALL, "429", f"{corpus.path}@{NEW}", REPO)
    assert done.returncode == 1
    assert "the Hub limits the rate of requests" in done.stderr
    assert digest_at(hub, "main") == OLD


def test_an_unreachable_hub_is_one_line_with_advice(corpus: Corpus, home: Path, tmp_path: Path) -> None:
    """The exit status is 1."""
    hub = StandIn(tmp_path / "hub")
    hub.stop()
    code = CALL.replace("attempts=6", "attempts=1")
    done = hub.python(code, "gone", f"{corpus.path}@{OLD}", REPO, home=home)
    assert done.returncode == 1
    assert "HubError: harbour/tides: " in done.stderr


def test_an_html_page_of_a_proxy_is_retried_and_then_reported(hub: StandIn, corpus: Corpus) -> None:
    """A proxy can answer 200 with its own page."""
    hub.plan({"kind": "page", "only": "/refs", "times": 1000})
    done = hub.python(CALL.replace("attempts=6", "attempts=2"), "page", f"{corpus.path}@{OLD}", REPO)
    assert done.returncode == 1
    assert "HubError: harbour/tides: the answer is not JSON" in done.stderr
    hub.plan({"kind": "page", "only": "/refs"})
    done = hub.python(CALL, "page", f"{corpus.path}@{OLD}", REPO)
    assert done.stdout.startswith("[0.01] False"), done.stderr


# -- kill and interrupt ----------------------------------------------------------------------------


def start(hub: StandIn, corpus: Corpus, home: Path) -> subprocess.Popen[Any]:
    """Start to publish the new version."""
    command = [sys.executable, "-c", INTERRUPTIBLE]  # a test run in the background ignores SIGINT
    return subprocess.Popen(
        [*command, "publish", f"{corpus.path}@{NEW}", "--repo", REPO],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=hub.environment(home),
        start_new_session=True,
    )


def wait_for(hub: StandIn, process: subprocess.Popen[Any], n_requests: int) -> None:
    """Wait until the Hub has received this number of requests."""
    while process.poll() is None and len(hub.log()) < n_requests:
        time.sleep(0.002)


def killed(hub: StandIn, corpus: Corpus, home: Path, *, n_moments: int, seed: int) -> None:
    """Kill the program at random moments, and publish again."""
    assert hub.builder("publish", f"{corpus.path}@{OLD}", "--repo", REPO).returncode == 0
    saved = (hub.folder / "repos" / f"{REPO}.json").read_text()
    objects = set((hub.folder / "objects").iterdir())
    moments = random.Random(seed)
    for _ in range(n_moments):
        (hub.folder / "repos" / f"{REPO}.json").write_text(saved)
        for path in set((hub.folder / "objects").iterdir()) - objects:
            path.unlink()
        hub.plan()
        process = start(hub, corpus, home)
        wait_for(hub, process, moments.randint(0, 17))
        time.sleep(moments.random() * 0.02)
        process.kill()
        process.communicate()
        assert digest_at(hub, "main") in (OLD, NEW)
        done = hub.builder("publish", f"{corpus.path}@{NEW}", "--repo", REPO)
        assert done.returncode == 0, done.stderr
        assert digest_at(hub, "main") == digest_at(hub, f"v{NEW}") == NEW


def test_kill_9_leaves_the_old_or_the_new_version(hub: StandIn, corpus: Corpus, home: Path) -> None:
    """The next call publishes the new version."""
    killed(hub, corpus, home, n_moments=2, seed=4)


@pytest.mark.long
def test_kill_9_at_50_moments_leaves_the_old_or_the_new_version(
    any_hub: StandIn, corpus: Corpus, home: Path
) -> None:
    """More moments, with LFS and with Xet."""
    killed(any_hub, corpus, home, n_moments=50, seed=7)


@pytest.mark.sampled(1)
def test_ctrl_c_ends_with_130(any_hub: StandIn, corpus: Corpus, home: Path) -> None:
    """The command prints one line instead of a traceback; the same command resumes."""
    assert any_hub.builder("publish", f"{corpus.path}@{OLD}", "--repo", REPO).returncode == 0
    any_hub.plan()
    process = start(any_hub, corpus, home)
    wait_for(any_hub, process, 6)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert b"Run the same command again to resume" in output
    assert b"Traceback" not in output
    assert digest_at(any_hub, "main") in (OLD, NEW)
    done = any_hub.builder("publish", f"{corpus.path}@{NEW}", "--repo", REPO)
    assert done.returncode == 0, done.stderr
    assert digest_at(any_hub, "main") == digest_at(any_hub, f"v{NEW}") == NEW
