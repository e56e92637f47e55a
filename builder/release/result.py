"""Define the result of a build."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.corpus.names import STOPPED
from builder.domain.contract.nulled import nulled_cells
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from builder.domain.fault_groups import FaultGroup
    from builder.domain.passed_over import PassedOver
    from builder.release.losses import LossMessage, UnreadableFile

REASON_KEYS = ("outcome", "stage", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSize:
    """The size of one split."""

    name: str
    rows: int
    shards: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BuildResult(Summarised):
    """The version that a build wrote, or the newest version if there was nothing new.

    ``reasons`` lists ((outcome, stage, reason), records), most records first. The version of a stopped build
    is ``STOPPED``; it has no digest.

    Attributes:
        tagged: number of records that each deduplication in ``mode: tag`` marked as duplicates.
        trial: whether the build only tried: no version was written. ``version`` is then the number that a
            build would write; empty with a limit on the records.
        contract_faults: what contracts refused, by rule and place.
        unreadable: files of which nothing could be read.
        messages: what the first record of each reason says, if it says more than the reason.
        n_restated: number of records of earlier builds whose outcome changed; ``outcomes`` counts them too.
        passed_over: the files that folders and globs of the recipe did not select.
        n_known: number of records that were read again and are in the ledger of an earlier version.
        sources: the kinds of the sources, under which they reject records.
        stages: the names of the stages in the order of the chain.
        new_pages_only: the stages that decided about the pages of an addition alone, although its inputs can
            change what they say about older pages.
    """

    name: str
    corpus: Path
    version: str
    reason: str
    digest: str
    ledger: Path
    nothing_new: bool = False
    trial: bool = False
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Sequence[tuple[tuple[str, str, str], int]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    splits: Sequence[SplitSize] = ()
    empty_splits: Sequence[str] = ()
    n_restated: int = 0
    n_known: int = 0
    passed_over: Sequence[PassedOver] = ()
    tagged: Mapping[str, int] = field(default_factory=dict)
    contract_faults: Sequence[FaultGroup] = ()
    unreadable: Sequence[UnreadableFile] = ()
    sources: Sequence[str] = ()
    stages: Sequence[str] = ()
    new_pages_only: Sequence[str] = ()
    messages: Sequence[LossMessage] = ()

    @property
    def is_stopped(self) -> bool:
        """Whether the build wrote no version, because it kept nothing or lost too much."""
        return self.version == STOPPED

    @property
    def n_records(self) -> int:
        """The number of records that were read and are in the ledger of this version."""
        return sum(self.outcomes.values()) - self.n_restated

    @property
    def nulled(self) -> dict[str, int]:
        """The number of cells that were made null, by the pointer of their column; largest number first."""
        return nulled_cells(self.counts)

    def __fspath__(self) -> str:
        """Return ``FOLDER@VERSION``, so that functions take a result; for a trial, the folder."""
        return f"{self.corpus}@{self.version}" if self.version and not self.trial else str(self.corpus)

    def document(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return {
            "name": self.name,
            "corpus": str(self.corpus),
            "version": None if self.is_stopped else self.version or None,
            "reason": self.reason if self.version else None,
            "digest": (self.digest or None) if self.version else None,
            "trial": self.trial,
            "nothing_new": self.nothing_new,
            "ledger": None if self.trial else str(self.ledger),
            "records": {
                "read": self.n_records,
                **self.outcomes,
                "restated": self.n_restated,
                "known": self.n_known,
            },
            "reasons": reasons_document(self.reasons),
            "contract_faults": [group.document() for group in self.contract_faults],
            "unreadable_files": [one.document() for one in self.unreadable],
            "messages": [one.document() for one in self.messages],
            "tagged": dict(self.tagged),
            "new_pages_only": list(self.new_pages_only),
            "counts": dict(self.counts),
            "nulled": self.nulled,
            "splits": {s.name: {"rows": s.rows, "shards": s.shards, "bytes": s.bytes} for s in self.splits},
            "empty_splits": list(self.empty_splits),
            "passed_over": [dataclasses.asdict(one) for one in self.passed_over],
        }

    def _summary(self) -> dict[str, object]:
        return {
            "version": self.version or "a trial",
            "corpus": str(self.corpus),
            "reason": "nothing new; the newest version stays" if self.nothing_new else self.reason,
            "records": self.n_records,
            "outcomes": dict(self.outcomes),
            "splits": {split.name: split.rows for split in self.splits},
        }

    def _rows(self) -> list[dict[str, Any]]:
        return reasons_document(self.reasons)


def reasons_document(reasons: Sequence[tuple[tuple[str, str, str], int]]) -> list[dict[str, Any]]:
    """Return the numbers of records by outcome, stage and reason as ``--json`` prints them."""
    return [dict(zip(REASON_KEYS, key, strict=True)) | {"records": n} for key, n in reasons]
