"""Find the published documents of a takedown, by URL, domain or id."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds, is_id, parse_id
from builder.domain.url import URL_RULES, canonical_url, domain
from builder.errors import CorpusError, Fault
from builder.history.ledgers import LedgerHistory
from builder.protocols import Columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from builder.history.lineage import Lineage

_HOST = re.compile(r"[^\s/@:]+\.[^\s/@:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakedownRequest:
    """The canonical URLs, hosts and document ids to take down, and the rules of the canonical URLs."""

    urls: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    url_rules: int = URL_RULES

    @classmethod
    def parse(
        cls,
        *,
        urls: Sequence[str] = (),
        domains: Sequence[str] = (),
        ids: Sequence[str] = (),
        file: str | Path | None = None,
    ) -> TakedownRequest:
        """Parse URLs, domains and ids from options and a file, and report all faults at once.

        Each line of the file is a URL, a domain or an id. Blank lines and lines that begin with ``#`` are
        skipped.

        Raises:
            CorpusError: with a fault for each value that is not valid, or if nothing is requested.
        """
        words = [("url", "--url", one) for one in urls] + [("domain", "--domain", one) for one in domains]
        words += [("id", "--id", one) for one in ids]
        words += list(_lines(Path(file))) if file else []
        found: dict[str, list[str]] = {"url": [], "domain": [], "id": []}
        faults = []
        for kind, where, word in words:
            if (value := _READ[kind](word)) is None:
                faults.append(Fault(where=where, what=f"{word!r} is not a {_NAMES[kind]}"))
            else:
                found[kind].append(value)
        if not words:
            faults.append(
                Fault(where="", what="no page is named", advice="use --url, --domain, --id or --file")
            )
        if faults:
            raise CorpusError(*faults)
        lists = {name: tuple(dict.fromkeys(values)) for name, values in found.items()}
        return cls(urls=lists["url"], domains=lists["domain"], ids=lists["id"])

    def under(self, url_rules: int) -> TakedownRequest:
        """Return the request with canonical URLs by the rules of a corpus."""
        urls = (canonical_url(url, url_rules) or url for url in self.urls)
        return replace(self, urls=tuple(dict.fromkeys(urls)), url_rules=url_rules)

    def matches(self, url: str | None) -> bool:
        """Return whether the request includes a page with this URL, by URL or by domain."""
        if url is None or not any(hint in url.lower() for hint in _hints(self)):
            return False
        return canonical_url(url, self.url_rules) in self.urls or self.covers(domain(url) or "")

    def covers(self, host: str) -> bool:
        """Return whether a host is one of the domains or a subdomain of one."""
        return any(host == one or host.endswith(f".{one}") for one in self.domains)


@cache
def _hints(request: TakedownRequest) -> tuple[str, ...]:
    """Return substrings of which each matching URL contains one. Most other URLs contain none."""
    hosts = (domain(url) or "" for url in request.urls)
    if any(not host.isascii() or "xn--" in host for host in (*request.domains, *hosts)):
        return ("",)  # such a host has several spellings
    return tuple({*request.domains, *(domain(url) or "" for url in request.urls)})


_MOST_HINTS = 2_000
"""Maximum length of a pattern of hosts. A longer one costs more time than it saves, or is refused."""

_NAMES = {"url": "URL with http or https", "domain": "domain", "id": "document id (32 hexadecimal digits)"}
_READ: dict[str, Callable[[str], str | None]] = {
    "url": canonical_url,
    "domain": lambda word: word.lower().rstrip(".") if _HOST.fullmatch(word) else None,
    "id": lambda word: word.lower() if is_id(word.lower()) else None,
}


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(Fault(where=str(path), what=f"cannot be read: {error}")) from None
    for number, line in enumerate(lines, start=1):
        word = line.strip()
        if word and not word.startswith("#"):
            kind = "url" if "://" in word else "id" if is_id(word.lower()) else "domain"
            yield kind, f"{path}:{number}", word


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The published documents of a takedown.

    Attributes:
        documents: the id (16 bytes) of each published document, with its URL.
        merged: requested pages that were merged into a document: the ledger row of each page, and the id of
            the document that represents it.
        unknown: requested URLs, ids and domains that are not published.
    """

    documents: dict[bytes, str | None] = field(default_factory=dict)
    merged: tuple[tuple[dict[str, Any], bytes], ...] = ()
    unknown: tuple[str, ...] = ()


