"""Which documents and records a purge means: those that are named, and all that was merged into them."""

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
    from builder.removal.targets import Asked

_NAMED_BY = ("url", "document_id", "kept_id")
_COLUMNS = ["record_id", "outcome", "document_id", "kept_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Ids of documents, as rows have them, and of the records that stood under them."""

    documents: frozenset[str]
    records: frozenset[str]


def find_scope(corpus: Corpus, *, document_ids: Collection[str], record_ids: Collection[str]) -> Scope:
    """Add to the documents those that were merged into them, and find the records that stood under them.

    A record that stands for another document by now is none of these: it is named by a place in a file, and
    another page may have come to that place.
    """
    documents = set(document_ids)
    while found := _merged_into(corpus, documents) - documents:
        documents |= found
    last = LedgerHistory(corpus, corpus.versions()).latest(_names(documents), columns=_COLUMNS)
    gone = {row["record_id"] for row in last if _stands_for(row) in (None, *documents)}
    return Scope(documents=frozenset(documents), records=frozenset(gone | set(record_ids)))


def find_named(corpus: Corpus, asked: Asked) -> set[str]:
    """Find the documents of any version that a takedown means and that the newest one does not have.

    A document may have been taken down before, or been lost when everything was built anew.
    """
    ids = frozenset(asked.ids)
    found = set()
    for path in LedgerHistory(corpus, corpus.versions()).paths():
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(_NAMED_BY)):
                for url, document, kept in zip(*(batch[n].to_pylist() for n in _NAMED_BY), strict=True):
                    if (document or kept) and (document in ids or kept in ids or asked.means(url)):
                        found |= {document or kept}
    return found - _published(corpus, found)


def _published(corpus: Corpus, documents: set[str]) -> set[str]:
    newest = corpus.find_newest()
    files = [path for paths in corpus.data_files(newest).values() for path in paths] if newest else []
    return {
        one for path in files for one in pq.read_table(path, columns=["id"])["id"].to_pylist()
    } & documents


def _merged_into(corpus: Corpus, documents: set[str]) -> set[str]:
    """Find documents that were published once, and then stood under one of these."""
    under = pc.field("kept_id").isin(_strings(documents)) & (pc.field("outcome") != "kept")
    found: set[str] = set()
    for path in LedgerHistory(corpus, corpus.versions()).paths():
        table = pq.read_table(path, columns=["document_id"], filters=under, partitioning=None)
        found |= set(table["document_id"].drop_null().to_pylist())
    return found


def _names(documents: set[str]) -> pc.Expression:
    wanted = _strings(documents)
    return pc.field("document_id").isin(wanted) | pc.field("kept_id").isin(wanted)


def _stands_for(row: Mapping[str, Any]) -> str | None:
    stands: str | None = row["document_id"] if row["outcome"] == "kept" else row["kept_id"]
    return stands


def _strings(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())
