"""``yank``, ``drop`` and ``gc``: versions that nobody should use any more, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.card.card import render_dropped_card
from builder.corpus import Corpus, Garbage, drop_version, mark, split_address, sweep
from builder.corpus.pending import wait_for_commit
from builder.errors import CorpusError, Fault, VersionError
from builder.pipeline.disk import reports_disk_faults
from builder.release.root_card import root_card

if TYPE_CHECKING:
    from pathlib import Path

SPOOL_DAYS = 7.0
"""Days after which a spool that nobody touched counts as given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yank:
    """A version that was yanked, or taken back; ``newest`` is what the corpus gives from now on."""

    corpus: Path
    version: str
    because: str | None
    newest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A version whose rows are gone; ``n_shards`` counts those that no other version has."""

    corpus: Path
    version: str
    digest: str
    n_shards: int
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a corpus had of no use; ``removed`` tells whether it is gone."""

    corpus: Path
    removed: bool
    garbage: Garbage


@reports_disk_faults
def yank(address: str | Path, *, because: str | None) -> Yank:
    """Mark a version as not to be used, or with ``because=None`` take that back.

    ``latest``, and what ``load_dataset`` of the folder gives, go to the newest version that is not yanked; by
    its number the version can still be loaded.

    Args:
        address: ``FOLDER@VERSION``.

    Raises:
        VersionError: if there is no such version, it was dropped, or it is in that state already.
        LockedError: if a builder is at work.
    """
    corpus, version = _open(address)
    with corpus.lock():
        _refuse_dropped(corpus, version)
        was = corpus.yanked(version)
        if (was is None) == (because is None):
            what = "is not yanked" if was is None else f"is yanked already: {was}"
            raise VersionError(Fault(where=str(address), what=what))
        mark(corpus, version, because=because, root_readme=root_card(corpus, yanked={version: because}))
    return Yank(corpus=corpus.path, version=version, because=because, newest=corpus.find_newest())


@reports_disk_faults
def drop(address: str | Path) -> Drop:
    """Delete the rows of an old version; its number, digest, manifest and ledger stay.

    Args:
        address: ``FOLDER@VERSION``.

    Raises:
        VersionError: if there is no such version, it was dropped already, or it is the newest good one.
        LockedError: if a builder is at work.
    """
    corpus, version = _open(address)
    with corpus.lock():
        _refuse_dropped(corpus, version)
        manifest = corpus.manifest(version)
        notice = render_dropped_card(corpus.name, version, digest=manifest.digest, rows=manifest.rows)
        freed = drop_version(corpus, version, root_readme=root_card(corpus, without=version), notice=notice)
    return Drop(
        corpus=corpus.path,
        version=version,
        digest=manifest.digest,
        n_shards=freed.n_shards,
        n_bytes=freed.n_bytes,
    )


@reports_disk_faults
def gc(folder: str | Path, *, spool_days: float = SPOOL_DAYS, only_look: bool = False) -> Sweep:
    """Free what no version uses: objects, half commits, and spools of builds that were given up.

    Args:
        spool_days: a spool that was touched since is kept: its build goes on from there.
        only_look: tell what would go, and remove nothing; the lock is not taken then.

    Raises:
        LockedError: if a builder is at work.
        TamperedError: if a manifest cannot be trusted; nothing is removed then.
        CorpusError: if a commit is pending and nothing is to be removed: what would go is not known yet.
    """
    corpus = Corpus(folder)
    if only_look:
        if pending := wait_for_commit(corpus.path):
            raise CorpusError(*pending)
        garbage = sweep(corpus, spool_days=spool_days, only_look=True)
    else:
        with corpus.lock():
            garbage = sweep(corpus, spool_days=spool_days)
    return Sweep(corpus=corpus.path, removed=not only_look, garbage=garbage)


def _open(address: str | Path) -> tuple[Corpus, str]:
    folder, version = split_address(address)
    corpus = Corpus(folder)
    if version is None:
        advice = f"name one, such as {folder}@{corpus.find_newest() or '1.0.0'}"
        raise VersionError(Fault(where=str(address), what="names no version", advice=advice))
    corpus.digest(version)
    return corpus, version


def _refuse_dropped(corpus: Corpus, version: str) -> None:
    if corpus.dropped(version):
        raise VersionError(Fault(where=f"{corpus.path}@{version}", what="was dropped: its rows are gone"))