def find_targets(lineage: Lineage, request: TakedownRequest) -> Targets:
    """Find the requested documents, and the documents that represent requested merged pages."""
    rows = _ledger_rows(lineage, request)
    documents = _with_urls(lineage, sorted({parse_id(row["kept_id"]) for row in rows if row["kept_id"]}))
    own = {parse_id(row["document_id"]) for row in rows if row["outcome"] == "kept"}
    merged = [
        (row, parse_id(row["kept_id"]))
        for row in rows
        if row["outcome"] == "merged" and row["kept_id"] and parse_id(row["kept_id"]) not in own
    ]
    return Targets(
        documents=documents,
        merged=tuple((row, key) for row, key in merged if key in documents),
        unknown=tuple(_unknown(request, [row for row in rows if row["kept_id"]])),
    )


def _with_urls(lineage: Lineage, keys: Sequence[bytes]) -> dict[bytes, str | None]:
    """Return the documents that are published, with their URLs."""
    ids = DocumentIds.from_bytes(keys)
    column = Columns.of_manifest(lineage.manifest).url
    if column is None:
        return dict.fromkeys(lineage.locate(ids))
    urls = lineage.texts(ids, column)
    return {key: urls[key].decode() or None for key in keys if key in urls}


def _unknown(request: TakedownRequest, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    urls = {canonical_url(row["url"], request.url_rules) for row in rows if row["url"]}
    hosts = {domain(row["url"]) or "" for row in rows if row["url"]}
    ids = {row["kept_id"] for row in rows}
    yield from (url for url in request.urls if url not in urls)
    yield from (one for one in request.ids if one not in ids)
    for one in request.domains:
        if not any(host == one or host.endswith(f".{one}") for host in hosts):
            yield one


def _ledger_rows(lineage: Lineage, request: TakedownRequest) -> list[dict[str, Any]]:
    """Return the newest ledger row of each requested record."""
    history = LedgerHistory.of(lineage)
    ids = frozenset(request.ids)
    rows = history.latest(
        _likely(request),
        is_meant=lambda row: row["document_id"] in ids or (row["kept_id"] and request.matches(row["url"])),
        columns=["record_id", "url", "outcome", "document_id", "kept_id"],
    )
    return rows if history.is_complete else [*rows, *_published_rows(lineage, request, rows)]


def _likely(request: TakedownRequest) -> pc.Expression:
    """Return a filter for ledger rows that may be requested; it keeps few rows."""
    likely = pc.field("document_id").isin(pa.array(sorted(request.ids), pa.string()))
    if not request.urls and not request.domains:
        return likely
    is_published = pc.field("kept_id").is_valid()
    hints = "|".join(map(re.escape, _hints(request)))
    if len(hints) <= _MOST_HINTS:
        is_published &= pc.match_substring_regex(pc.field("url"), hints, ignore_case=True)
    return likely | is_published


def _published_rows(
    lineage: Lineage, request: TakedownRequest, rows: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the requested published rows that are not in ``rows``; a fetched corpus has no ledger of them."""
    known = {row["document_id"] for row in rows}
    column = Columns.of_manifest(lineage.manifest).url
    for split, entry in lineage.manifest.splits.items():
        for number in range(len(entry.shards)):
            name = lineage.manifest.columns.names[0]
            names = [name, *([column] if column else [])]
            for batch in pq.ParquetFile(lineage.shard_path(split, number)).iter_batches(columns=names):
                for row in batch.to_pylist():
                    url, one = row[column] if column else None, row[name]
                    if one not in known and (one in request.ids or request.matches(url)):
                        yield {"url": url, "outcome": "kept", "document_id": one, "kept_id": one}
