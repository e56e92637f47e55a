"""Purge: delete documents that were taken down from every version, ledger and index.

Of these documents, the corpus keeps only the keyed hashes in their tombstones, and counts.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.corpus import FreshShard, VersionPurge, purge_rows
from builder.domain.progress import ignore_progress
from builder.engines.local import LocalEngine
from builder.errors import CorpusError, Fault
from builder.io.parquet_sink.rows import row_sizes
from builder.pipeline.disk import reports_disk_faults
from builder.protocols import Columns
from builder.release.layout import Rewrite, WrittenShard
from builder.release.rewrite import RewriteJob
from builder.release.root_card import root_card
from builder.release.write import ShardJob
from builder.removal.purge_audit import clean_audit
from builder.removal.purge_card import as_purged, public_files
from builder.removal.purge_index import clean_index
from builder.removal.purge_reports import find_reports
from builder.removal.purge_scope import MAX_SEARCHED_LINES, Scope, find_scope, long_lines
from builder.removal.purge_signals import clean_signals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest
    from builder.domain.progress import Progress
    from builder.removal.purge_reports import StoredReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeResult:
    """The result of a purge.

    Attributes:
        rows: number of published rows that were deleted, by version; versions without one are left out.
        n_records: number of records whose ledger rows were deleted.
        reports: reports that were deleted from the corpus folder, because they may show the documents.
        old_shards: SHA-256 of the shards that had the rows. Copies of these files elsewhere still have them.
    """

    corpus: Path
    documents: Sequence[str]
    rows: Mapping[str, int]
    n_records: int
    old_shards: Sequence[str]
    reports: Sequence[StoredReport] = ()

    @property
    def hub_tags(self) -> list[str]:
        """The tags that these versions have on the Hub, if they were published."""
        return [f"v{version}" for version in self.rows]

    def document(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return {
            "documents": list(self.documents),
            "rows": dict(self.rows),
            "records": self.n_records,
            "old_shards": list(self.old_shards),
            "reports": [one.name for one in self.reports],
            "hub_tags": self.hub_tags,
        }


@reports_disk_faults
def purge(
    corpus: Corpus,
    *,
    document_ids: Collection[str],
    record_ids: Collection[str] = (),
    workers: int = 1,
    advance: Progress = ignore_progress,
) -> PurgeResult:
    """Delete documents, and what was merged into them, from all files of the corpus. The caller has the lock.

    The shards are written again without the rows, by the same writer and with the same size limits. The rows
    are also deleted from ledgers, rejected records, clusters and the index, and every spool is removed.
    Manifests stay.

    Args:
        document_ids: documents that an older version has and the newest version does not.
        record_ids: more records whose rows are deleted.

    Raises:
        CorpusError: if the newest version that is not yanked or dropped has one of the documents.
    """
    corpus.need_lock()
    scope = find_scope(corpus, document_ids=document_ids, record_ids=record_ids)
    with tempfile.TemporaryDirectory(dir=corpus.spool("purge")) as name:
        folder = Path(name)
        found = {shard.sha256: shard for shard in _shards_with_rows(corpus, scope)}
        _refuse_published(corpus, found)
        scope = replace(scope, lines=frozenset(islice(_lines(found.values()), MAX_SEARCHED_LINES)))
        written = _rewrite(found, folder, workers=workers, advance=advance)
        fresh = {sha256: _fresh(shard, written.get(sha256)) for sha256, shard in found.items()}
        facts = {sha256: one.facts for sha256, one in written.items()}
        audits = {version: clean_audit(corpus, version, scope, folder) for version in corpus.versions()}
        signals = {version: clean_signals(corpus, version, scope, folder) for version in corpus.versions()}
        records_gone = {version: audit.records_gone for version, audit in audits.items()}
        indexes = clean_index(corpus, scope, facts, set(found), records_gone, folder)
        purged = {v: as_purged(corpus, v, fresh, facts) for v in corpus.versions() if not corpus.dropped(v)}
        changed = {v: one for v, one in purged.items() if one != corpus.as_is(v)}
        public = public_files(corpus, changed, facts, clusters={v: audits[v].clusters for v in changed})
        versions = {
            version: VersionPurge(
                public=public.get(version, {}),
                private={**audits[version].files, **signals[version], **indexes.get(version, {})},
                ledger=audits[version].counts,
            )
            for version in corpus.versions()
            if version in changed or audits[version].files or signals[version] or version in indexes
        }
        rows = {v: corpus.as_is(v).rows - one.rows for v, one in changed.items()}
        reports = find_reports(corpus)
        readme = root_card(corpus, purged=changed)
        purge_rows(corpus, fresh, versions, root_readme=readme, reports=[one.name for one in reports])
    return PurgeResult(
        corpus=corpus.path,
        documents=sorted(scope.documents),
        rows=rows,
        n_records=len(scope.records),
        old_shards=sorted(found),
        reports=reports,
    )


# -- shards ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _ShardWithRows:
    """A shard with rows to delete, in the first version that has the shard."""

    version: str
    split: str
    path: Path
    sha256: str
    rows: int
    removed: tuple[int, ...]
    manifest: Manifest


def _shards_with_rows(corpus: Corpus, scope: Scope) -> Iterator[_ShardWithRows]:
    """Read the ids of each shard of all versions once, and yield the shards with rows to delete."""
    wanted = pa.array(sorted(scope.documents), pa.string())
    seen: set[str] = set()
    for version in corpus.versions():
        for split, shard in [] if corpus.dropped(version) else corpus.shards(version):
            if shard.sha256 in seen:
                continue
            seen.add(shard.sha256)
            path = corpus.version_file(version, shard.path)
            id_column = corpus.manifest(version).columns.names[0]
            ids = pq.read_table(path, columns=[id_column])[id_column].cast(pa.string())
            removed = np.flatnonzero(pc.is_in(ids, value_set=wanted).to_numpy())
            if len(removed):
                yield _ShardWithRows(
                    version=version,
                    split=split,
                    path=path,
                    sha256=shard.sha256,
                    rows=shard.rows,
                    removed=tuple(removed.tolist()),
                    manifest=corpus.manifest(version),
                )


def _lines(shards: Iterable[_ShardWithRows]) -> Iterator[str]:
    """Yield the long lines of the texts of the documents to delete."""
    for shard in shards:
        column = Columns.of_manifest(shard.manifest).text
        if column is not None:
            texts = pq.read_table(shard.path, columns=[column])[column].take(pa.array(shard.removed))
            for text in texts.to_pylist():
                yield from long_lines(text or "")


def _refuse_published(corpus: Corpus, found: Mapping[str, _ShardWithRows]) -> None:
    newest = corpus.find_newest()
    if newest and any(shard.sha256 in found for _, shard in corpus.shards(newest)):
        what = f"version {newest} still has a document to purge"
        raise CorpusError(Fault(where=str(corpus.path), what=what, advice="run builder takedown first"))


def _rewrite(
    found: Mapping[str, _ShardWithRows], folder: Path, *, workers: int, advance: Progress
) -> dict[str, WrittenShard]:
    """Write each shard again without the rows. A shard that would have no row is left out."""
    written: dict[str, WrittenShard] = {}
    left = [shard for shard in found.values() if len(shard.removed) < shard.rows]
    with LocalEngine(workers=workers) as engine:
        for _, shards in groupby(left, lambda shard: shard.version):
            some = list(shards)
            manifest = some[0].manifest
            limits = {name: split.cut for name, split in manifest.splits.items()}
            job = RewriteJob(ShardJob.of_published(manifest, limits=limits, folder=folder))
            for shard, one in zip(some, engine.map(job, map(_rewrite_of, some)), strict=True):
                written[shard.sha256] = one
                advance("purge", done=len(written), total=len(left), unit="shards")
    return written


def _rewrite_of(shard: _ShardWithRows) -> Rewrite:
    name = f"{shard.sha256}.parquet"
    return Rewrite(split=shard.split, name=name, source=str(shard.path), removed=shard.removed)


def _fresh(shard: _ShardWithRows, written: WrittenShard | None) -> FreshShard:
    rows = pq.read_table(shard.path).take(pa.array(shard.removed))
    raw_bytes = sum(int(row_sizes(batch).sum()) for batch in rows.to_batches())
    path = Path(written.path) if written else None
    return FreshShard(path=path, rows=len(shard.removed), raw_bytes=raw_bytes)
