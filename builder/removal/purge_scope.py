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

_NAMED_BY = ("record_id", "url", "document_id", "kept_id")

MAX_SEARCHED_CHARS = 200
MIN_LINE_CHARS = 40
"""Characters of a line at least, to find a text by it: short lines are in many pages."""

MAX_LINES_OF_TEXT = 20

MAX_SEARCHED_LINES = 1_000
"""Lines of all texts that are searched for, at most."""
_COLUMNS = ["record_id", "outcome", "document_id", "kept_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a purge deletes.

    Attributes:
        documents: ids of the documents.
        records: ids of the records that these documents represented, and of other records to delete.
        lines: long lines of the texts of the documents. Dropped records that have such a line repeat a
            document.
        spans_of: ids of the records whose removed spans go with the rows of one ledger.
    """

    documents: frozenset[str]
    records: frozenset[str]
    lines: frozenset[str] = frozenset()
    spans_of: frozenset[str] = frozenset()

    def repeats(self, text: str | None) -> bool:
        """Return whether a text has a line of one of the documents."""
        return text is not None and any(line in text for line in self.lines)


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


def long_lines(text: str) -> list[str]:
    r"""Return the first lines of a text that are long enough to find the text by.

    >>> long_lines("Tides\n\n  The tide turns twice a day, and twice it waits. \n")
    ['The tide turns twice a day, and twice it waits.']
    """
    lines = (line.strip()[:MAX_SEARCHED_CHARS] for line in text.splitlines())
    return [line for line in lines if len(line) >= MIN_LINE_CHARS][:MAX_LINES_OF_TEXT]


def find_named(corpus: Corpus, request: TakedownRequest) -> tuple[set[str], set[str]]:
    """Find what a takedown requests in any version.

    Returns:
        The documents that the newest version does not have: they were taken down before, or removed by a full
        rebuild. And the records with a requested URL that no document represents.
    """
    ids = frozenset(request.ids)
    found: set[str] = set()
    records: set[str] = set()
    for path in LedgerHistory(corpus, corpus.versions()).paths():
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(_NAMED_BY)):
                columns = (batch[name].to_pylist() for name in _NAMED_BY)
                for record, url, document, kept in zip(*columns, strict=True):
                    if document in ids or kept in ids or request.matches(url):
                        if document or kept:
                            found.add(document or kept)
                        else:
                            records.add(record)
    return found - _published(corpus, found), records


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
