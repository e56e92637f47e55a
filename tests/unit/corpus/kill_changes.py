"""Change copies of a corpus, and die at one step of each change. Tests run this script.

    python kill_changes.py CHANGE PRISTINE TARGET FIRST STRIDE

CHANGE is the name of a function below. kill_commits.py defines the steps and the copies.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kill_commits import _copy, _die_at

from builder.corpus import Corpus, purge_rows
from builder.operations import purge as purging
from builder.operations.withdraw import drop, gc, yank


def yank_newest(folder: Path) -> None:
    yank(f"{folder}@1.1.0", because="a test")


def drop_oldest(folder: Path) -> None:
    drop(f"{folder}@1.0.0")


def collect(folder: Path) -> None:
    gc(folder, spool_days=0)


class Prepared:
    """The arguments of ``purge_rows`` for a purge of one document, so that only ``purge_rows`` is killed."""

    def __init__(self, pristine: Path, place: Path) -> None:
        scratch = place / "scratch"
        _copy(pristine, scratch)
        self._place = place / "files"
        self._place.mkdir()
        corpus = Corpus(scratch)
        with corpus.lock(), mock.patch.object(purging, "purge_rows", self._take):
            purging.purge(corpus, document_ids=["0" * 3 + "1" + "0" * 8])

    def _take(
        self, corpus: Corpus, shards: Any, versions: Any, *, root_readme: str, reports: list[str]
    ) -> None:
        assert not reports
        self._shards = {key: replace(one, path=self._keep(one.path)) for key, one in shards.items()}
        self._versions = {
            version: replace(one, private={name: self._keep(path) for name, path in one.private.items()})
            for version, one in versions.items()
        }
        self._readme = root_readme

    def _keep(self, path: Path) -> Path:
        kept = self._place / f"{len(list(self._place.iterdir())):04d}{path.suffix}"
        shutil.copyfile(path, kept)
        return kept

    def __call__(self, folder: Path) -> None:
        corpus = Corpus(folder)
        with corpus.lock():
            spool = corpus.spool("purge")
            shutil.copytree(self._place, spool, dirs_exist_ok=True)
            shards = {key: replace(one, path=spool / one.path.name) for key, one in self._shards.items()}
            versions = {
                version: replace(one, private={n: spool / path.name for n, path in one.private.items()})
                for version, one in self._versions.items()
            }
            _die_at(self.at)
            purge_rows(corpus, shards, versions, root_readme=self._readme)


def main(change: str, pristine: Path, target: Path, *, first: int, stride: int) -> None:
    scratch = TemporaryDirectory(dir=target.parent)
    run = Prepared(pristine, Path(scratch.name)) if change == "purge_one" else globals()[change]
    for number, at in enumerate(range(first, 100_000, stride)):
        folder = target / f"{number:04d}"
        _copy(pristine, folder)
        child = os.fork()
        if not child:
            if isinstance(run, Prepared):
                run.at = at
            else:
                _die_at(at)
            run(folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), first=int(sys.argv[4]), stride=int(sys.argv[5]))
