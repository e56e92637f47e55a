"""Find the records whose texts the audit must not keep, because the use of the page is reserved.

A stage that joins notes decides about the records that reach its barrier. Other stages drop records before
it, and the audit keeps texts of these, so their sketches are judged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.history.index import open_arrow, write_arrow
from builder.pipeline.judgements import private_rows_of
from builder.pipeline.left import left_name
from builder.pipeline.run import notes_of
from builder.pipeline.stage_errors import blame_stage
from builder.stages.binding.placed import inner_stage, joins_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.pipeline.context import BuildContext
    from builder.pipeline.judgements import NotedFiles
    from builder.pipeline.parts import Part
    from builder.pipeline.run import ChainResult
    from builder.protocols import CorpusStage, Guard

_RECORDS = "private-records.arrow"


@dataclass(frozen=True)
class TableSketches:
    """Sketches in a table; see ``protocols.Sketches``."""

    table: pa.Table

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column."""
        return self.table[name]

    def release(self) -> None:
        """Do nothing: the table is in memory."""


@dataclass(frozen=True, kw_only=True)
class LeftJudgement:
    """Judges in a worker the records that left a build before a stage had seen them."""

    parts: Sequence[Part]
    noted: NotedFiles
    folder: str

    def __call__(self, stage: CorpusStage, guard: Guard) -> str:  # noqa: ARG002 - engines pass one
        """Write the ids of the private records, and return the path of the file."""
        left = pa.concat_tables(part.table(left_name(stage.name)) for part in self.parts)
        joined = inner_stage(stage).with_noted(self.noted)
        with blame_stage(stage):
            private = joined.find_private(TableSketches(left))
        path = Path(self.folder) / f"{stage.name}.{_RECORDS}"
        found = left.select(["record_id"]).filter(pa.array(private))
        write_arrow(path, found.schema, [found])
        return str(path)


def find_private(context: BuildContext, chain_result: ChainResult) -> pa.StringArray:
    """Return the ids of the records that a stage of the recipe finds to be reserved."""
    found = [pa.array([], pa.string()), *_reached(context, chain_result), *_left(context, chain_result)]
    return pc.unique(pa.concat_arrays(found))


def _reached(context: BuildContext, chain_result: ChainResult) -> Iterator[pa.StringArray]:
    """Yield the ids of the private records that came to the barrier of their stage."""
    for number, pass_ in enumerate(context.chain.passes, start=1):
        for stage in filter(joins_notes, pass_.barrier):
            rows = private_rows_of(context.folder / str(number), stage.name)
            if len(rows):
                records = chain_result.first.column(RECORD).take(pa.array(np.asarray(rows)))
                yield pc.struct_field(records, "id").combine_chunks()


def _left(context: BuildContext, chain_result: ChainResult) -> Iterator[pa.StringArray]:
    """Yield the ids of the private records that left before."""
    for stage in context.chain.passes[0].awaits:
        name = left_name(stage.name)
        parts = [one for one in (*chain_result.first.parts, *chain_result.later_parts) if name in one.files]
        if parts:
            noted = notes_of(context, chain_result.first)
            judgement = LeftJudgement(parts=parts, noted=noted, folder=str(context.folder))
            for path in context.engine.map(judgement, [stage]):
                yield open_arrow(Path(path))["record_id"].combine_chunks()
