"""Delete records from the audit of a version: ledger, rejected records, clusters."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.corpus.purged import add_nested_counts
from builder.domain.hosts.domain_counts import DOMAINS, site_of
from builder.domain.ledger import OPT_OUT
from builder.domain.outcome import MEASURED, REMOVED_SPANS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.corpus import Corpus
    from builder.removal.purge_scope import Scope

_CONTENT = {
    "rejected.parquet": "record",
    "texts.parquet": "text",
    REMOVED_SPANS: "text",
    "site_records.parquet": "body",
}
"""The column with the content of dropped records, by table."""

_BATCH_ROWS = 1_000
_URL_ROWS = 65_536

_NAMES = ("document_id", "kept_id", "merged_into")
_REPRESENTED_BY = ("document_id", "kept_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanAudit:
    """The audit of a version after a purge.

    Attributes:
        files: the files that changed, by path below the corpus.
        counts: number of deleted ledger rows by outcome, and under ``reasons`` by outcome, stage and reason.
        records_gone: int64[n], the numbers of the deleted ledger rows.
        clusters: number of clusters that are left, by the number of records in a cluster.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    records_gone: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    clusters: Mapping[int, int] = field(default_factory=dict)


_TABLES = ("ledger", "rejected", "clusters", "texts", "removed", "signals", "opt_out", "site_records")
"""The tables of an audit; the ledger is first, because the spans of a document are found by its record."""


def clean_audit(corpus: Corpus, version: str, scope: Scope, folder: Path) -> CleanAudit:
    """Write the audit tables of a version again if they name or repeat a document of the purge."""
    scope = replace(scope, records=scope.records | _repeating(corpus, version, scope))
    files: dict[str, Path] = {}
    gone: dict[str, NDArray[np.int64]] = {}
    counts: dict[str, Any] = {}
    for name in _TABLES:
        path = corpus.audit_file(version, f"{name}.parquet")
        if not path.exists():
            continue
        gone[name] = _find(path, scope)
        if not len(gone[name]):
            continue
        fresh = files[path.relative_to(corpus.path).as_posix()] = folder / f"{version}.{name}.parquet"
        removed = _write_without(path, fresh, gone[name])
        if name == "ledger":
            counts = removed
            scope = replace(scope, spans_of=_records_at(path, gone[name]))
            files |= _clean_domains(corpus, version, path, gone=gone[name], folder=folder)
    return CleanAudit(
        files=files,
        counts=counts,
        records_gone=gone.get("ledger", np.empty(0, np.int64)),
        clusters=_clusters(corpus, version, files),
    )


def _find(path: Path, scope: Scope) -> NDArray[np.int64]:
    """Return int64[n]: the numbers of the rows to delete."""
    numbers = [np.empty(0, np.int64)]
    first = 0
    if path.name in (REMOVED_SPANS, MEASURED, f"{OPT_OUT}.parquet"):
        scope = replace(scope, records=scope.records | scope.spans_of)
    with pq.ParquetFile(path) as file:
        names = [name for name in ("record_id", *_NAMES) if name in file.schema_arrow.names]
        for batch in file.iter_batches(columns=names):
            numbers.append(first + np.flatnonzero(_named(pa.Table.from_batches([batch]), scope)))
            first += batch.num_rows
    return np.concatenate(numbers)


def _clean_domains(
    corpus: Corpus, version: str, ledger: Path, *, gone: NDArray[np.int64], folder: Path
) -> dict[str, Path]:
    """Write the counts by domain without the domains of which the ledger has no record any more."""
    path = corpus.audit_file(version, f"{DOMAINS}.parquet")
    if not path.exists():
        return {}
    urls = pq.read_table(ledger, columns=["url"], partitioning=None)["url"]
    lost = {site_of(url) for url in urls.take(pa.array(gone)).to_pylist()} - {None}
    rest = np.setdiff1d(np.arange(len(urls)), gone)
    for first in range(0, len(rest), _URL_ROWS):
        lost -= {site_of(url) for url in urls.take(pa.array(rest[first : first + _URL_ROWS])).to_pylist()}
        if not lost:
            return {}
    fresh = folder / f"{version}.{DOMAINS}.parquet"
    is_lost = pc.is_in(
        pq.read_table(path, partitioning=None)["domain"], value_set=pa.array(list(lost), pa.string())
    )
    _write_without(path, fresh, np.flatnonzero(is_lost.to_numpy()))
    return {path.relative_to(corpus.path).as_posix(): fresh}


