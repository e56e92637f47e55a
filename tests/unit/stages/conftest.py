"""Shared fixtures of stage tests: batches of pages, resources, and guards that accept or refuse units."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from builder.domain.contract.contract import Contract
from builder.domain.record import record_column, with_record
from builder.protocols import Columns, Resources


class OpenGuard:
    """A guard that refuses the given units and records all ``enter`` calls."""

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
    """The class of a guard that refuses the given units."""
    return OpenGuard


@pytest.fixture(scope="session")
def resources() -> Resources:
    """Resources with the default columns; tests that use it do not read the contract."""
    contract: Contract = None  # type: ignore[assignment]
    return Resources(contract=contract, columns=Columns())


@pytest.fixture(scope="session")
def pages() -> Any:
    """A function that creates a batch of pages from columns of values, with the types of ``page-1``."""
    types = {"fetched_at": pa.timestamp("us", "UTC")}

    def make(**columns: list[Any]) -> pa.RecordBatch:
        n_rows = len(next(iter(columns.values())))
        batch = pa.RecordBatch.from_pydict(
            {name: pa.array(values, types.get(name, pa.string())) for name, values in columns.items()}
        )
        record = record_column(source="s", path="p", ordinals=range(n_rows), offsets=range(n_rows))
        return with_record(batch, record)

    return make
