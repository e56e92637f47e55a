"""Write the index segment of a version."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.document_ids import ID_TYPE, DocumentIds
from builder.domain.row_numbers import FirstOrPast, PastRows
from builder.history.index import (
    INDEX_JSON,
    RECORDS_SCHEMA,
    ROWS_SCHEMA,
    SHARDS_SCHEMA,
    TEXTS_SCHEMA,
    Segment,
    open_arrow,
    shard_rows,
    write_arrow,
)
from builder.pipeline.account import KNOWN
from builder.pipeline.barriers import SEGMENT
from builder.pipeline.spool import row_numbers
from builder.stages.binding.placed import stage_kind
from builder.stages.publishable import Publishable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from builder.history.past import Past
    from builder.pipeline.context import BuildContext
    from builder.release.edits import Edits
    from builder.release.finish import Closed
    from builder.release.layout import WrittenShard

_ROWS_AT_ONCE = 1 << 16


def write_index(folder: Path, version: str, *, context: BuildContext, closed: Closed) -> None:
    """Write the data of a build that later versions need."""
    written = [shard.written for shard in closed.shards if shard.written]
    for path in sorted(context.folder.glob(f"[0-9]*/*{SEGMENT}")):
        shutil.copyfile(path, folder / f"{path.name.removesuffix(SEGMENT)}.arrow")
    write_arrow(folder / "rows.arrow", ROWS_SCHEMA, _rows(closed))
    write_arrow(folder / "records.arrow", RECORDS_SCHEMA, _records(closed))
    write_arrow(folder / "texts.arrow", TEXTS_SCHEMA, _texts(context, closed))
    write_shards(folder, written)
    finish_index(folder, segment_of(version, context.past, written=written, edits=closed.edits), context.past)


def finish_index(folder: Path, segment: Segment, past: Past | None) -> None:
    """Write ``index.json``. An index that was made only for this build is merged into the segment first."""
    if past and past.lineage.borrowed:
        segment = merge_borrowed_index(past.lineage.folders[-1], folder, segment)
    (folder / INDEX_JSON).write_bytes(segment.to_bytes())


def segment_of(version: str, past: Past | None, *, written: Sequence[WrittenShard], edits: Edits) -> Segment:
    """Return the content of a version's ``index.json``."""
    moved = {key.hex(): one.kept_id.hex() if one.kept_id else None for key, one in edits.removed.items()}
    return Segment(
        version=version,
        base=past.lineage.manifest.version if past else None,
        shards=tuple(shard.facts for shard in written),
        retired=_retired(past, edits),
        moved=dict(sorted(moved.items())),
    )


def _retired(past: Past | None, edits: Edits) -> Mapping[str, tuple[int, ...]]:
    if past is None or not edits.retired:
        return {}
    named = past.split_rows(PastRows(np.asarray(edits.retired, np.int64)))
    return {version: tuple(rows) for version, rows in named.items()}


def write_shards(folder: Path, written: Sequence[WrittenShard]) -> None:
    """Write the ids and digests of the rows of new shards; of rewritten shards only those of new rows."""
    write_arrow(folder / "shards.arrow", SHARDS_SCHEMA, map(_new_rows, range(len(written)), written))


def _new_rows(number: int, shard: WrittenShard) -> pa.Table:
    ids, digests = DocumentIds(np.load(shard.ids)), np.load(shard.digests)
    if shard.facts.derived:
        fresh = shard.facts.derived.fresh()
        ids, digests = ids[fresh], digests[fresh]
    return shard_rows(number, ids, digests)


def _rows(closed: Closed) -> Iterator[pa.Table]:
    row_outcomes = closed.row_outcomes
    for first in range(0, closed.chain_result.first.n_rows, _ROWS_AT_ONCE):
        rows = np.arange(first, min(first + _ROWS_AT_ONCE, closed.chain_result.first.n_rows))
        represented_by = row_outcomes.representatives(FirstOrPast(rows))
        kept = row_outcomes.id_table[np.maximum(represented_by, 0)].to_arrow()
        kept = pc.if_else(pa.array(represented_by >= 0), kept, pa.scalar(None, ID_TYPE))
        columns = [row_outcomes.ids[rows].to_arrow(), pa.array(row_outcomes.published[rows]), kept]
        yield pa.Table.from_arrays(columns, schema=ROWS_SCHEMA)


def _records(closed: Closed) -> Iterator[pa.Table]:
    for part in closed.chain_result.first.parts:
        account = part.table("account").select(["outcome", "key"])
        fresh = pc.fill_null(pc.not_equal(account["outcome"], KNOWN), True)
        yield account.filter(fresh).select(["key"]).cast(RECORDS_SCHEMA)


def _texts(context: BuildContext, closed: Closed) -> Iterator[pa.Table]:
    """Yield the texts of keepers that are not in a shard: a later stage rejected, merged or changed them."""
    text_stays = _text_stays(context)
    compare = {
        stage.name
        for pass_ in context.chain.passes
        for stage in pass_.barrier
        if stage_kind(stage) in _COMPARES_TEXTS
    }
    for stage, spool in closed.chain_result.barriers.items():
        if stage not in compare:
            continue
        keepers = open_arrow(next(context.folder.glob(f"[0-9]*/{stage}{SEGMENT}")))["row"].to_numpy()
        if text_stays:
            keepers = keepers[~closed.row_outcomes.published[keepers]]
        numbers = row_numbers(spool)
        for first in range(0, len(keepers), 1_024):
            rows = keepers[first : first + 1_024]
            texts = spool.take(np.searchsorted(numbers, rows))
            columns = [pa.repeat(stage, len(rows)), pa.array(rows), texts]
            yield pa.Table.from_arrays(columns, schema=TEXTS_SCHEMA)


_COMPARES_TEXTS = frozenset({"dedup_near"})


def _text_stays(context: BuildContext) -> bool:
    """Return whether the published texts are the texts that the barriers compared."""
    stages = [stage.name for pass_ in context.chain.passes[1:] for stage in pass_.stages]
    return context.recipe.columns.text in context.chain.published.names and all(
        name in (Publishable.name, "takedown") for name in stages
    )


# -- borrowed indices -------------------------------------------------------------------------------


def merge_borrowed_index(borrowed: Path, folder: Path, segment: Segment) -> Segment:
    """Merge a borrowed index into the segment that builds on it, and return the merged segment."""
    before = Segment.read(borrowed)
    n_rows, n_shards = len(open_arrow(borrowed / "rows.arrow")), len(before.shards)
    for path in sorted(borrowed.glob("*.arrow")):
        old, new = open_arrow(path), folder / path.name
        tables = [old]
        if new.exists():
            tables.append(_shifted(open_arrow(new), rows=n_rows, shards=n_shards))
        write_arrow(folder / f"{path.name}.both", old.schema, tables)
        (folder / f"{path.name}.both").replace(new)
    gone = tuple(row for rows in segment.retired.values() for row in rows)
    retired = {segment.version: gone} if gone else {}
    return replace(segment, base=None, shards=(*before.shards, *segment.shards), retired=retired)


def _shifted(table: pa.Table, *, rows: int, shards: int) -> pa.Table:
    for name, by in (("row", rows), ("shard", shards)):
        if name in table.schema.names:
            at = table.schema.get_field_index(name)
            moved = pa.array(table[name].to_numpy() + by, table.schema.field(name).type)
            table = table.set_column(at, table.schema.field(name), moved)
    return table
