"""What the tests of stages share: batches of pages, resources, and guards that let through or refuse."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from builder.domain.contract.contract import Contract
from builder.domain.record import record_column, with_record
from builder.protocols import Columns, Resources


class OpenGuard:
    """Lets everything through and notes what was entered."""

    def __init__(self, refused: dict[int, str] | None = None) -> None:
        self.refused = refused or {}
        self.entered: list[tuple[str, int, float]] = []
        self.inside = False

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        self.entered.append((stage, unit, limit_s))
        self.inside = unit not in self.refused
        return self.refused.get(unit)

    def leave(self) -> None:
        self.inside = False


@pytest.fixture
def guard() -> OpenGuard:
    """A guard that refuses nothing."""
    return OpenGuard()


@pytest.fixture
def refusing() -> type[OpenGuard]:
    """A guard that is told which units to refuse."""
    return OpenGuard


@pytest.fixture(scope="session")
def resources() -> Resources:
    """The usual columns; the contract itself is not asked."""
    contract: Contract = None  # type: ignore[assignment]
    return Resources(contract=contract, columns=Columns())


@pytest.fixture(scope="session")
def pages() -> Any:
    """Make a batch of pages from columns of Python values; the types are those of ``page-1``."""
    types = {"fetched_at": pa.timestamp("us", "UTC")}

    def make(**columns: list[Any]) -> pa.RecordBatch:
        n_rows = len(next(iter(columns.values())))
        batch = pa.RecordBatch.from_pydict(
            {name: pa.array(values, types.get(name, pa.string())) for name, values in columns.items()}
        )
        record = record_column(source="s", path="p", ordinals=range(n_rows), offsets=range(n_rows))
        return with_record(batch, record)

    return make
