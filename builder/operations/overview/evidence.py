"""Read the other files of an audit: contract faults, signals of opt-outs, domains, and the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from builder.corpus.opening import SMALL_JSON_BYTES, read_file
from builder.domain.fault_groups import FaultTally
from builder.domain.json.strict import read_json
from builder.domain.ledger import OPT_OUT
from builder.domain.record import RECORD
from builder.operations.overview.facts import OptOutSignal
from builder.operations.overview.published import top_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.fault_groups import FaultGroup
    from builder.operations.overview.facts import ValueTally
    from builder.operations.overview.ledger_rows import Audit

MAX_FAULTY = 100_000
"""Records whose faults are counted one by one; of more, the first ones of the build."""
_SIGNAL = ("signal", "place", "answer", "counts")


def contract_faults(audit: Audit) -> tuple[Sequence[FaultGroup], int | None]:
    """Group the faults of rejected records; the number of counted records if there are more."""
    tally = FaultTally()
    n = 0
    for batch in audit.batches("rejected.parquet", ["record_id", "stage", "faults"], rows=1 << 14):
        if n + batch.num_rows > MAX_FAULTY:
            return tally.groups(), n
        n += batch.num_rows
        record = pa.StructArray.from_arrays([batch["record_id"]], ["id"])
        tally.add_rejections(batch.append_column(RECORD, record))
    return tally.groups(), None


def opt_out_signals(audit: Audit) -> tuple[OptOutSignal, ...]:
    """Count the signals that were found for pages, most pages first."""
    tables = [pa.Table.from_batches([one]) for one in audit.batches(f"{OPT_OUT}.parquet", _SIGNAL)]
    if not tables:
        return ()
    rows = pa.concat_tables(tables).group_by(list(_SIGNAL)).aggregate([([], "count_all")]).to_pylist()
    found = [OptOutSignal(pages=row.pop("count_all"), **row) for row in rows]
    return tuple(sorted(found, key=lambda one: (-one.pages, one.signal, one.place, one.answer)))


def domains_read(audit: Audit) -> ValueTally | None:
    """Count the pages that met the contract by registrable domain; None in an older version."""
    tables = [pa.Table.from_batches([one]) for one in audit.batches("domains.parquet", ["domain", "pages"])]
    if not tables:
        return None
    whole = pa.concat_tables(tables).group_by(["domain"]).aggregate([("pages", "sum")])
    without = pc.sum(whole["pages_sum"].filter(pc.is_null(whole["domain"]))).as_py() or 0
    named = whole.filter(pc.is_valid(whole["domain"]))
    counts = dict(zip(named["domain"].to_pylist(), named["pages_sum"].to_pylist(), strict=True))
    return top_values("domain", counts, without=without)


def run_facts(audit: Audit) -> Mapping[str, Any]:
    """Return what the build of the newest version wrote down of its run; empty if it is not there."""
    folder = audit.corpus.audit_folder(audit.versions[-1])
    if not (folder / "run.json").exists():
        return {}
    found: Mapping[str, Any] = read_json(read_file(folder, "run.json", limit=SMALL_JSON_BYTES))
    return found
