"""Run a corpus stage without a build: from batches to verdicts and settled batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from builder.engines.threads import LocalThreads
from builder.protocols import Columns, Resources

RESOURCES = Resources(contract=None, columns=Columns())


@dataclass
class Sketched:
    """The sketches of some batches, with the interface of the spool."""

    batches: list[pa.RecordBatch]

    @property
    def n_rows(self):
        return sum(batch.num_rows for batch in self.batches)

    def column(self, name):
        return pa.chunked_array([batch.column(name) for batch in self.batches])

    def release(self):
        """Do nothing: no memory is mapped."""


@dataclass
class Texts:
    """The texts of some rows; records the largest number of rows in one call."""

    column: pa.ChunkedArray
    most: int = 0

    def take(self, rows):
        taken = self.column.fill_null("").take(pa.array(rows)).cast(pa.large_binary())
        self.most = max(self.most, len(rows))
        return pa.concat_arrays(taken.chunks) if taken.num_chunks != 1 else taken.chunk(0)


THREADS = LocalThreads(2)


def batches_of(texts, *, batch_rows=5000, fetched_at=None, kind=None):
    """Create batches of ``text`` and ``fetched_at`` (days since 2020, or None)."""
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    days = fetched_at if fetched_at is not None else [None] * len(texts)
    instants = [None if day is None else begin + timedelta(days=day) for day in days]
    whole = pa.RecordBatch.from_arrays(
        [pa.array(texts, kind or pa.string()), pa.array(instants, pa.timestamp("us", "UTC"))],
        names=["text", "fetched_at"],
    )
    return [whole.slice(start, batch_rows) for start in range(0, max(len(texts), 1), batch_rows)]


def resolved(stage, batches, *, alive=None):
    """Sketch all batches and return the sketches and the verdicts."""
    sketched = Sketched([stage.sketch(batch, resources=RESOURCES) for batch in batches])
    texts = Texts(pa.chunked_array([batch.column("text") for batch in batches]))
    alive = np.ones(sketched.n_rows, np.bool_) if alive is None else np.asarray(alive, np.bool_)
    verdicts = stage.resolve(sketched, alive=alive, memory=None, texts=texts, threads=THREADS)
    return sketched, verdicts


def settled(stage, batches, verdicts):
    """Settle all batches and return the kept rows as one table."""
    kept, first = [], 0
    for batch in batches:
        rows = np.arange(first, first + batch.num_rows)
        kept.append(stage.settle(batch, verdicts.keeper[rows], rows).kept)
        first += batch.num_rows
    return pa.Table.from_batches(kept)
