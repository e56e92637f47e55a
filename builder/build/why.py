"""What became of a page, in every version, and of its duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from builder.corpus import Corpus, split_address
from builder.domain.url import canonical_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MAX_DUPLICATES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """The ledger's rows on one page in one version, and the records that were merged with it."""

    version: str
    records: Sequence[dict[str, Any]]
    duplicates: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of a page in a corpus."""

    corpus: Path
    page: str
    fates: Sequence[Fate]

    @property
    def known(self) -> bool:
        """Whether any version has heard of it."""
        return any(fate.records for fate in self.fates)


def why(address: str, page: str) -> Explanation:
    """Look a page up by URL, canonical URL, document id or record id, in one version or in all.

    Raises:
        CorpusError: if there is no corpus, or not this version.
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    versions = [version] if version else corpus.versions()
    return Explanation(corpus=corpus.path, page=page, fates=[_fate(corpus, v, page) for v in versions])


def _fate(corpus: Corpus, version: str, page: str) -> Fate:
    ledger = ds.dataset(corpus.ledger(version))
    records = _find(ledger, page)
    ids = {r[name] for r in records for name in ("document_id", "kept_id", "merged_into") if r[name]}
    there = {r["record_id"] for r in records}
    duplicates: list[dict[str, Any]] = []
    if ids:
        near = pc.field("kept_id").isin(sorted(ids)) | pc.field("document_id").isin(sorted(ids))
        rows = ledger.head(_MAX_DUPLICATES, filter=near).to_pylist()
        duplicates = [row for row in rows if row["record_id"] not in there]
    return Fate(version=version, records=records, duplicates=duplicates)


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
