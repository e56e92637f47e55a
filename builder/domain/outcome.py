"""Define the result of a stage for one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a stage for one batch: rows in = ``kept`` + ``rejected``, both in input order.

    Attributes:
        removed: what the stage took out of texts, a batch of ``REMOVED_SCHEMA``; None if nothing.
    """

    kept: pa.RecordBatch
    rejected: pa.RecordBatch
    counts: Mapping[str, int] = field(default_factory=dict)
    removed: pa.RecordBatch | None = None
