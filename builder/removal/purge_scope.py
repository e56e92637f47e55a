"""Find the documents and records of a purge: the named ones, and everything that was merged into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.history.ledgers import LedgerHistory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from builder.corpus import Corpus
    from builder.removal.targets import TakedownRequest

_NAMED_BY = ("url", "document_id", "kept_id")
_COLUMNS = ["record_id", "outcome", "document_id", "kept_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The ids of the documents of a purge, and of the records that these documents represented."""

    documents: frozenset[str]
    records: frozenset[str]


def find_scope(corpus: Corpus, *, document_ids: Collection[str], record_ids: Collection[str]) -> Scope:
    """Add the documents that were merged into the given ones, and find the records that they represented.

    A record that now belongs to another document is left out: a record id is a place in a file, and another
    page may be at that place now.
    """
    documents = set(document_ids)
    while found := _merged_into(corpus, documents) - documents:
        documents |= found
    last = LedgerHistory(corpus, corpus.versions()).latest(_names(documents), columns=_COLUMNS)
    gone = {row["record_id"] for row in last if _represented_by(row) in (None, *documents)}
    return Scope(documents=frozenset(documents), records=frozenset(gone | set(record_ids)))


def find_named(corpus: Corpus, request: TakedownRequest) -> set[str]:
    """Find the documents of any version that a takedown requests and that the newest version does not have.

    A document may have been taken down before, or removed by a full rebuild.
    """
    ids = frozenset(request.ids)
    found = set()
    for path in LedgerHistory(corpus, corpus.versions()).paths():
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(_NAMED_BY)):
                for url, document, kept in zip(*(batch[n].to_pylist() for n in _NAMED_BY), strict=True):
                    if (document or kept) and (document in ids or kept in ids or request.matches(url)):
                        found |= {document or kept}
    return found - _published(corpus, found)


def _published(corpus: Corpus, documents: set[str]) -> set[str]:
    newest = corpus.find_newest()
    if not newest:
        return set()
    name = corpus.manifest(newest).columns.names[0]
    files = [path for paths in corpus.data_files(newest).values() for path in paths]
    ids = (pq.read_table(path, columns=[name])[name].to_pylist() for path in files)
    return {one for some in ids for one in some} & documents


def _merged_into(corpus: Corpus, documents: set[str]) -> set[str]:
    """Find the documents that were published, and later merged into one of these."""
    under = pc.field("kept_id").isin(_strings(documents)) & (pc.field("outcome") != "kept")
    found: set[str] = set()
    for path in LedgerHistory(corpus, corpus.versions()).paths():
        table = pq.read_table(path, columns=["document_id"], filters=under, partitioning=None)
        found |= set(table["document_id"].drop_null().to_pylist())
    return found


def _names(documents: set[str]) -> pc.Expression:
    wanted = _strings(documents)
    return pc.field("document_id").isin(wanted) | pc.field("kept_id").isin(wanted)


def _represented_by(row: Mapping[str, Any]) -> str | None:
    document: str | None = row["document_id"] if row["outcome"] == "kept" else row["kept_id"]
    return document


def _strings(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())
