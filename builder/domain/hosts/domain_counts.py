"""Count pages, their bytes and the dates of their fetches by registrable domain, for the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.hosts.registrable_domain import registrable_domain
from builder.domain.url import domain

if TYPE_CHECKING:
    from collections.abc import Iterable

DOMAINS: Final = "domains"
"""The file of a part with its counts, and the name of the audit file."""

DOMAINS_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("domain", pa.string()),
        pa.field("pages", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("first_fetched_at", pa.timestamp("us", tz="UTC")),
        pa.field("last_fetched_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""``domain`` is null for pages without a URL of the web. ``bytes`` are those of HTML and text, in UTF-8."""

_KEYS: Final = ["source", "domain"]
_FETCHED_AT: Final = "fetched_at"
_MERGED_ROWS: Final = 1 << 20


def site_of(url: str | None) -> str | None:
    """Return the registrable domain of a URL, its host if that has none, or None if it is not of the web.

    >>> site_of("https://news.bbc.co.uk/a"), site_of("http://127.0.0.1:8080/"), site_of("urn:x")
    ('bbc.co.uk', '127.0.0.1', None)
    """
    host = domain(url) if url else None
    return None if host is None else registrable_domain(host) or host


class DomainTally:
    """Counts the pages of one batch of a source that met the contract."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tables: list[pa.Table] = []

    def add(self, batch: pa.RecordBatch, *, url: str | None, texts: Iterable[str | None]) -> None:
        """Count the rows that ``validate`` kept.

        Args:
            url: the column of URLs.
            texts: the columns whose bytes count.
        """
        names = batch.schema.names
        n_rows = batch.num_rows
        urls = batch.column(url).to_pylist() if url in names else [None] * n_rows
        sizes = pa.array([0] * n_rows, pa.int64())
        for name in set(texts) & set(names):
            lengths = pc.binary_length(batch.column(name)).cast(pa.int64())
            sizes = pc.add(sizes, pc.fill_null(lengths, 0))
        kind = DOMAINS_SCHEMA.field("first_fetched_at").type
        dated = _FETCHED_AT in names and batch.schema.field(_FETCHED_AT).type == kind
        dates = batch.column(_FETCHED_AT) if dated else pa.nulls(n_rows, kind)
        sources = pa.repeat(pa.scalar(self._source, pa.string()), n_rows)
        sites = pa.array(map(site_of, urls), pa.string())
        ones = pa.repeat(pa.scalar(1, pa.int64()), n_rows)
        columns = [sources, sites, ones, sizes, dates, dates]
        self._tables.append(merge_counts([pa.table(columns, schema=DOMAINS_SCHEMA)]))

    def files(self) -> dict[str, pa.RecordBatch]:
        """Return the file for the part of the batch; none without a page."""
        counts = merge_counts(self._tables)
        return {DOMAINS: pa.concat_batches(counts.to_batches())} if counts.num_rows else {}


def merge_counts(tables: Iterable[pa.Table]) -> pa.Table:
    """Add up counts of ``DOMAINS_SCHEMA``; the result is sorted by source and domain."""
    merged = DOMAINS_SCHEMA.empty_table()
    waiting: list[pa.Table] = []
    n_rows = 0
    for table in tables:
        waiting.append(table)
        n_rows += table.num_rows
        if n_rows >= _MERGED_ROWS + merged.num_rows:
            merged, waiting, n_rows = _merged([merged, *waiting]), [], 0
    return _merged([merged, *waiting])


def _merged(tables: list[pa.Table]) -> pa.Table:
    grouped = (
        pa.concat_tables(tables)
        .group_by(_KEYS, use_threads=False)
        .aggregate(
            [("pages", "sum"), ("bytes", "sum"), ("first_fetched_at", "min"), ("last_fetched_at", "max")]
        )
    )
    names = ["pages_sum", "bytes_sum", "first_fetched_at_min", "last_fetched_at_max"]
    columns = [grouped.column(name) for name in (*_KEYS, *names)]
    return pa.table(columns, schema=DOMAINS_SCHEMA).sort_by([(key, "ascending") for key in _KEYS])
