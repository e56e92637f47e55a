"""Run one task or one part through a pass in a worker, and write finished parts to the spool.

The engine may call a pass again after a crash. A pass finds its finished parts on disk and does not repeat
them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.hosts.domain_counts import DomainTally
from builder.domain.merging import cluster_field
from builder.domain.record import RECORD
from builder.domain.rejection import REJECTION_SCHEMA
from builder.domain.row_numbers import BarrierOrPast, BarrierRows, PartRows, trace_to_first
from builder.errors import AccountError
from builder.inputs.partitions import partition_values, with_partitions
from builder.io.parquet_sink.rows import row_sizes
from builder.pipeline.account import account_batch
from builder.pipeline.candidate_ids import identify
from builder.pipeline.charged import apply_charged, is_final, read_charged
from builder.pipeline.dropped import NO_TEXTS, DroppedTexts
from builder.pipeline.encoded_columns import with_decoded_bytes, with_time_zone
from builder.pipeline.judgements import refuse, with_marks
from builder.pipeline.known_records import drop_known, keyed_ordinals, record_keys
from builder.pipeline.left import LeftRecords
from builder.pipeline.parts import FinishedTask, Part, TaskParts
from builder.pipeline.preload import load_compiler
from builder.pipeline.spool import AT, ROW, SIZE, sketch_name
from builder.pipeline.stage_errors import apply_stage, blame_stage
from builder.pipeline.tombstones import tombstone_rejections
from builder.protocols import Reading
from builder.stages.binding.placed import joins_notes, stage_kind
from builder.stages.validate import Validate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from builder.pipeline.chain import Pass
    from builder.protocols import CorpusStage, Guard, Resources, Source, Stage, Task

LATE_SCHEMA = REJECTION_SCHEMA.append(pa.field(ROW, pa.int64()))
"""A rejection of a later pass, with the number of its row in the first spool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPass:
    """The first pass: reads a task, applies the stages, and accounts for every record.

    Attributes:
        known: the path of the keys of records that earlier builds have accounted for.
        partitions: whether folders named ``key=value`` are columns, for sources with the option ``hive``.
    """

    sources: Mapping[str, Source]
    pass_: Pass
    resources: Resources
    folder: str
    batch_rows: int
    limit: int | None = None
    known: str | None = None
    partitions: bool = True
    audit_texts: str = NO_TEXTS

    def __call__(self, numbered: tuple[int, Task], guard: Guard) -> FinishedTask:
        """Process one task; return its parts, and the number of records that its reader counted."""
        load_compiler()  # workers have it already
        number, task = numbered
        task_parts = TaskParts(Path(self.folder) / f"{number:06d}")
        n_done = sum(part.n_records for part in task_parts.parts)
        guard.tick(n_done, 0)
        if (finished := task_parts.finished()) is not None:
            return finished
        n_read = 0
        source = self.sources[task.source]
        hive = self.partitions and getattr(source, "hive", False)
        partitions = partition_values(task.path, task.name) if hive else {}
        for reading in read_charged(source, task, guard=guard, batch_rows=self.batch_rows):
            n_read += _between(reading, 0, self.limit).n_records
            fresh = _between(reading, n_done, self.limit)
            if fresh.n_records:
                fresh = with_decoded_bytes(fresh, source, self.resources)
                fresh = with_time_zone(fresh, source, self.resources.contract.columns)
                fresh = with_partitions(fresh, partitions, self.resources.contract.columns)
                self._process(fresh, source, task_parts, guard)
                guard.tick(fresh.n_records, fresh.batch.nbytes)
            if self.limit is not None and n_read >= self.limit:
                break
        return task_parts.finish(n_read)

    def _process(self, reading: Reading, source: Source, task_parts: TaskParts, guard: Guard) -> None:
        counts = Counter(reading.counts)
        whole, keys = reading, record_keys(reading)
        reading, known = drop_known(whole, keys, self.known)
        dropped = DroppedTexts(self.audit_texts)
        tally = DomainTally(source.label)
        left = LeftRecords(self.pass_.awaits, self.resources)
        left.add_raw(reading.rejected)
        apply = partial(
            apply_stages,
            stages=self.pass_.stages,
            resources=self.resources,
            guard=guard,
            counts=counts,
            dropped=dropped,
            left=left,
            tally=tally,
        )
        batch, rejected = apply_charged(reading.batch, apply, kind=source.kind, guard=guard)
        rejected = [reading.rejected, *rejected]
        account = account_batch(
            batch,
            rejected,
            url_column=self.resources.columns.url,
            known=known,
            keys=keyed_ordinals(whole, keys),
        )
        if account.num_rows != reading.n_records:
            where = f"part {len(task_parts.parts)} of {task_parts.folder.name}"
            raise AccountError(f"{where}: {reading.n_records} read, {account.num_rows} accounted for")
        batch = _prepare(identify(batch, resources=self.resources), self.pass_, self.resources)
        tables = {"rows": batch, "rejected": concat(rejected), "account": account}
        tables |= {**dropped.files(), **left.files(), **tally.files()}
        tables |= {name: table for name, table in reading.noted.items() if table.num_rows}
        task_parts.add(
            tables,
            n_records=reading.n_records,
            counts=counts,
            refused=[unit for unit in guard.take_refused() if is_final(unit)],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartGroup:
    """Parts that one task of a later pass processes; ``first_rows`` are the numbers of their first rows."""

    number: int
    parts: Sequence[Part]
    first_rows: Sequence[int]

    @property
    def rows(self) -> list[str]:
        """For each part, a text that differs if it has other rows, or if they have other numbers."""
        pairs = zip(self.parts, self.first_rows, strict=True)
        return [f"{part.files['rows'].digest}@{first_row}" for part, first_row in pairs]


PART_GROUP_BYTES = 32_000_000
"""Bytes of rows in a group of parts. The parts of a group share a file."""


def group_parts(parts: Sequence[Part], first_rows: Sequence[int], *, alone: bool) -> list[PartGroup]:
    """Group parts by their size, which depends on nothing but the parts.

    Args:
        alone: whether each part is a group, because the numbers of its units are its own.
    """
    groups: list[PartGroup] = []
    start, n_bytes = 0, 0
    for n, part in enumerate(parts, start=1):
        n_bytes += part.files["rows"].size
        if alone or n_bytes >= PART_GROUP_BYTES or n == len(parts):
            some = slice(start, n)
            groups.append(PartGroup(number=len(groups), parts=parts[some], first_rows=first_rows[some]))
            start, n_bytes = n, 0
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterPass:
    """A later pass: applies the verdicts of the barrier to some parts, and then the stages of the pass.

    Attributes:
        verdicts: for each corpus stage of the barrier, the file of its keepers: int64[n_rows] over the whole
            spool, read by memory map.
        tombstoned: the file of bool[n_rows], the rows that a tombstone matches.
        numbers: the file of the numbers of the barrier's rows in the first spool; None at the first barrier,
            whose rows have these numbers.
        refers: whether the new part has row numbers in place of public columns. The public columns stay in
            the old part, because no later stage changes them.
    """

    barrier: tuple[CorpusStage, ...]
    verdicts: tuple[str, ...]
    tombstoned: str
    numbers: str | None
    pass_: Pass
    resources: Resources
    folder: str
    refers: bool
    audit_texts: str = NO_TEXTS

    def __call__(self, group: PartGroup, guard: Guard) -> list[Part]:
        """Process some parts, and return the new ones."""
        task_parts = TaskParts(Path(self.folder) / f"{group.number:06d}")
        task_parts.keep_made_from(group.rows)
        for n in range(len(task_parts.parts), len(group.parts)):
            self._process(group, n, task_parts, guard)
        bases = [part.files["rows"] if self.refers else None for part in group.parts]
        return [replace(part, base=base) for part, base in zip(task_parts.parts, bases, strict=True)]

    def _process(self, group: PartGroup, n: int, task_parts: TaskParts, guard: Guard) -> None:
        part, first_row = group.parts[n], group.first_rows[n]
        counts: Counter[str] = Counter()
        here = drop_sketches(part.open_rows(), self.barrier)
        if ROW not in here.schema.names:
            numbers = np.arange(first_row, first_row + part.n_rows, dtype=np.int64)
            here = here.append_column(ROW, pa.array(numbers))
        is_barred = np.load(self.tombstoned, mmap_mode="r")[first_row : first_row + part.n_rows]
        tombstoned = tombstone_rejections(here.filter(pa.array(is_barred))) if is_barred.any() else None
        refused = self._refused(here, first_row)
        is_gone = is_barred | _among(here, refused)
        settled = self._settle(here, PartRows(np.flatnonzero(~is_gone)), first_row, counts)
        dropped = DroppedTexts(self.audit_texts)
        left = LeftRecords(self.pass_.awaits, self.resources)
        left.add_rows(_lost(here, settled))
        batch, rejected = apply_stages(
            settled,
            self.pass_.stages,
            resources=self.resources,
            guard=guard,
            counts=counts,
            dropped=dropped,
            left=left,
        )
        batch = _prepare(batch, self.pass_, self.resources)
        batch = _hidden(batch) if self.refers else batch.drop_columns([AT])
        late = [*([tombstoned] if tombstoned else []), *refused, *rejected]
        tables = {"rows": batch, "rejected": _with_rows(concat(late), here), **dropped.files()}
        tables |= left.files()
        task_parts.add(
            tables,
            n_records=part.n_rows,
            counts=counts,
            refused=guard.take_refused(),
            made_from=group.rows[n],
        )

    def _refused(self, here: pa.RecordBatch, first_row: int) -> list[pa.RecordBatch]:
        """Return the rejections of the corpus stages that reject rows."""
        url, folder = self.resources.columns.url, Path(self.folder)
        stages = [stage.name for stage in self.barrier if joins_notes(stage)]
        return [refuse(here, folder, stage, first_row=first_row, url=url) for stage in stages]

    def _settle(
        self, here: pa.RecordBatch, rows: PartRows, first_row: int, counts: Counter[str]
    ) -> pa.RecordBatch:
        """Settle each corpus stage in turn; return the remaining rows, with their places in ``_at``.

        Stages see no public columns, so public columns are copied at most once.
        """
        lean = _hidden(here).append_column(AT, pa.array(np.arange(here.num_rows, dtype=np.int64)))
        lean = lean.take(pa.array(rows)) if len(rows) < here.num_rows else lean
        for stage, file in zip(self.barrier, self.verdicts, strict=True):
            numbers = BarrierRows(first_row + lean.column(AT).to_numpy())
            keeper = np.asarray(np.load(file, mmap_mode="r")[numbers])
            with blame_stage(stage):
                outcome = stage.settle(lean, keeper, numbers)
            lean = self._trace_tags(outcome.kept, stage)
            counts.update({f"{stage.name}.{name}": n for name, n in outcome.counts.items()})
        public = _public(here)
        if lean.num_rows < here.num_rows:
            public = public.take(lean.column(AT))
        numbers = BarrierRows(first_row + lean.column(AT).to_numpy())
        for stage in filter(joins_notes, self.barrier):
            public = with_marks(public, Path(self.folder), stage.name, numbers=numbers)
        for field, column in zip(lean.schema, lean.columns, strict=True):
            public = public.append_column(field, column)
        return public

    def _trace_tags(self, batch: pa.RecordBatch, stage: CorpusStage) -> pa.RecordBatch:
        """Turn the keepers that ``mode: tag`` wrote into numbers of the first spool."""
        name = cluster_field(stage.name).name
        if self.numbers is None or name not in batch.schema.names:
            return batch
        at = batch.column(name)
        rows = BarrierOrPast(at.fill_null(0).to_numpy())
        numbers = trace_to_first(rows, np.load(self.numbers, mmap_mode="r"))
        traced = pa.array(numbers, pa.int64(), mask=at.is_null().to_numpy(zero_copy_only=False))
        return batch.set_column(batch.schema.get_field_index(name), cluster_field(stage.name), traced)


def _lost(here: pa.RecordBatch, settled: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows that a barrier removed."""
    if settled.num_rows == here.num_rows:
        return here.slice(0, 0)
    stays = np.zeros(here.num_rows, np.bool_)
    stays[settled.column(AT).to_numpy()] = True
    return here.filter(pa.array(~stays))


def _among(here: pa.RecordBatch, refused: Sequence[pa.RecordBatch]) -> NDArray[np.bool_]:
    """Return bool[n_rows], the rows that one of the batches of rejections has."""
    found = np.zeros(here.num_rows, np.bool_)
    ids = pc.struct_field(here.column(RECORD), "id")
    for one in refused:
        if one.num_rows:
            gone = pc.is_in(ids, value_set=pc.struct_field(one.column(RECORD), "id"))
            found |= gone.to_numpy(zero_copy_only=False)
    return found


def apply_stages(
    batch: pa.RecordBatch,
    stages: Sequence[Stage],
    *,
    resources: Resources,
    guard: Guard,
    counts: Counter[str],
    dropped: DroppedTexts | None = None,
    left: LeftRecords | None = None,
    tally: DomainTally | None = None,
) -> tuple[pa.RecordBatch, list[pa.RecordBatch]]:
    """Apply stages to a batch; return the remaining rows, and one batch of rejections for each stage.

    The texts of the rejections are added to ``dropped``, their sketches to ``left``, and the rows that
    ``validate`` keeps to ``tally``.

    Raises:
        AccountError: if a stage loses or invents a row.
    """
    rejected = []
    for stage in stages:
        outcome = apply_stage(stage, batch, resources=resources, guard=guard)
        counts.update({f"{stage.name}.{name}": n for name, n in outcome.counts.items()})
        if dropped is not None:
            dropped.add(batch, outcome.rejected, kind=stage_kind(stage), columns=resources.columns)
            if outcome.removed is not None and outcome.removed.num_rows:
                dropped.add_removed(outcome.removed)
            if outcome.measured is not None and outcome.measured.num_rows:
                dropped.add_measured(outcome.measured)
        if left is not None:
            left.add(batch, outcome.rejected, kind=stage_kind(stage))
        batch = outcome.kept
        rejected.append(outcome.rejected)
        if tally is not None and stage_kind(stage) == Validate.name:
            tally.add(
                batch, url=resources.columns.url, texts=(resources.columns.html, resources.columns.text)
            )
    return batch, rejected


def _prepare(batch: pa.RecordBatch, pass_: Pass, resources: Resources) -> pa.RecordBatch:
    """Add the columns for the next step: sketches for a barrier, or row sizes after the last barrier."""
    if not pass_.barrier:
        return batch.append_column(SIZE, pa.array(row_sizes(_public(batch))))
    sketches = {}
    for stage in pass_.barrier:
        with blame_stage(stage):
            sketches[stage.name] = stage.sketch(batch, resources=resources)
    if pass_.carries is not None:
        names = [name for name in batch.schema.names if name.startswith("_") or name in pass_.carries]
        batch = batch.select(names)
    for name, sketch in sketches.items():
        for column in sketch.schema.names:
            batch = batch.append_column(sketch_name(name, column), sketch.column(column))
    return batch


def drop_sketches(batch: pa.RecordBatch, barrier: Sequence[CorpusStage]) -> pa.RecordBatch:
    """Drop the sketch columns of a barrier, which are not needed after it."""
    prefixes = tuple(sketch_name(stage.name, "") for stage in barrier)
    return batch.drop_columns([name for name in batch.schema.names if prefixes and name.startswith(prefixes)])


def _public(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.select([name for name in batch.schema.names if not name.startswith("_")])


def _hidden(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.select([name for name in batch.schema.names if name.startswith("_")])


def concat(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Concatenate batches of rejections."""
    full = [batch for batch in batches if batch.num_rows]
    return pa.concat_batches(full) if full else pa.RecordBatch.from_pylist([], schema=REJECTION_SCHEMA)


def _with_rows(rejected: pa.RecordBatch, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Add to each late rejection the number of its row in the first spool."""
    known = pc.struct_field(batch.column(RECORD), "id")
    at = pc.index_in(pc.struct_field(rejected.column(RECORD), "id"), value_set=known)
    return rejected.append_column(ROW, batch.column(ROW).take(at))


def _between(reading: Reading, n_done: int, limit: int | None) -> Reading:
    """Drop the records that finished parts already contain, and those above the limit."""
    batch, rejected = (_ordinals_between(b, n_done, limit) for b in (reading.batch, reading.rejected))
    n_dropped = reading.batch.num_rows + reading.rejected.num_rows - batch.num_rows - rejected.num_rows
    if not n_dropped:
        return reading
    counts = reading.counts if n_dropped < reading.n_records else {}
    noted = {name: _ordinals_between(table, n_done, limit) for name, table in reading.noted.items()}
    n_records = reading.n_records - n_dropped
    return Reading(batch=batch, rejected=rejected, n_records=n_records, counts=counts, noted=noted)


def _ordinals_between(batch: pa.RecordBatch, n_done: int, limit: int | None) -> pa.RecordBatch:
    """Filter by ordinal, which is the number of a record in its task."""
    ordinals: NDArray[np.int64] = pc.struct_field(batch.column(RECORD), "ordinal").to_numpy(
        zero_copy_only=False
    )
    wanted = ordinals >= n_done
    if limit is not None:
        wanted &= ordinals < limit
    return batch if wanted.all() else batch.filter(pa.array(wanted))