def _records_at(path: Path, rows: NDArray[np.int64]) -> frozenset[str]:
    """Return the record ids in some rows of a table."""
    ids = pq.read_table(path, columns=["record_id"], partitioning=None)["record_id"]
    return frozenset(ids.take(pa.array(rows)).to_pylist())


def _repeating(corpus: Corpus, version: str, scope: Scope) -> set[str]:
    """Return the dropped records whose text or raw record has a line of a document of the purge."""
    found: set[str] = set()
    for name, column in _CONTENT.items():
        path = corpus.audit_file(version, name)
        if not scope.lines or not path.exists():
            continue
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["record_id", column], batch_size=_BATCH_ROWS):
                pairs = zip(batch["record_id"].to_pylist(), batch[column].to_pylist(), strict=True)
                found |= {record for record, content in pairs if scope.repeats(_text_of(content))}
    return found


def _text_of(content: str | bytes | None) -> str | None:
    """Return a text, or the strings of a raw record: JSON has escapes where a text has none."""
    if not isinstance(content, bytes):
        return content
    try:
        return "\n".join(_strings(json.loads(content)))
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _write_without(path: Path, fresh: Path, gone: NDArray[np.int64]) -> dict[str, Any]:
    """Copy a table without some rows, one row group at a time; return the counts of the deleted rows."""
    counts: dict[str, Any] = {}
    first = 0
    with pq.ParquetFile(path) as file, pq.ParquetWriter(fresh, file.schema_arrow, compression="zstd") as out:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            deleted = np.zeros(table.num_rows, np.bool_)
            deleted[gone[(gone >= first) & (gone < first + table.num_rows)] - first] = True
            first += table.num_rows
            counts = add_nested_counts(counts, _count(table.filter(pa.array(deleted))))
            out.write_table(table.filter(pa.array(~deleted)))
    return counts


def _named(table: pa.Table, scope: Scope) -> NDArray[np.bool_]:
    """Return bool[n_rows]: the rows that name a document, or are of a record that no document represents."""
    wanted = pa.array(sorted(scope.documents), pa.string())
    records = pa.array(sorted(scope.records), pa.string())
    named = np.zeros(table.num_rows, np.bool_)
    unrepresented: NDArray[np.bool_] = pc.is_in(table["record_id"], value_set=records).to_numpy().copy()
    for name in _NAMES:
        if name in table.column_names:
            named |= pc.is_in(table[name], value_set=wanted).to_numpy()
    for name in _REPRESENTED_BY:
        if name in table.column_names:
            unrepresented &= table[name].is_null().to_numpy()
    return named | unrepresented


def _count(table: pa.Table) -> dict[str, Any]:
    if "outcome" not in table.column_names:
        return {}
    counts: dict[str, Any] = dict(Counter(table["outcome"].to_pylist()))
    rows = zip(*(table[name].to_pylist() for name in ("outcome", "stage", "reason")), strict=True)
    for outcome, stage, reason in rows:
        if reason is not None:
            counts = add_nested_counts(counts, {"reasons": {outcome: {stage: {reason: 1}}}})
    return counts


def _clusters(corpus: Corpus, version: str, files: Mapping[str, Path]) -> Mapping[int, int]:
    path = corpus.audit_file(version, "clusters.parquet")
    if not path.exists():
        return {}
    path = files.get(path.relative_to(corpus.path).as_posix(), path)
    kept = pq.read_table(path, columns=["kept_id"])["kept_id"].drop_null()
    return Counter(count["counts"].as_py() + 1 for count in kept.value_counts())
