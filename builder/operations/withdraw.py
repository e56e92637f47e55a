"""``yank``, ``drop`` and ``gc``: withdraw versions, and free the space that no version uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.card.card import render_dropped_card
from builder.corpus import Corpus, Garbage, drop_version, mark, split_address, sweep
from builder.corpus.pending import wait_for_commit
from builder.errors import CorpusError, Fault, VersionError
from builder.pipeline.disk import reports_disk_faults
from builder.release.root_card import root_card
from builder.summary import Summarised

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

SPOOL_DAYS = 7.0
"""Days without a change after which a spool counts as abandoned."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Yank(Summarised):
    """A version that was yanked or un-yanked. ``newest`` is the version that ``latest`` now points to."""

    corpus: Path
    version: str
    because: str | None
    newest: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Drop(Summarised):
    """A version whose rows were deleted. ``n_shards`` counts the shards that no other version has."""

    corpus: Path
    version: str
    digest: str
    n_shards: int
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sweep(Summarised):
    """The files that no version uses. ``removed`` is true if they were deleted."""

    corpus: Path
    removed: bool
    garbage: Garbage

    def _summary(self) -> dict[str, object]:
        found = self.garbage
        return {
            "corpus": str(self.corpus),
            "removed": self.removed,
            "objects": found.n_objects,
            "spools": found.n_spools,
            "bytes": found.object_bytes + found.spool_bytes,
        }


@reports_disk_faults
def yank(address: str | PathLike[str], *, because: str | None) -> Yank:
    """Mark a version so that it is not used by default, or remove the mark with ``because=None``.

    ``latest`` and ``load_dataset(FOLDER)`` use the newest version that is not yanked. You can still load a
    yanked version by its number.

    Args:
        address: ``FOLDER@VERSION``.

    Raises:
        VersionError: if the version does not exist, was dropped, or already has this state.
        LockedError: if another builder process works on this corpus.

    >>> yank("my-corpus/corpus@1.0.0", because="wrong license").newest is None
    True
    """
    corpus, version = _open(address)
    with corpus.lock():
        _refuse_dropped(corpus, version)
        was = corpus.yanked(version)
        if (was is None) == (because is None):
            what = "is not yanked" if was is None else f"is already yanked: {was}"
            raise VersionError(Fault(where=str(address), what=what))
        mark(corpus, version, because=because, root_readme=root_card(corpus, yanked={version: because}))
    return Yank(corpus=corpus.path, version=version, because=because, newest=corpus.find_newest())


@reports_disk_faults
def drop(address: str | PathLike[str]) -> Drop:
    """Delete the rows of an old version; its number, digest, manifest and ledger stay.

    Args:
        address: ``FOLDER@VERSION``.

    Raises:
        VersionError: if the version does not exist, was already dropped, or is the newest that is not yanked.
        LockedError: if another builder process works on this corpus.

    >>> from builder import takedown
    >>> newer = takedown("my-corpus/corpus", urls="https://example.org/tides", because="asked by the author")
    >>> drop("my-corpus/corpus@1.0.0").version
    '1.0.0'
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
    """Delete what no version uses: objects, unfinished commits, and spools of abandoned builds.

    Args:
        spool_days: a spool that changed within this many days is kept, so that its build can resume.
        only_look: report what would be deleted, and delete nothing. This needs no lock.

    Raises:
        LockedError: if another builder process works on this corpus.
        TamperedError: if a manifest was changed. Nothing is deleted then.
        CorpusError: if a commit is pending and ``only_look`` is set: the result is not known yet.

    >>> gc("my-corpus/corpus", only_look=True).garbage.n_objects
    0
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


def _open(address: str | PathLike[str]) -> tuple[Corpus, str]:
    folder, version = split_address(address)
    corpus = Corpus(folder)
    if version is None:
        advice = f"add the version, as in {folder}@{corpus.find_newest() or '1.0.0'}"
        raise VersionError(Fault(where=str(address), what="does not name a version", advice=advice))
    corpus.digest(version)
    return corpus, version


def _refuse_dropped(corpus: Corpus, version: str) -> None:
    if corpus.dropped(version):
        raise VersionError(Fault(where=f"{corpus.path}@{version}", what="was dropped: its rows are gone"))
