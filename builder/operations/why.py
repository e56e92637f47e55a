"""``why``: explain what happened to a page and its duplicates, in every version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.corpus import Corpus, split_address
from builder.corpus.names import STOPPED
from builder.corpus.stopped import audit_file, has_stopped
from builder.domain.document_ids import DocumentIds, parse_id
from builder.domain.outcome import MEASURED, REMOVED_SPANS
from builder.domain.url import URL_RULES, canonical_url
from builder.errors import TamperedError
from builder.history.ledgers import LedgerHistory
from builder.history.lineage import Lineage
from builder.operations.why_published import find_published
from builder.pipeline.disk import reports_disk_faults
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike
    from pathlib import Path

    import pyarrow.dataset as ds

_MAX_DUPLICATES = 1_000

_LISTED = ("record_id", "outcome", "stage", "reason", "message", "kept_id")
"""The facts of a record that a notebook lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHistory:
    """The ledger rows of one page in one version, and the records that were merged with it.

    If the version was fetched without its ledger, ``ledger`` is false, both lists are empty, and
    ``documents`` lists the published documents of the page. ``removed`` lists what stages took out of the
    texts of the page's records, ``signals`` all signals of those that a filter rejected.
    """

    version: str
    records: Sequence[dict[str, Any]]
    duplicates: Sequence[dict[str, Any]]
    ledger: bool = True
    documents: Sequence[dict[str, Any]] = ()
    removed: Sequence[dict[str, Any]] = ()
    signals: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Explanation(Summarised):
    """Everything that a corpus knows about a page."""

    corpus: Path
    page: str
    histories: Sequence[PageHistory]

    @property
    def known(self) -> bool:
        """Whether any version knows the page."""
        return any(history.records or history.documents for history in self.histories)

    def _summary(self) -> dict[str, object]:
        return {
            "page": self.page,
            "corpus": str(self.corpus),
            "outcomes": {
                one.version: [record["outcome"] for record in one.records] for one in self.histories
            },
        }

    def _rows(self) -> Iterator[dict[str, object]]:
        for history in self.histories:
            for record in history.records:
                yield {"version": history.version, **{name: record[name] for name in _LISTED}}


@reports_disk_faults
def why(address: str | PathLike[str], page: str) -> Explanation:
    """Look a page up by URL, canonical URL, document id or record id, in one version or in all.

    Each version shows the current outcome of all records that it, or a version that it builds on, has read.

    Raises:
        CorpusError: if the corpus or the version does not exist.

    >>> explained = why("my-corpus/corpus", "https://example.org/tides")
    >>> [record["outcome"] for history in explained.histories for record in history.records]
    ['kept']
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    versions = [version] if version else [*corpus.versions(), *([STOPPED] if has_stopped(corpus) else [])]
    return Explanation(corpus=corpus.path, page=page, histories=[_history(corpus, v, page) for v in versions])


def _history(corpus: Corpus, version: str, page: str) -> PageHistory:
    if version == STOPPED:
        return _of_stopped(corpus, page)
    ledgers = LedgerHistory(corpus, lineage_versions(corpus, version))
    url_rules = corpus.manifest(version).url_rules
    records = ledgers.latest(lambda ledger: _find(ledger, page, url_rules))
    if not records and _lacks_a_ledger(corpus, version):
        documents = find_published(corpus, version, page)
        return PageHistory(version=version, records=[], duplicates=[], ledger=False, documents=documents)
    ids = {r[name] for r in records for name in ("document_id", "kept_id", "merged_into") if r[name]}
    own = {r["record_id"] for r in records}
    near = pc.field("kept_id").isin(sorted(ids)) | pc.field("document_id").isin(sorted(ids))
    found = ledgers.latest(lambda one: one.head(_MAX_DUPLICATES, filter=near).to_pylist()) if ids else []
    duplicates = [r for r in found if r["record_id"] not in own and ids & {r["kept_id"], r["document_id"]}]
    return PageHistory(
        version=version,
        records=_placed(corpus, version, records),
        duplicates=_placed(corpus, version, duplicates),
        removed=_of_audit(corpus, ledgers.versions, own, name=REMOVED_SPANS),
        signals=_of_audit(corpus, ledgers.versions, own, name=MEASURED),
    )


def _of_stopped(corpus: Corpus, page: str) -> PageHistory:
    """Look a page up in the ledger of the last build that wrote no version."""
    import pyarrow.dataset as ds

    ledger = ds.dataset(audit_file(corpus, STOPPED, "ledger.parquet"))
    records = _find(ledger, page, URL_RULES)
    own = {row["record_id"] for row in records}
    removed, signals = (_of_audit(corpus, [STOPPED], own, name=name) for name in (REMOVED_SPANS, MEASURED))
    return PageHistory(version=STOPPED, records=records, duplicates=[], removed=removed, signals=signals)


def _of_audit(
    corpus: Corpus, versions: Sequence[str], records: set[str], *, name: str
) -> list[dict[str, Any]]:
    """Return the rows of some records in an audit file, from the newest build that read each of them."""
    found: dict[str, list[dict[str, Any]]] = {}
    wanted = pc.field("record_id").isin(pa.array(sorted(records), pa.string()))
    for version in versions:
        path = audit_file(corpus, version, name)
        if not records or not path.exists():
            continue
        here: dict[str, list[dict[str, Any]]] = {}
        for row in pq.read_table(path, filters=wanted, partitioning=None).to_pylist():
            here.setdefault(row["record_id"], []).append(row)
        found |= here
    return [row for rows in found.values() for row in rows]


def _lacks_a_ledger(corpus: Corpus, version: str) -> bool:
    """Return whether the corpus lacks the ledger of a version, or of a version that it builds on."""
    existing = set(corpus.versions())
    while version in existing:
        parent = corpus.manifest(version).parent
        if not corpus.ledger_file(version).exists():
            return True
        if parent is None:
            return False
        version = parent["version"]
    return True


def lineage_versions(corpus: Corpus, version: str) -> list[str]:
    """List a version and the versions that it builds on, oldest first. Their ledgers complete each other."""
    try:
        return [segment.version for segment in Lineage.of(corpus, version).segments]
    except TamperedError:  # a corpus that was fetched has no index
        return [version]


def _placed(corpus: Corpus, version: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give kept records the shard names of this version: names change when shards are added."""
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


def _find(ledger: ds.Dataset, page: str, url_rules: int) -> list[dict[str, Any]]:
    named = pc.field("url") == page
    for column in ("document_id", "record_id"):
        named = named | (pc.field(column) == page)
    rows: list[dict[str, Any]] = ledger.to_table(filter=named).to_pylist()
    canonical = canonical_url(page, url_rules)
    if rows or canonical is None:
        return rows
    return _find_canonical(ledger, canonical, url_rules)


def _find_canonical(ledger: ds.Dataset, canonical: str, url_rules: int) -> list[dict[str, Any]]:
    """Return the rows with the same canonical URL. Only records of the same host are compared."""
    host = canonical.split("/")[2].split(":")[0]
    same_host = pc.match_substring(pc.field("url"), host, ignore_case=True)
    candidates = ledger.to_table(filter=same_host).to_pylist()
    return [row for row in candidates if canonical_url(row["url"], url_rules) == canonical]
