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

_MAX_EXAMINED = 100
"""Records of one stage and reason in which a message is looked for."""


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
class LossMessage:
    """What the first record says that was lost for a reason, such as the option that helps."""

    stage: str
    reason: str
    record_id: str
    message: str

    def document(self) -> dict[str, str]:
        """Return the message as ``--json`` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The faults that contracts found, grouped, the files that cannot be read at all, and messages."""

    faults: Sequence[FaultGroup] = ()
    unreadable: Sequence[UnreadableFile] = ()
    messages: Sequence[LossMessage] = ()


def count_losses(
    chain_result: ChainResult, sources: Sequence[Source], *, n_by_file: Mapping[str, int]
) -> Losses:
    """Count the losses of a build.

    Args:
        n_by_file: number of records, as in ``LedgerSums``.
    """
    tally = FaultTally()
    unreadable: list[UnreadableFile] = []
    messages: dict[tuple[str, str], LossMessage] = {}
    reasons: dict[str, frozenset[str]] = {
        source.kind: getattr(source, "unreadable", frozenset()) for source in sources
    }
    for batch in _rejections(chain_result):
        tally.add_rejections(batch)
        for one in _first_messages(batch):
            messages.setdefault((one.stage, one.reason), one)
        unreadable += [one for one in _unread(batch, reasons) if n_by_file[f"{one.source}\0{one.path}"] == 1]
    return Losses(faults=tally.groups(), unreadable=unreadable, messages=tuple(messages.values()))


def _rejections(chain_result: ChainResult) -> Iterator[pa.RecordBatch]:
    yield from (part.files["rejected"].read() for part in chain_result.first.parts if part.n_rejected)
    yield from chain_result.late.to_batches()


def _first_messages(batch: pa.RecordBatch) -> Iterator[LossMessage]:
    """Yield the first message of each stage and reason; of a contract fault, what it says in addition."""
    has_fault = pc.greater(pc.fill_null(pc.list_value_length(batch["faults"]), 0), 0)
    read = pc.or_(pc.equal(batch["outcome"], "failed"), pc.equal(batch["stage"], "validate"))
    said = batch.filter(pc.and_(pc.is_valid(batch["message"]), pc.or_(read, has_fault)))
    keys = pc.binary_join_element_wise(said["stage"], said["reason"], "\0")
    for key in pc.unique(keys).to_pylist():
        rows = said.filter(pc.equal(keys, key)).slice(0, _MAX_EXAMINED)
        for row in rows.select([RECORD, "stage", "reason", "message", "faults"]).to_pylist():
            fault = row["faults"][0]["message"] if row["faults"] else ""
            message = row["message"].removeprefix(fault or "").removeprefix("; ")
            if message:
                yield LossMessage(
                    stage=row["stage"], reason=row["reason"], record_id=row[RECORD]["id"], message=message
                )
                break


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
