"""Clients read the same versions if an independent server program serves the repository."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hub.looks import REPO, commit_at, ids_of, program
from hub.process import StandIn
from hub.store import Store

from builder import Corpus

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def olah(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Olah, installed from the package index into its own environment."""
    place = tmp_path_factory.mktemp("olah") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    install = [str(place / "bin" / "pip"), "install", "--quiet", "olah==0.5.4"]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"olah cannot be installed: {done.stderr.splitlines()[-1]}")
    return place / "bin" / "olah-cli"


def write_git(hub: StandIn, place: Path) -> None:
    """Write the tags of a repository as commits of a real git repository, with large files in full."""

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=harbour", "-c", "user.email=harbour@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=place, check=True, capture_output=True)

    place.mkdir(parents=True)
    git("init", "--initial-branch", "main")
    store = Store(hub.folder)
    for tag in ("v1.0.0", "v1.1.0", "v2.0.0"):
        git("rm", "-rf", "--ignore-unmatch", "--quiet", ".")
        for path, file in commit_at(hub, tag).files.items():
            if path != ".gitattributes":
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(store.path_of(file).read_bytes())
        git("add", "--all", "--force", ".")
        git("commit", "--quiet", "--message", tag)
        git("tag", tag)


@contextmanager
def serving(olah: Path, folder: Path) -> Iterator[str]:
    """Serve the repositories below a folder, without an upstream Hub."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "olah.toml"
    config.write_text(
        f'[basic]\nhost = "127.0.0.1"\nport = {port}\nrepos-path = "{folder / "cache"}"\n'
        f'mirrors-path = ["{folder / "mirror"}"]\n'
        f'mirror-scheme = "http"\nmirror-netloc = "127.0.0.1:{port}"\n'
        f'mirror-lfs-netloc = "127.0.0.1:{port}"\n'
        "[accessibility]\noffline = true\n"
    )
    with (folder / "olah.log").open("wb") as log:
        process = subprocess.Popen([str(olah), "--config", str(config)], cwd=folder, stdout=log, stderr=log)
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)


def test_another_server_gives_the_same_versions(
    hub: StandIn, corpus: Corpus, olah: Path, tmp_path: Path
) -> None:
    """Each version loads at its tag: streamed, not streamed, and by `load`; main is the newest version."""
    for version in corpus.versions():
        done = hub.builder("publish", f"{corpus.path}@{version}", "--repo", REPO)
        assert done.returncode == 0, done.stderr
    write_git(hub, tmp_path / "mirror" / "datasets" / REPO)
    with serving(olah, tmp_path) as url:
        environment = hub.environment(tmp_path / "home", token=None) | {"HF_ENDPOINT": url}
        command = [sys.executable, "-c", program("load_version"), REPO, *corpus.versions(), "main"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
        assert done.returncode == 0, done.stderr + (tmp_path / "olah.log").read_text()[-2000:]
    for version, found in json.loads(done.stdout).items():
        number = "2.0.0" if version == "main" else version
        assert found.pop("version") == number
        assert all(ids == ids_of(corpus, number) for ids in found.values())
