"""Delete rows from committed versions. A purge is the only change to the rows of a committed version.

The caller writes the new shards and files. This module commits them, all or nothing. The manifest does not
change; ``purged.json`` next to it lists the changes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.corpus.journal import is_spool_name
from builder.corpus.names import README, SEALS, SPOOL
from builder.corpus.objects import hash_file, object_name, place
from builder.corpus.opening import SEAL_BYTES, check_path, file_kind, read_file
from builder.corpus.purged import PURGED, Purged, PurgedFile, PurgedShard
from builder.corpus.reseal import Resealing
from builder.corpus.seals import Sealed, VersionSeal
from builder.errors import Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from builder.corpus.folder import Corpus
    from builder.corpus.reseal import Step
    from builder.domain.manifest import ShardEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshShard:
    """The replacement of a shard.

    Attributes:
        path: the new file; None if no row is left.
        rows: number of removed rows.
        raw_bytes: uncompressed bytes of the removed rows.
    """

    path: Path | None
    rows: int
    raw_bytes: int

    def replacing(self, shard: ShardEntry, *, new: Sealed | None) -> PurgedShard:
        """Return the entry of ``purged.json`` for one shard; ``new`` is None if no row is left."""
        return PurgedShard(
            path=shard.path,
            old=Sealed(sha256=shard.sha256, bytes=shard.bytes),
            new=new,
            rows=self.rows,
            raw_bytes=self.raw_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPurge:
    """The changes to one version, in addition to its shards.

    Attributes:
        public: new README.md and other files, by path below the folder of the version.
        private: new files of ``.audit`` and ``.index``, by path below the corpus.
        ledger: counts of the rows that were removed from the ledger, as in ``Purged``.
    """

    public: Mapping[str, bytes] = field(default_factory=dict)
    private: Mapping[str, Path] = field(default_factory=dict)
    ledger: Mapping[str, Any] = field(default_factory=dict)


def purge_rows(
    corpus: Corpus,
    shards: Mapping[str, FreshShard],
    versions: Mapping[str, VersionPurge],
    *,
    root_readme: str,
    reports: Sequence[str] = (),
) -> None:
    """Replace shards and files in all versions; delete the old shards, all spools and reports.

    The caller holds the lock.

    Args:
        shards: replacements by the SHA-256 of the old shard, for every version with this shard.
        versions: the other changes, by version.
        reports: names of the reports in the corpus folder.

    Raises:
        TamperedError: if a shard to replace does not exist.
    """
    corpus.need_lock()
    touched = [one for one in corpus.versions() if one in versions or _holds(corpus, one, shards)]
    resealing = Resealing(corpus, "purge")
    staged = _Objects(corpus, resealing)
    fresh = {sha256: staged.take(one.path) if one.path else None for sha256, one in shards.items()}
    known, seals = dict(corpus.seal().versions), {}
    steps: list[Step] = []
    gone: list[Step] = [["remove", one] for one in reports]
    for version in touched:
        change = versions.get(version, VersionPurge())
        purged = _describe(corpus, version, shards, fresh, change)
        seals[version] = _seal(corpus, version, purged, change)
        steps += _steps(corpus, version, purged, fresh, change, resealing=resealing, staged=staged)
        known[version] = {**known[version], "purged": purged.rows}
    resealing.commit(
        known,
        root_files={README: root_readme.encode()},
        seals=seals,
        before=[*staged.steps, *steps],
        after=[*_old_objects(corpus, shards, staged), *_spools(corpus), *gone],
    )


class _Objects:
    """The new shards of a purge. An object that the corpus has already is not stored twice."""

    def __init__(self, corpus: Corpus, resealing: Resealing) -> None:
        self.steps: list[Step] = []
        self.hashes: set[str] = set()
        self._corpus = corpus
        self._resealing = resealing
        self._places: dict[str, Path] = {}

    def take(self, path: Path) -> Sealed:
        """Stage a new shard, and return its seal."""
        sealed = Sealed(sha256=hash_file(path), bytes=path.stat().st_size)
        name = object_name(sealed.sha256)
        self.hashes.add(sealed.sha256)
        if sealed.sha256 not in self._places:
            self._places[sealed.sha256] = self._corpus.path / name
            if not check_path(self._corpus.path, name).exists():
                self._places[sealed.sha256] = self._resealing.take_object(name, path)
                self.steps.append(["move", name, name])
        return sealed

    def link(self, sha256: str, target: str) -> Step:
        """Return the step that links a new shard into a version."""
        staged = self._resealing.new_path()
        place(self._places[sha256], staged)
        return ["replace", staged.name, target]


def _holds(corpus: Corpus, version: str, shards: Mapping[str, FreshShard]) -> bool:
    if corpus.dropped(version):
        return False
    return any(shard.sha256 in shards for _, shard in corpus.shards(version))


def _describe(
    corpus: Corpus,
    version: str,
    shards: Mapping[str, FreshShard],
    fresh: Mapping[str, Sealed | None],
    change: VersionPurge,
) -> Purged:
    """Describe what this purge and earlier purges changed in a version."""
    here = [] if corpus.dropped(version) else corpus.shards(version)
    files = {file.path: Sealed(sha256=file.sha256, bytes=file.bytes) for file in corpus.as_is(version).files}
    now = Purged(
        version=version,
        digest=corpus.digest(version),
        shards=tuple(
            shards[one.sha256].replacing(one, new=fresh[one.sha256])
            for _, one in here
            if one.sha256 in shards
        ),
        files=tuple(
            PurgedFile(path=name, old=files[name], new=Sealed.of(data))
            for name, data in sorted(change.public.items())
            if files[name] != Sealed.of(data)
        ),
        ledger=change.ledger,
    )
    before = corpus.purged(version) or Purged(version=version, digest=now.digest)
    return before.merge(now)


def _steps(
    corpus: Corpus,
    version: str,
    purged: Purged,
    fresh: Mapping[str, Sealed | None],
    change: VersionPurge,
    *,
    resealing: Resealing,
    staged: _Objects,
) -> list[Step]:
    steps: list[Step] = []
    for _, shard in [] if corpus.dropped(version) else corpus.shards(version):
        if shard.sha256 in fresh:
            new, target = fresh[shard.sha256], f"{version}/{shard.path}"
            steps.append(staged.link(new.sha256, target) if new else ["remove", target])
    data = {**change.public, PURGED: purged.to_bytes()}
    steps += [resealing.write(f"{version}/{name}", one) for name, one in data.items()]
    steps.append(["freeze", version])
    for name, path in change.private.items():
        steps.append(resealing.take(name, path, mode=0o600))
    return steps


def _seal(corpus: Corpus, version: str, purged: Purged, change: VersionPurge) -> bytes:
    name = f"{SEALS}/{version}.json"
    seal = VersionSeal.parse(read_file(corpus.path, name, limit=SEAL_BYTES), where=name)
    fresh = {
        name: Sealed(sha256=hash_file(path), bytes=path.stat().st_size)
        for name, path in change.private.items()
    }
    fresh[f"{version}/{PURGED}"] = Sealed.of(purged.to_bytes())
    return dataclasses.replace(seal, files={**seal.files, **fresh}).to_bytes()


def _old_objects(corpus: Corpus, shards: Mapping[str, FreshShard], staged: _Objects) -> list[Step]:
    gone = sorted(set(shards) - staged.hashes)
    if missing := [one for one in gone if not check_path(corpus.path, object_name(one)).exists()]:
        raise TamperedError(
            Fault(where=object_name(missing[0]), what="is missing", advice="run `builder verify`")
        )
    return [["free", object_name(one)] for one in gone]


def _spools(corpus: Corpus) -> list[Step]:
    """Return the steps that remove all spools, because unfinished builds contain fetched pages.

    The purge keeps its own files in its staging folder.
    """
    names = [one.name for one in sorted((corpus.path / SPOOL).iterdir()) if file_kind(one) == "a folder"]
    return [["remove", f"{SPOOL}/{name}"] for name in names if is_spool_name(name)]
