"""Corpora as a stranger could make them, a canary next to them, and the commands that must refuse them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.corpus.seals import seal_document

GOLDEN = Path(__file__).resolve().parent / "golden" / "corpus-1"
NEWEST = "4.0.0"
LIMIT_S = 20
"""A command that takes longer hangs: the machine may be busy, so this is far more than one takes."""


@dataclass(frozen=True)
class Scene:
    """A corpus of a stranger, and folders outside of it that nothing may change."""

    corpus: Path
    canary: Path
    recipe: Path

    def before(self) -> str:
        return tree_hash(self.canary)


def make_scene(folder: Path) -> Scene:
    scene = Scene(folder / "corpus", folder / "canary", folder / "recipe.json")
    shutil.copytree(GOLDEN, scene.corpus, symlinks=True)
    (scene.corpus / ".spool").mkdir(exist_ok=True)
    for name in ("a.txt", "data/b.parquet", "deep/er/c.txt", "0.0.1/x"):
        (scene.canary / name).parent.mkdir(parents=True, exist_ok=True)
        (scene.canary / name).write_bytes(b"keep me")
    (folder / "feed").mkdir()
    (folder / "feed/a.jsonl").write_text('{"url": "https://new.example/1", "text": "' + "word " * 30 + '"}\n')
    recipe = {"name": "golden", "sources": [{"jsonl": {"path": "feed"}}], "splits": {"train": 1.0}}
    scene.recipe.write_text(json.dumps({**recipe, "corpus": "corpus"}))
    return scene


def commands(scene: Scene) -> dict[str, list[str]]:
    corpus = str(scene.corpus)
    return {
        "verify": ["verify", corpus],
        "versions": ["versions", corpus],
        "why": ["why", corpus, "https://a.example/1"],
        "diff": ["diff", corpus, "1.0.0", NEWEST],
        "rejected": ["rejected", corpus, "--output", str(scene.corpus.parent / "rejected.jsonl")],
        "check": ["check", corpus],
        "gc": ["gc", corpus, "--spool-days", "0"],
        "gc --dry-run": ["gc", corpus, "--dry-run"],
        "takedown": ["takedown", corpus, "--url", "https://a.example/2", "--because", "test", "--purge"],
        "yank": ["yank", f"{corpus}@3.0.0", "--because", "test"],
        "drop": ["drop", f"{corpus}@3.0.0"],
        "build": ["build", str(scene.recipe), "--full", "--prune", "--workers", "1"],
    }


READERS = ("verify", "versions", "why", "diff", "rejected", "check", "gc --dry-run")


def run(arguments: list[str]) -> tuple[int, str]:
    """Run a command in this process; an exception that is not an exit is a traceback, and fails the test."""
    out = StringIO()
    with redirect_stdout(out), redirect_stderr(out), within(LIMIT_S), pytest.raises(SystemExit) as end:
        main(arguments)
    assert "Traceback" not in out.getvalue()
    assert isinstance(end.value.code, int)
    return end.value.code, out.getvalue()


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError(f"hangs for more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tree_hash(folder: Path) -> str:
    """Hash names, kinds, modes, times and bytes of all that is below a folder."""
    found = hashlib.sha256()
    for path in [folder, *sorted(folder.rglob("*"))]:
        facts = path.lstat()
        found.update(f"{path.relative_to(folder)} {facts.st_mode} {facts.st_mtime_ns}\n".encode())
        if stat.S_ISREG(facts.st_mode):
            found.update(path.read_bytes())
    return found.hexdigest()


# -- oddities --------------------------------------------------------------------------------------


def _clear(path: Path) -> None:
    path.parent.chmod(0o755)
    if path.is_dir() and not path.is_symlink():
        for one in [path, *path.rglob("*")]:
            if one.is_dir() and not one.is_symlink():
                one.chmod(0o755)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def fifo(path: Path, scene: Scene) -> None:
    _clear(path)
    os.mkfifo(path)


def sock(path: Path, scene: Scene) -> None:
    _clear(path)
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have about 100 bytes
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def device(path: Path, scene: Scene) -> None:
    _clear(path)
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("device nodes are not allowed here")


def link(path: Path, scene: Scene) -> None:
    """A link to the same thing elsewhere: it would be followed without a visible fault."""
    elsewhere = scene.canary / "moved" / path.name
    elsewhere.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    if path.exists():
        shutil.move(path, elsewhere)
    else:
        elsewhere.mkdir()
    path.symlink_to(elsewhere)


def other_kind(path: Path, scene: Scene) -> None:
    """A folder in place of a file, or a file in place of a folder."""
    is_folder = path.is_dir() and not path.is_symlink()
    _clear(path)
    if is_folder:
        path.write_bytes(b"x")
    else:
        path.mkdir()


ODDITIES: dict[str, Callable[[Path, Scene], None]] = {
    "fifo": fifo,
    "socket": sock,
    "device": device,
    "link": link,
    "other kind": other_kind,
}


# -- forgeries -------------------------------------------------------------------------------------


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def write(path: Path, data: bytes) -> None:
    path.parent.chmod(0o755)
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def forge_seal(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a seal, and give it the digest that it should hold."""
    document = read(path)
    del document["seal"]
    change(document)
    write(path, seal_document(document))


def promise(corpus: Path, *steps: Any, name: str = ".commit-9.9.9") -> Path:
    """Leave a journal, as a builder that was killed would."""
    staged = corpus / ".spool" / name
    (staged / "root").mkdir(parents=True)
    (staged / "root/payload").write_bytes(b"attack")
    (staged / "commit.json").write_text(json.dumps(list(steps)))
    return staged
