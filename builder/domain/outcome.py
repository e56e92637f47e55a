"""A stage's answer to one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A stage's answer: rows in = ``kept`` + ``rejected``, both in the order in which they came."""

    kept: pa.RecordBatch
    rejected: pa.RecordBatch
    counts: Mapping[str, int] = field(default_factory=dict)
