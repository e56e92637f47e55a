"""``dedup_exact`` keeps one document of each text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import RecipeError
from builder.protocols import Columns, Resources, Verdicts
from builder.stages import dedup_exact
from builder.stages.dedup_exact import DedupExact

RESOURCES = Resources(contract=None, columns=Columns())  # type: ignore[arg-type]


class Held:
    """Sketches and texts in memory; records the rows that were read."""

    def __init__(self, sketch: pa.RecordBatch, texts: list[str | None]) -> None:
        self.table = pa.Table.from_batches([sketch])
        self.n_rows = self.table.num_rows
        self.texts = [(text or "").encode() for text in texts]
        self.read: list[int] = []

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name)

    def take(self, rows: Any) -> pa.LargeBinaryArray:
        self.read += rows.tolist()
        return pa.array([self.texts[row] for row in rows], pa.large_binary())


def resolve(
    texts: list[str | None], *, stage: DedupExact | None = None, alive: list[bool] | None = None
) -> tuple[Verdicts, Held]:
    """Sketch and resolve; the column is a slice, like the columns of batches in the spool."""
    stage = stage or DedupExact()
    batch = pa.record_batch({"text": pa.array(["before", *texts], pa.string())})[1:]
    held = Held(stage.sketch(batch, resources=RESOURCES), texts)
    living = np.ones(held.n_rows, dtype=np.bool_) if alive is None else np.array(alive, dtype=np.bool_)
    nothing: Any = None
    return stage.resolve(held, alive=living, memory=None, texts=held, threads=nothing), held


def test_equal_texts_share_a_keeper() -> None:
    """The first is kept; null takes no part; one space makes texts different; the similarity is 1."""
    verdicts, held = resolve(["a", "b", "a", None, "a ", "b", None, "a", "", ""])
    assert verdicts.keeper.tolist() == [0, 1, 0, -1, 4, 1, -1, 0, 8, 8]
    merged = [2, 5, 7, 9]
    assert verdicts.similarity[merged].tolist() == [1.0] * 4
    assert np.isnan(np.delete(verdicts.similarity, merged)).all()
    assert verdicts.reason == "same_text"
    assert set(held.read) == {0, 1, 2, 5, 7, 8, 9}


@given(st.lists(st.sampled_from([None, "", "a", "b", "aa", "ab", "ba"]), max_size=12), st.integers(0, 2**12))
def test_a_hash_collision_never_merges_different_texts(texts: list[str | None], seed: int) -> None:
    """Even if all hashes are equal, only equal texts are in one group."""
    alive = [bool(seed >> row & 1) for row in range(len(texts))]
    one = b"\0" * 16
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xxhash.xxh3_128_digest", lambda _: one)
        verdicts, _ = resolve(texts, alive=alive)
    living = [row for row, text in enumerate(texts) if alive[row] and text is not None]
    expected = [
        min(r for r in living if texts[r] == texts[row]) if row in living else -1 for row in range(len(texts))
    ]
    assert verdicts.keeper.tolist() == expected


def test_texts_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a part of the texts is in memory at a time; the size of the parts does not change the result."""
    texts: list[str | None] = ["aaaa", "b", "aaaa", "b", "aaaa", "c" * 50, "c" * 50]
    whole, _ = resolve(texts)
    monkeypatch.setattr(dedup_exact, "COMPARED_BYTES", 5)
    parts, _ = resolve(texts)
    assert parts.keeper.tolist() == whole.keeper.tolist() == [0, 1, 0, 1, 0, 5, 5]


def test_keep_newest_keeps_the_latest_fetch() -> None:
    """Documents with the same instant are in their input order."""
    stage = DedupExact(keep="newest")
    batch = pa.record_batch(
        {"text": ["a", "a", "a"], "fetched_at": pa.array([None, 5, 5], pa.timestamp("us", "UTC"))}
    )
    held = Held(stage.sketch(batch, resources=RESOURCES), ["a"] * 3)
    nothing: Any = None
    verdicts = stage.resolve(held, alive=np.ones(3, np.bool_), memory=None, texts=held, threads=nothing)
    assert verdicts.keeper.tolist() == [1, 1, 1]
    assert (stage.append_stable, DedupExact().append_stable) == (False, True)
    assert stage.remember(held, verdicts)["row"].to_pylist() == [1]


def test_a_contract_without_text_is_refused() -> None:
    """The chain is checked before any record is read."""
    with pytest.raises(RecipeError, match="extract_text"):
        DedupExact().bind(pa.schema([("url", pa.string())]), RESOURCES)
