"""What became of a page, in every version, and of its duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from builder.corpus import Corpus, split_address
from builder.domain.document_ids import DocumentIds, parse_id
from builder.domain.url import canonical_url
from builder.errors import TamperedError
from builder.history.ledgers import LedgerHistory
from builder.history.lineage import Lineage
from builder.operations.why_published import find_published
from builder.pipeline.disk import reports_disk_faults

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow.dataset as ds

_MAX_DUPLICATES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHistory:
    """The ledger's rows on one page in one version, and the records that were merged with it.

    A version that was fetched without its ledger has none of these (``ledger`` is false), but the published
    documents that the page is.
    """

    version: str
    records: Sequence[dict[str, Any]]
    duplicates: Sequence[dict[str, Any]]
    ledger: bool = True
    documents: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of a page in a corpus."""

    corpus: Path
    page: str
    histories: Sequence[PageHistory]

    @property
    def known(self) -> bool:
        """Whether any version has heard of it."""
        return any(history.records or history.documents for history in self.histories)


@reports_disk_faults
def why(address: str, page: str) -> Explanation:
    """Look a page up by URL, canonical URL, document id or record id, in one version or in all.

    A version tells of all records that it or one that it builds on has read, as it stands with them.

    Raises:
        CorpusError: if there is no corpus, or not this version.
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    versions = [version] if version else corpus.versions()
    return Explanation(corpus=corpus.path, page=page, histories=[_history(corpus, v, page) for v in versions])


def _history(corpus: Corpus, version: str, page: str) -> PageHistory:
    ledgers = LedgerHistory(corpus, lineage_versions(corpus, version))
    records = ledgers.latest(lambda ledger: _find(ledger, page))
    if not records and _account_is_elsewhere(corpus, version):
        documents = find_published(corpus, version, page)
        return PageHistory(version=version, records=[], duplicates=[], ledger=False, documents=documents)
    ids = {r[name] for r in records for name in ("document_id", "kept_id", "merged_into") if r[name]}
    there = {r["record_id"] for r in records}
    near = pc.field("kept_id").isin(sorted(ids)) | pc.field("document_id").isin(sorted(ids))
    found = ledgers.latest(lambda one: one.head(_MAX_DUPLICATES, filter=near).to_pylist()) if ids else []
    duplicates = [r for r in found if r["record_id"] not in there and ids & {r["kept_id"], r["document_id"]}]
    return PageHistory(
        version=version,
        records=_placed(corpus, version, records),
        duplicates=_placed(corpus, version, duplicates),
    )


def _account_is_elsewhere(corpus: Corpus, version: str) -> bool:
    """Tell whether a ledger of a version, or of one that it goes on from, did not come with it."""
    there = set(corpus.versions())
    while version in there:
        parent = corpus.manifest(version).parent
        if not corpus.ledger(version).exists():
            return True
        if parent is None:
            return False
        version = parent["version"]
    return True


def lineage_versions(corpus: Corpus, version: str) -> list[str]:
    """List a version and those that it builds on, the oldest first; they share an account of records."""
    try:
        return [segment.version for segment in Lineage.of(corpus, version).segments]
    except TamperedError:  # a corpus that was fetched has no index
        return [version]


def _placed(corpus: Corpus, version: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name the shards of kept records as this version does: names change when shards are added."""
    kept = [row["document_id"] for row in rows if row["outcome"] == "kept"]
    if not kept or len(lineage_versions(corpus, version)) == 1:
        return rows
    lineage = Lineage.of(corpus, version)
    places = lineage.locate(DocumentIds.from_hex(kept))
    return [
        row | {"shard": lineage.manifest.splits[place.split].shards[place.shard].path}
        if row["outcome"] == "kept" and (place := places.get(parse_id(row["document_id"])))
        else row
        for row in rows
    ]


def _find(ledger: ds.Dataset, page: str) -> list[dict[str, Any]]:
    named = pc.field("url") == page
    for column in ("document_id", "record_id"):
        named = named | (pc.field(column) == page)
    rows: list[dict[str, Any]] = ledger.to_table(filter=named).to_pylist()
    canonical = canonical_url(page)
    if rows or canonical is None:
        return rows
    return _find_canonical(ledger, canonical)


def _find_canonical(ledger: ds.Dataset, canonical: str) -> list[dict[str, Any]]:
    """Compare canonical forms, of the records of the same host only."""
    host = canonical.split("/")[2].split(":")[0]
    same_host = pc.match_substring(pc.field("url"), host, ignore_case=True)
    candidates = ledger.to_table(filter=same_host).to_pylist()
    return [row for row in candidates if canonical_url(row["url"]) == canonical]
