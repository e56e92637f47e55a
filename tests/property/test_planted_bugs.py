"""Plant bugs on purpose: each one makes a law of versions fail, so the laws can find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from planted import sentence
from version_laws import check_appending, check_taking_down

from builder.history.past import Past, StageMemory
from builder.pipeline.tombstones import Tombstones
from builder.release import write
from builder.release.write import ShardJob
from builder.stages import dedup_exact


def page(number: int | None, seed: int, day: int = 1) -> dict[str, Any]:
    url = None if number is None else f"https://example.org/{number}"
    return {"url": url, "text": sentence(seed), "fetched_at": f"2024-01-{day:02}T00:00:00Z"}


def forget_merged_urls(patch: pytest.MonkeyPatch) -> None:
    """Make the index forget the URLs of records that were not published."""
    remembered = Past.stage

    def stage(self: Past, name: str) -> StageMemory:
        memory = remembered(self, name)
        if name == "dedup_url":
            table = memory._table
            published = self.published(np.asarray(table["row"].to_numpy()))
            memory.__dict__["_table"] = table.filter(pa.array(published))
        return memory

    patch.setattr(Past, "stage", stage)


def order_by_hash(patch: pytest.MonkeyPatch) -> None:
    """Write rows in the order of their ids, which are hashes."""

    in_order = ShardJob.rows

    def rows(self: ShardJob, *args: Any) -> pa.Table:
        return in_order(self, *args).sort_by("id")

    patch.setattr(ShardJob, "rows", rows)


def drop_tombstones(patch: pytest.MonkeyPatch) -> None:
    """Ignore all tombstones."""
    patch.setattr(Tombstones, "parse", classmethod(lambda cls, data: None))


def split_by_record(patch: pytest.MonkeyPatch) -> None:
    """Assign splits by the place of the record, not by the document id."""

    def assign(ids: np.ndarray, *, shares: Any, name: str) -> np.ndarray:
        return (np.arange(len(ids)) % len(shares)).astype(np.int16)

    patch.setattr(write, "assign_splits", assign)


def keep_by_time(patch: pytest.MonkeyPatch) -> None:
    """Keep the newest record, although the recipe says the first."""

    def order(keep: str, *, fetched_at: np.ndarray, n_bytes: np.ndarray) -> np.ndarray:
        return np.argsort(~fetched_at, kind="stable")

    patch.setattr(dedup_exact, "priority_order", order)


FIRST = [page(1, 0), page(2, 0), page(3, 1), page(4, 2), page(5, 3)]
MORE = [page(2, 5), page(7, 1, day=9), page(8, 6), page(9, 7), page(10, 8), page(11, 9)]


@pytest.mark.parametrize("plant", [forget_merged_urls, order_by_hash, split_by_record, keep_by_time])
def test_the_law_of_appending_finds_a_planted_bug(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law must hold without the bug, and fail with it."""
    check_appending(FIRST, MORE)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check_appending(FIRST, MORE)


def test_the_law_of_takedowns_finds_a_planted_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tombstones, a page that was taken down comes back."""
    check_taking_down(FIRST, [page(1, 0)], 0)
    drop_tombstones(monkeypatch)
    with pytest.raises(AssertionError):
        check_taking_down(FIRST, [page(1, 0)], 0)
