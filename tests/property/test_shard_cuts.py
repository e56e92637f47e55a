"""Laws of the cuts between shards."""

from __future__ import annotations

import itertools

import numpy as np
import reference_rows as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from shard_plans import cut_split

from builder.io.parquet_sink.shards import choose_cut_sizes, cut_ranges

ROWS = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 60)), max_size=60)


@settings(max_examples=200)
@given(ROWS, st.integers(1, 60), st.integers(0, 100))
def test_cuts_equal_the_reference(rows: list[tuple[int, int]], min_bytes: int, room: int) -> None:
    """The reference applies the rule row by row."""
    hashes, sizes = [number for number, _ in rows], [size for _, size in rows]
    bounds = {"min_bytes": min_bytes, "max_bytes": min_bytes + room}
    expected = reference.cut_ranges(hashes, sizes, **bounds)
    found = cut_ranges(np.array(hashes, np.uint64), np.array(sizes, np.int64), **bounds)
    assert found == expected


@given(ROWS, st.integers(1, 60), st.integers(0, 100))
def test_ranges_contain_every_row_once(rows: list[tuple[int, int]], min_bytes: int, room: int) -> None:
    """Ranges are consecutive, and none is empty or too large."""
    hashes = np.array([number for number, _ in rows], np.uint64)
    sizes = np.array([size for _, size in rows], np.int64)
    ranges = cut_ranges(hashes, sizes, min_bytes=min_bytes, max_bytes=min_bytes + room)
    assert [row for start, stop in ranges for row in range(start, stop)] == list(range(len(rows)))
    for start, stop in ranges:
        assert stop > start
        assert stop == start + 1 or sizes[start:stop].sum() <= min_bytes + room


def shards_of(hashes: np.ndarray, sizes: np.ndarray) -> set[tuple[int, ...]]:
    return {
        tuple(hashes[start:stop].tolist())
        for start, stop in cut_ranges(hashes, sizes, min_bytes=400_000, max_bytes=800_000)
    }


def test_one_row_more_or_less_changes_one_shard() -> None:
    """Each of 80 single insertions and removals changes its own shard and hardly ever a second one."""
    rng = np.random.default_rng(11)
    hashes = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    sizes = rng.lognormal(6.5, 1.0, 20_000).astype(np.int64) + 50
    before = shards_of(hashes, sizes)
    assert len(before) > 40
    gone = []
    for _ in range(40):
        at = int(rng.integers(0, len(sizes)))
        gone.append(len(before - shards_of(np.delete(hashes, at), np.delete(sizes, at))))
        fresh = np.insert(hashes, at, rng.integers(0, 2**64, dtype=np.uint64))
        gone.append(len(before - shards_of(fresh, np.insert(sizes, at, 700))))
    assert np.mean(gone) < 1.2
    assert max(gone) <= 3


@given(st.integers(0, 10**12))
def test_chosen_sizes_stay_within_their_bounds(raw_bytes: int) -> None:
    """Shards have 4 to 256 MB, and row groups have at most 64 MB."""
    sizes = choose_cut_sizes(raw_bytes)
    assert 4_000_000 <= sizes.shard_min < sizes.shard_max <= 256_000_000
    assert sizes.group_min == 32_000_000
    assert sizes.group_max == 64_000_000


def test_a_split_has_about_64_shards() -> None:
    """This holds for any size of a split for which the bounds allow it."""
    rng = np.random.default_rng(3)
    for mean in (20_000, 200_000):
        sizes = rng.exponential(mean, 40_000).astype(np.int64) + 100
        hashes = rng.integers(0, 2**64, len(sizes), dtype=np.uint64)
        planned = cut_split(hashes, sizes, by=choose_cut_sizes(int(sizes.sum())))
        assert 55 <= len(planned) <= 75


def test_adjacent_rows_are_in_few_shards() -> None:
    """A change to one hundredth of the rows, side by side, mostly rewrites under 3 % of the other rows."""
    rng = np.random.default_rng(6)
    sizes = rng.lognormal(8.0, 1.0, 80_000).astype(np.int64) + 50
    hashes = rng.integers(0, 2**64, len(sizes), dtype=np.uint64)
    shards = cut_split(hashes, sizes, by=choose_cut_sizes(int(sizes.sum())))
    sums = np.concatenate([[0], np.cumsum(sizes)])
    shares = []
    for begin in rng.integers(0, len(sizes) - len(sizes) // 100, 1_000):
        end = begin + len(sizes) // 100
        touched = [one for one in shards if one[0][0] < end and one[-1][1] > begin]
        left = sum(sums[one[-1][1]] - sums[one[0][0]] for one in touched) - (sums[end] - sums[begin])
        shares.append(left / (sums[-1] - (sums[end] - sums[begin])))
    assert np.mean(shares) < 0.02
    assert np.quantile(shares, 0.9) < 0.03


def test_row_groups_fill_their_shard() -> None:
    """The row groups of a shard contain all its rows, and each has at most 64 MB of raw bytes."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(1_000, 400_000, 20_000)
    hashes = rng.integers(0, 2**64, len(sizes), dtype=np.uint64)
    planned = cut_split(hashes, sizes, by=choose_cut_sizes(10**11))
    groups = list(itertools.chain.from_iterable(planned))
    assert max(len(shard) for shard in planned) > 1
    assert [row for start, stop in groups for row in range(start, stop)] == list(range(len(sizes)))
    assert all(sizes[start:stop].sum() <= 64_000_000 for start, stop in groups)
