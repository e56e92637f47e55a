"""Tests of tombstones of texts: the index of shingles gives the result of a twin that compares every pair."""

from __future__ import annotations

import base64
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from planted import sentence
from reference import jaccard, shingles
from stage_runs import RESOURCES, Sketched, Texts, batches_of

from builder.pipeline.tombstone_filter import find_tombstoned
from builder.pipeline.tombstones import TextTombstone, Tombstone, Tombstones
from builder.removal.make_tombstones import _pages
from builder.stages.dedup_near import DedupNear

TAKEN_DOWN = [sentence(n, 30 + 7 * n) for n in range(12)]


def near_to(text: str, *, share: float, rng: random.Random) -> str:
    """Replace a share of the words."""
    return " ".join(f"new{rng.random()}" if rng.random() < share else word for word in text.split())


def pages() -> list[str | None]:
    """Return texts of different similarity to those that were taken down, and unrelated texts."""
    rng = random.Random(3)
    shares = (0.0, 0.01, 0.02, 0.04, 0.06, 0.1)
    alike = [near_to(text, share=share, rng=rng) for text in TAKEN_DOWN for share in shares]
    halves = [f"{one} {other}" for one, other in pairwise(TAKEN_DOWN)]
    return [*alike, *halves, *(sentence(100 + n) for n in range(20)), "two words", "", None]


def find(stage: DedupNear, *, made_by: DedupNear, alive: Any = None) -> list[bool]:
    tombstones = Tombstones(bytes(range(32)))
    tombstone = Tombstone(
        because="asked", pages=tuple(_pages(tombstones, [one.encode() for one in TAKEN_DOWN], made_by))
    )
    (batch,) = batches_of(pages())
    sketched = Sketched([stage.sketch(batch, resources=RESOURCES)])
    texts: Any = Texts(pa.chunked_array([batch.column("text")]))
    alive = np.ones(batch.num_rows, np.bool_) if alive is None else alive
    return find_tombstoned(
        Tombstones(tombstones.key, (tombstone,)), stage, sketched, alive=alive, texts=texts
    ).tolist()


def expected(threshold: float) -> list[bool]:
    """Apply the rule: the Jaccard similarity to a text that was taken down reaches the threshold."""
    known = [shingles(text) for text in TAKEN_DOWN]
    return [any(jaccard(shingles(text or ""), one) >= threshold for one in known) for text in pages()]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9, 1.0])
def test_with_other_bands_every_row_is_compared(threshold: float) -> None:
    """The band keys of the tombstones find nothing then, so exactly the near-duplicates are tombstoned."""
    found = find(DedupNear(threshold=threshold, bands=7, rows=3), made_by=DedupNear())
    assert found == expected(threshold)
    assert len(set(found)) == 2


def test_with_the_same_bands_only_candidates_are_compared() -> None:
    """Each tombstoned row is a near-duplicate, and the bands find at least 95 % of the near-duplicates."""
    found, near = find(DedupNear(), made_by=DedupNear()), expected(0.8)
    assert not any(one and not is_near for one, is_near in zip(found, near, strict=True))
    assert sum(found) >= 0.95 * sum(near)


def test_rows_that_left_before_are_not_compared() -> None:
    """A row that an earlier stage merged or rejected keeps its outcome."""
    alive = np.arange(len(pages())) % 2 == 0
    found = find(DedupNear(threshold=0.5, bands=7, rows=3), made_by=DedupNear(), alive=alive)
    assert found == (np.asarray(expected(0.5)) & alive).tolist()


def test_tombstones_are_read_as_they_were_written() -> None:
    """This includes the older format, which stores 64 bits of each band key."""
    tombstones = Tombstones(bytes(range(32)))
    (page,) = _pages(tombstones, [TAKEN_DOWN[0].encode()], DedupNear())
    again = TextTombstone.parse(page.document())
    assert (again.keys.tolist(), again.shingles.tolist()) == (page.keys.tolist(), page.shingles.tolist())
    old = {name: value for name, value in page.document().items() if name != "band_keys"}
    whole = (page.keys.astype(np.uint64) << np.uint64(32)) + np.uint64(7)
    old["keys"] = base64.b85encode(whole.tobytes()).decode()
    assert TextTombstone.parse(old).keys.tolist() == page.keys.tolist()
