"""Make a corpus for a trial: a copy that shares the bytes of the files, or an empty one.

A copy has everything that a build reads. A build in it replaces files by new ones and never writes into a
file, so the corpus that was copied stays as it is.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from builder.corpus.create import create_corpus
from builder.corpus.durable import write_file
from builder.corpus.names import ROOT_SEAL, SPOOL, TOMBSTONES
from builder.corpus.objects import place
from builder.corpus.seals import RootSeal, Sealed

if TYPE_CHECKING:
    from pathlib import Path

    from builder.corpus.folder import Corpus


def copy_corpus(corpus: Corpus, target: Path) -> None:
    """Copy a corpus without unfinished builds; the cache of input hashes is copied."""
    skipped = corpus.path / SPOOL
    for source in sorted(corpus.path.rglob("*")):
        there = target / source.relative_to(corpus.path)
        if source.is_relative_to(skipped):
            continue
        if source.is_symlink():
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(source.readlink())
        elif source.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            place(source, there)
    (target / SPOOL).mkdir(parents=True)
    if (cache := corpus.hash_cache()).is_file():
        shutil.copy(cache, target / SPOOL / cache.name)


def create_empty(target: Path, name: str, *, tombstones: bytes) -> None:
    """Create an empty corpus that keeps out the same pages as another corpus."""
    create_corpus(target, name)
    if tombstones:
        write_file(target / TOMBSTONES, tombstones)
        seal = RootSeal(name=name, files={TOMBSTONES: Sealed.of(tombstones)})
        write_file(target / ROOT_SEAL, seal.to_bytes())
