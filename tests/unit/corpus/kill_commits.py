"""Commit a version to copies of a corpus, and die at the n-th step of each. test_commit.py runs this script.

    python kill_commits.py PRISTINE TARGET FIRST STRIDE
    python kill_commits.py make TARGET

A step is a call that changes or syncs the file system. Every attempt runs in a forked child that kills
itself, so that no cleanup code runs. TARGET/0000, TARGET/0001 ... are the corpora that the children left
behind. The child of the last one was not killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
import synthetic_corpus as synthetic

from builder.corpus import Corpus, Staging, durable

if TYPE_CHECKING:
    from builder.domain.manifest import Manifest

_CHANGES = frozenset(
    {"os.rename", "os.link", "os.chmod", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}
)


def main(pristine: Path, target: Path, *, first: int, stride: int) -> None:
    with TemporaryDirectory() as scratch:
        staged = Path(scratch) / "corpus"
        _copy(pristine, staged)
        corpus = Corpus(staged)
        with corpus.lock():
            staging = corpus.begin("1.1.0")
            parts = [synthetic.make_rows(20, seed=1), synthetic.make_rows(10, seed=2)]
            manifest = synthetic.stage_version(corpus, staging, parts)
        for number, at in enumerate(range(first, 100_000, stride)):
            folder = target / f"{number:04d}"
            _copy(pristine, folder)
            child = os.fork()
            if not child:
                _commit(folder, _moved(staging, folder), manifest, synthetic.README + "1.1.0", at=at)
            _, status = os.waitpid(child, 0)
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0
                return


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _moved(staging: Staging, folder: Path) -> tuple[Path, Staging]:
    """Return the folder of the staged files, and the same staging with the paths of another corpus."""
    other = object.__new__(Staging)
    other.__dict__ = {
        name: folder / value.relative_to(staging._corpus) if isinstance(value, Path) else value
        for name, value in vars(staging).items()
    }
    return staging.place, other


def _commit(folder: Path, staged: tuple[Path, Staging], manifest: Manifest, card: str, *, at: int) -> None:
    corpus = Corpus(folder)
    with corpus.lock():
        _copy(staged[0], staged[1].place)
        _die_at(at)
        corpus.commit(staged[1], manifest, card)
    os._exit(0)


def _die_at(last: int) -> None:
    """Kill this process before the step with this number."""
    steps = iter(range(last + 1))

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        made = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if event in _CHANGES or made:
            step()

    def before(function: object) -> object:
        def called(*arguments: object) -> object:
            step()
            return function(*arguments)

        return called

    sys.addaudithook(hook)
    os.fsync = before(os.fsync)
    durable._rename_exclusively = before(durable._rename_exclusively)


def make(target: Path) -> None:
    """Create empty corpora; the n-th process is killed before its n-th step."""
    for at in range(1_000):
        child = os.fork()
        if not child:
            _die_at(at)
            Corpus.open_or_create(target / f"{at:04d}", name="new")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]), first=int(sys.argv[3]), stride=int(sys.argv[4]))
