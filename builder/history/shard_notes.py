"""Collect facts on the rows of a shard while they are written: for the index, the manifest and the card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from builder.domain.digests import ContentDigest
from builder.domain.document_ids import DocumentIds
from builder.domain.url import domain
from builder.history.index import ShardFacts
from builder.io.parquet_sink.rows import encode_rows, row_digests

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from builder.protocols import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedColumns:
    """The published columns whose values the card counts; None for a column that is not published."""

    url: str | None = None
    language: str | None = None
    fetched_at: str | None = None

    @classmethod
    def of(cls, schema: pa.Schema, roles: Columns) -> NotedColumns:
        """Find these columns among the published ones."""
        names = schema.names
        return cls(
            url=roles.url if roles.url in names else None,
            language="language" if "language" in names else None,
            fetched_at=roles.fetched_at if roles.fetched_at in names else None,
        )


class ShardNotes:
    """Collects the facts on one shard, from one row group after the other."""

    def __init__(self, columns: NotedColumns) -> None:
        self._columns = columns
        self._content = ContentDigest()
        self._raw_bytes = 0
        self._languages: Counter[str] = Counter()
        self._domains: Counter[str] = Counter()
        self._newest = ""
        self.ids: list[DocumentIds] = []
        self.digests: list[NDArray[np.uint8]] = []

    def take(self, group: pa.Table) -> pa.Table:
        """Add one row group, and return it unchanged."""
        for batch in group.to_batches():
            data, offsets = encode_rows(batch)
            self._content = self._content.add(data, offsets)
            self.digests.append(row_digests(data, offsets))
            self._raw_bytes += int(offsets[-1])
        self.ids.append(DocumentIds.of_texts(group.column(0)))
        self._describe(group)
        return group

    def _describe(self, group: pa.Table) -> None:
        """Add the languages, domains and newest fetch of one row group, which the card shows."""
        columns = self._columns
        if columns.url:
            self._domains.update(domain(url) or "" for url in group[columns.url].to_pylist() if url)
        if columns.language:
            for count in group[columns.language].value_counts().to_pylist():
                self._languages[count["values"] or ""] += count["counts"]
        if columns.fetched_at:
            newest = pc.max(group[columns.fetched_at]).as_py()
            if newest is not None:
                self._newest = max(self._newest, newest.date().isoformat())

    def facts(self, sha256: str, n_rows: int) -> ShardFacts:
        """Return the facts that the index stores for the shard."""
        return ShardFacts(
            sha256=sha256,
            rows=n_rows,
            raw_bytes=self._raw_bytes,
            content=self._content.state,
            languages=dict(self._languages),
            domains=dict(self._domains),
            newest=self._newest,
        )
