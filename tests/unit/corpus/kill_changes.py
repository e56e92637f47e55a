"""Run by tests of changes to what is there: makes one on copies of a corpus, and dies at a step of each.

    python kill_changes.py CHANGE PRISTINE TARGET FIRST STRIDE

CHANGE is a function below. Steps and copies are those of kill_commits.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kill_commits import _copy, _die_at

from builder.build.withdraw import drop, gc, yank


def yank_newest(folder: Path) -> None:
    yank(f"{folder}@1.1.0", because="a test")


def drop_oldest(folder: Path) -> None:
    drop(f"{folder}@1.0.0")


def collect(folder: Path) -> None:
    gc(folder, spool_days=0)


def main(change: str, pristine: Path, target: Path, *, first: int, stride: int) -> None:
    for number, at in enumerate(range(first, 100_000, stride)):
        folder = target / f"{number:04d}"
        _copy(pristine, folder)
        child = os.fork()
        if not child:
            _die_at(at)
            globals()[change](folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), first=int(sys.argv[4]), stride=int(sys.argv[5]))
