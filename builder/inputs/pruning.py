"""``--prune``: remove the rows of inputs that are no longer there.

A document may stand for records of other inputs, which were merged into it. Those inputs are read again, and
of them only these records are new: they stand for themselves from now on, or for one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.document_ids import DocumentIds, parse_id
from builder.history.index import open_arrow
from builder.history.ledgers import LedgerHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.history.lineage import Lineage
    from builder.inputs.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What goes with inputs that are gone.

    Attributes:
        documents: ids of the published documents whose own record was in them.
        freed: ids of the records of other inputs that had been merged into these.
        reread: source and path of the inputs that hold them.
        keys: what these records are known by, 16 bytes each.
    """

    documents: frozenset[bytes]
    freed: frozenset[str]
    reread: frozenset[tuple[str, str]]
    keys: frozenset[bytes]


def find_pruned(lineage: Lineage, gone: Sequence[Input]) -> Pruned:
    """Find the documents of some inputs, and the records of others that they stand for."""
    names = {(one.source, one.path) for one in gone}
    history = LedgerHistory.of(lineage)
    records = history.latest(
        pc.field("path").isin(pa.array(sorted({path for _, path in names}), pa.string())),
        is_meant=lambda row: (row["source"], row["path"]) in names,
        columns=["record_id", "source", "path", "outcome", "document_id"],
    )
    documents = {
        parse_id(row["document_id"]) for row in records if row["outcome"] == "kept" and row["document_id"]
    }
    documents &= set(lineage.locate(DocumentIds.from_bytes(documents)))
    freed = [
        row
        for row in history.under(one.hex() for one in documents)
        if (row["source"], row["path"]) not in names
    ]
    record_ids = frozenset(row["record_id"] for row in freed)
    return Pruned(
        documents=frozenset(documents),
        freed=record_ids,
        reread=frozenset((row["source"], row["path"]) for row in freed),
        keys=frozenset(_keys(lineage, record_ids)),
    )


def _keys(lineage: Lineage, record_ids: frozenset[str]) -> list[bytes]:
    """Look up what records are known by: the index has a row for each record that a build read, in order."""
    wanted = pa.array(sorted(record_ids), pa.string())
    keys: list[bytes] = []
    for folder, segment in zip(lineage.folders, lineage.segments, strict=True):
        path = lineage.corpus.ledger(segment.version)
        if not path.exists() or not len(wanted):
            continue
        records = open_arrow(folder / "records.arrow")["key"]
        ids = pq.read_table(path, columns=["record_id"])["record_id"].slice(0, len(records))
        at = np.flatnonzero(pc.is_in(ids, value_set=wanted).to_numpy())
        keys += records.take(pa.array(at)).to_pylist()
    return keys
