"""``publishable``: check that rows meet the outgoing contract before they are published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.contract import judge
from builder.domain.contract.arrow_values import Unreadable, records_of
from builder.domain.contract.contract import EXTRA
from builder.domain.contract.incoming import as_it_came, without_nulls
from builder.domain.contract.mapping import shape_of
from builder.domain.record import RECORD
from builder.domain.rejection import ContractFault, Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.domain.contract.contract import Contract
    from builder.protocols import Guard, Resources

_EMPTY: tuple[ContractFault, ...] = (
    ContractFault(pointer="/text", keyword="empty_text", message="the document has no text to publish"),
)


def outgoing(contract: Contract) -> Contract:
    """Return the contract of the published rows: document-1 for page-1, else the contract itself."""
    return contract.outgoing or contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishable:
    """Check rows against the outgoing contract, and drop the columns that are not published.

    It is the last stage of every chain. Pages are published as document-1; its columns already have the right
    types, so the stage checks only the text. With a contract of your own, the stage checks the whole record
    again, because any stage can change any column. It skips this check if the chain has only deduplication
    stages, which drop or mark rows but do not change them. A column that a stage has added is published after
    the columns of the contract.
    """

    unchanged: bool = False
    """Whether all rows are still as ``validate`` accepted them."""

    name: ClassVar[str] = "publishable"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        **judge.REASONS,
        "empty_text": "The text is null, empty or only white space.",
    }

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Return the published columns and the internal columns of the build.

        Raises:
            RecipeError: if a column of the outgoing contract is missing or has another type.
        """
        faults = _drop_faults(schema, resources)
        for wanted in outgoing(resources.contract).columns:
            if wanted.name == "id" or wanted.name in resources.drop:
                continue
            at = schema.get_field_index(wanted.name)
            if at < 0 or schema.field(at).type != wanted.type:
                found = "is missing" if at < 0 else f"has the type {schema.field(at).type}, not {wanted.type}"
                what = f"the published column {wanted.name!r} {found}"
                advice = "remove or fix the stage that drops the column or changes its type"
                faults.append(Fault(where="", what=what, advice=advice))
        if faults:
            raise RecipeError(*faults)
        return pa.schema([schema.field(name) for name in _published(schema, resources)])

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Split a batch into rows that are published and rows that are refused."""
        contract = resources.contract
        if contract.outgoing is not None:
            refused = dict.fromkeys(_rows_without_text(batch.column("text")), _EMPTY)
        elif self.unchanged:
            refused = {}
        else:
            refused = _judge_rows(batch, contract)
        rejected = rejection_batch(
            _rejection(batch, row, faults, resources) for row, faults in sorted(refused.items())
        )
        kept = batch.select(_published(batch.schema, resources))
        if refused:
            good = np.ones(batch.num_rows, np.bool_)
            good[list(refused)] = False
            kept = kept.filter(pa.array(good))
        return Outcome(kept=kept, rejected=rejected)


def _published(schema: pa.Schema, resources: Resources) -> list[str]:
    """List the internal columns and the published columns.

    Published are the columns of the outgoing contract, those of the contract that the recipe names, and those
    that the contract does not have; without the dropped ones.
    """
    contract, publish = resources.contract, resources.publish
    build = [name for name in schema.names if name.startswith("_")]
    wanted = [name for name in outgoing(contract).columns.names if name != "id"]
    named = contract.columns.names if publish == "all" else publish
    wanted += [name for name in contract.columns.names if name in named and name not in wanted]
    known = {*build, *wanted, *contract.columns.names}
    wanted += [name for name in schema.names if name not in known]
    dropped = {*resources.drop, *([EXTRA] if publish == "all" else [])}
    return [*build, *(name for name in wanted if name not in dropped)]


def _drop_faults(schema: pa.Schema, resources: Resources) -> list[Fault]:
    """Find the names in ``drop`` that are needed or unknown."""
    faults = []
    for name in resources.drop:
        if name in ("id", resources.columns.text):
            what, advice = f"{name!r} is needed by every version", "remove it from `drop`"
            faults.append(Fault(where="drop", what=what, advice=advice))
        elif name not in schema.names and resources.publish != "all":
            known = [one for one in schema.names if not one.startswith("_")]
            faults.append(Fault(where="drop", what=f"no column {name!r}", advice=nearest(name, known)))
    return faults


def _rows_without_text(text: pa.StringArray) -> list[int]:
    """List the rows whose text is null, empty or only Unicode white space."""
    first = pc.utf8_slice_codeunits(text, 0, 1)
    doubtful = pc.or_kleene(pc.equal(first, ""), pc.utf8_is_space(first)).fill_null(True)
    rows = np.flatnonzero(doubtful.to_numpy(zero_copy_only=False))
    return [int(row) for row in rows if not (text[row].as_py() or "").strip()]


def _judge_rows(batch: pa.RecordBatch, contract: Contract) -> dict[int, tuple[ContractFault, ...]]:
    """Check rows against the contract again.

    The schema of the contract replaces the schema of the batch, because a stage can lose the field metadata
    that marks a string column as JSON text.
    """
    columns = [batch.column(name) for name in contract.columns.names]
    batch = pa.RecordBatch.from_arrays(columns, schema=contract.columns)
    verdict = judge.judge_of(contract)
    refused = {}
    for row, record in enumerate(records_of(batch, shape_of(contract))):
        if not isinstance(record, Unreadable) and verdict.accepts(record):
            continue
        bare = without_nulls(batch, row)
        if bare is None or verdict.accepts(bare):
            continue
        if faults := _faults_of_stages(verdict.explain(record), batch.schema):
            refused[row] = faults
    return refused


def _faults_of_stages(faults: tuple[ContractFault, ...], columns: pa.Schema) -> tuple[ContractFault, ...]:
    """Remove faults of instants and dates: stages do not change them, and UTC can change how they look."""
    same = tuple(f"/{f.name}" for f in columns if pa.types.is_temporal(f.type))
    return tuple(fault for fault in faults if fault.pointer not in same)


def _rejection(
    batch: pa.RecordBatch, row: int, faults: tuple[ContractFault, ...], resources: Resources
) -> Rejection:
    url_column, first = resources.columns.url, faults[0]
    return Rejection(
        record=batch.column(RECORD)[row].as_py(),
        stage=Publishable.name,
        reason=first.keyword,
        url=batch.column(url_column)[row].as_py() if url_column else None,
        pointer=first.pointer,
        value=first.value,
        limit=first.limit,
        message=first.message,
        faults=faults,
        raw=as_it_came(batch, row),
    )
