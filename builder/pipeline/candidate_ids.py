"""Compute the candidate ids of a document: from its URL, else from its bytes; never from its place.

The id stays the same if cleaning improves and, with a URL, if the page is fetched again. Each row has two
candidates. If two records of one URL are kept, the second one gets an id from URL and content together. Which
rows need the second candidate is known only after the last barrier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from builder.domain.document_ids import ID_TYPE, hash_to_id
from builder.domain.record import PAGE_KEY
from builder.domain.url import canonical_url

if TYPE_CHECKING:
    from builder.protocols import Resources

ID = "_id"
SECOND_ID = "_second_id"


def identify(batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
    """Add the two candidate ids of each row, 16 bytes each."""
    urls = batch.column(resources.columns.url).to_pylist() if resources.columns.url else [None] * len(batch)
    pages = batch.column(PAGE_KEY).to_pylist()
    first, second = [], []
    for url, page in zip(urls, pages, strict=True):
        canonical = canonical_url(url, resources.url_rules) if url else None
        first.append(hash_to_id(b"url", canonical.encode()) if canonical else hash_to_id(b"page", page))
        second.append(hash_to_id(b"both", (canonical or "").encode(), page))
    batch = batch.append_column(ID, pa.array(first, ID_TYPE))
    return batch.append_column(SECOND_ID, pa.array(second, ID_TYPE))
