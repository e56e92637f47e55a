"""Which published documents a takedown means: by URL, by domain, by id, or by a file of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds, is_id, parse_id
from builder.domain.url import canonical_url, domain
from builder.errors import CorpusError, Fault
from builder.history.ledgers import LedgerHistory
from builder.protocols import Columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from builder.history.lineage import Lineage

_HOST = re.compile(r"[^\s/@:]+\.[^\s/@:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked to be taken down: canonical URLs, hosts, and ids of documents."""

    urls: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        *,
        urls: Sequence[str] = (),
        domains: Sequence[str] = (),
        ids: Sequence[str] = (),
        file: str | Path | None = None,
    ) -> Asked:
        """Read what was asked for; all that cannot be read is told at once.

        A file has a URL, a domain or an id a line; blank lines and what follows ``#`` at the front of one are
        passed over.

        Raises:
            CorpusError: with a fault for each word that is none of these, or if there is none at all.
        """
        asked = [("url", "--url", one) for one in urls] + [("domain", "--domain", one) for one in domains]
        asked += [("id", "--id", one) for one in ids]
        asked += list(_lines(Path(file))) if file else []
        found: dict[str, list[str]] = {"url": [], "domain": [], "id": []}
        faults = []
        for kind, where, word in asked:
            if (value := _READ[kind](word)) is None:
                faults.append(Fault(where=where, what=f"{word!r} is no {_NAMES[kind]}"))
            else:
                found[kind].append(value)
        if not asked:
            faults.append(Fault(where="", what="nothing was named", advice="--url, --domain, --id or --file"))
        if faults:
            raise CorpusError(*faults)
        lists = {name: tuple(dict.fromkeys(values)) for name, values in found.items()}
        return cls(urls=lists["url"], domains=lists["domain"], ids=lists["id"])

    def means(self, url: str | None) -> bool:
        """Tell whether a page of this URL is meant, by its URL or by its domain."""
        if url is None or not any(hint in url.lower() for hint in _hints(self)):
            return False
        return canonical_url(url) in self.urls or self.covers(domain(url) or "")

    def covers(self, host: str) -> bool:
        """Tell whether a host is one of the domains, or a subdomain of one."""
        return any(host == one or host.endswith(f".{one}") for one in self.domains)


@cache
def _hints(asked: Asked) -> tuple[str, ...]:
    """List hosts of which a URL that is meant must hold one, as it came; most URLs hold none."""
    hosts = (domain(url) or "" for url in asked.urls)
    if any(not host.isascii() or "xn--" in host for host in (*asked.domains, *hosts)):
        return ("",)  # such a host may be written in several ways
    return tuple({*asked.domains, *(domain(url) or "" for url in asked.urls)})


_MOST_HINTS = 2_000
"""Characters of a pattern: one for very many hosts takes longer than it saves, or is refused."""

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
    """What a takedown comes down to.

    Attributes:
        documents: the 16 bytes of each published document's id, with its URL.
        merged: pages that were asked for and stand in no row of their own: their record, and the id of the
            document that stands for them.
        unknown: what was asked for and is not published.
    """

    documents: dict[bytes, str | None] = field(default_factory=dict)
    merged: tuple[tuple[dict[str, Any], bytes], ...] = ()
    unknown: tuple[str, ...] = ()


def find_targets(lineage: Lineage, asked: Asked) -> Targets:
    """Find the published documents that were asked for, and those that stand for merged pages."""
    rows = _statements(lineage, asked)
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
        unknown=tuple(_unknown(asked, [row for row in rows if row["kept_id"]])),
    )


def _with_urls(lineage: Lineage, keys: Sequence[bytes]) -> dict[bytes, str | None]:
    """Return those of some documents that are published, with their URLs."""
    ids = DocumentIds.from_bytes(keys)
    column = Columns.of_manifest(lineage.manifest).url
    if column is None:
        return dict.fromkeys(lineage.locate(ids))
    urls = lineage.texts(ids, column)
    return {key: urls[key].decode() or None for key in keys if key in urls}


def _unknown(asked: Asked, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    urls = {canonical_url(row["url"]) for row in rows if row["url"]}
    hosts = {domain(row["url"]) or "" for row in rows if row["url"]}
    ids = {row["kept_id"] for row in rows}
    yield from (url for url in asked.urls if url not in urls)
    yield from (one for one in asked.ids if one not in ids)
    for one in asked.domains:
        if not any(host == one or host.endswith(f".{one}") for host in hosts):
            yield one


def _statements(lineage: Lineage, asked: Asked) -> list[dict[str, Any]]:
    """Return the newest ledger row of each record that is meant."""
    history = LedgerHistory.of(lineage)
    ids = frozenset(asked.ids)
    told = history.latest(
        _likely(asked),
        is_meant=lambda row: row["document_id"] in ids or (row["kept_id"] and asked.means(row["url"])),
        columns=["record_id", "url", "outcome", "document_id", "kept_id"],
    )
    return told if history.is_complete else [*told, *_untold(lineage, asked, told)]


def _likely(asked: Asked) -> pc.Expression:
    """Return a condition for the ledger rows that may be meant: few of many."""
    likely = pc.field("document_id").isin(pa.array(sorted(asked.ids), pa.string()))
    if not asked.urls and not asked.domains:
        return likely
    is_published = pc.field("kept_id").is_valid()
    hints = "|".join(map(re.escape, _hints(asked)))
    if len(hints) <= _MOST_HINTS:
        is_published &= pc.match_substring_regex(pc.field("url"), hints, ignore_case=True)
    return likely | is_published


def _untold(lineage: Lineage, asked: Asked, told: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Go through the rows themselves, where the corpus has no ledger of them: it was fetched."""
    known = {row["document_id"] for row in told}
    column = Columns.of_manifest(lineage.manifest).url
    for split, entry in lineage.manifest.splits.items():
        for number in range(len(entry.shards)):
            names = ["id", *([column] if column else [])]
            for batch in pq.ParquetFile(lineage.shard_path(split, number)).iter_batches(columns=names):
                for row in batch.to_pylist():
                    url = row[column] if column else None
                    if row["id"] not in known and (row["id"] in asked.ids or asked.means(url)):
                        yield {"url": url, "outcome": "kept", "document_id": row["id"], "kept_id": row["id"]}
