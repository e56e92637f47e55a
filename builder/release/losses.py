"""Count what a build loses: the faults that contracts found, and the files that cannot be read at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.fault_groups import FaultTally
from builder.domain.record import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.fault_groups import FaultGroup
    from builder.pipeline.run import ChainResult
    from builder.protocols import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableFile:
    """A file of which nothing can be read; it has one failed record, and its real records are unknown."""

    source: str
    path: str
    reason: str
    message: str | None

    def document(self) -> dict[str, str | None]:
        """Return the file as ``--json`` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The faults that contracts found, grouped, and the files that cannot be read at all."""

    faults: Sequence[FaultGroup] = ()
    unreadable: Sequence[UnreadableFile] = ()


def count_losses(
    chain_result: ChainResult, sources: Sequence[Source], *, n_by_file: Mapping[str, int]
) -> Losses:
    """Count the losses of a build.

    Args:
        n_by_file: number of records, as in ``LedgerSums``.
    """
    tally = FaultTally()
    unreadable: list[UnreadableFile] = []
    reasons: dict[str, frozenset[str]] = {
        source.kind: getattr(source, "unreadable", frozenset()) for source in sources
    }
    for batch in _rejections(chain_result):
        tally.add_rejections(batch)
        unreadable += [one for one in _unread(batch, reasons) if n_by_file[f"{one.source}\0{one.path}"] == 1]
    return Losses(faults=tally.groups(), unreadable=unreadable)


def _rejections(chain_result: ChainResult) -> Iterator[pa.RecordBatch]:
    yield from (part.files["rejected"].read() for part in chain_result.first.parts if part.n_rejected)
    yield from chain_result.late.to_batches()


def _unread(batch: pa.RecordBatch, reasons: Mapping[str, frozenset[str]]) -> Iterator[UnreadableFile]:
    """Yield the files whose first record failed for a reason that concerns the whole file."""
    at_start = pc.equal(pc.struct_field(batch[RECORD], "offset"), 0)
    failed = batch.filter(pc.and_(at_start, pc.equal(batch["outcome"], "failed")))
    for row in failed.select([RECORD, "stage", "reason", "message"]).to_pylist():
        if row["reason"] in reasons.get(row["stage"], ()):
            record = row[RECORD]
            yield UnreadableFile(
                source=record["source"], path=record["path"], reason=row["reason"], message=row["message"]
            )
