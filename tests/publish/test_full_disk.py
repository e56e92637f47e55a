"""The disk is full during `publish` or `fetch`."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hub.looks import REPO, digest_at
from hub.process import StandIn

from builder import Corpus, verify

pytestmark = [
    pytest.mark.unmeasured,
    pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system does not know this limit"),
]


def limited(
    hub: StandIn, home: Path, *arguments: str | Path, most_bytes: int
) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot write files larger than this limit."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [sys.executable, "-c", "from builder.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=hub.environment(home),
        preexec_fn=limit,
    )


@pytest.mark.sampled(1)
@pytest.mark.parametrize("most_bytes", [0, 1_000, 4_000])
def test_publish_on_a_full_disk_reports_what_to_do(
    hub: StandIn, corpus: Corpus, home: Path, most_bytes: int
) -> None:
    """The Hub is unchanged; with free space, the same command succeeds."""
    hub.builder("publish", f"{corpus.path}@1.0.0", "--repo", REPO)
    done = limited(hub, home, "publish", f"{corpus.path}@1.1.0", "--repo", REPO, most_bytes=most_bytes)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "check the disk" in done.stderr
    assert digest_at(hub, "main") == "1.0.0"
    done = hub.builder("publish", f"{corpus.path}@1.1.0", "--repo", REPO)
    assert done.returncode == 0, done.stderr
    assert digest_at(hub, "main") == "1.1.0"


@pytest.mark.sampled(1)
@pytest.mark.parametrize("most_bytes", [0, 1_000, 4_000])
def test_fetch_on_a_full_disk_reports_what_to_do(
    hub: StandIn, corpus: Corpus, home: Path, tmp_path: Path, most_bytes: int
) -> None:
    """With free space, the next call completes the version."""
    hub.builder("publish", f"{corpus.path}@1.0.0", "--repo", REPO)
    done = limited(hub, home, "fetch", f"{REPO}@1.0.0", tmp_path / "got", most_bytes=most_bytes)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "check the disk" in done.stderr
    done = hub.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "got").clean
