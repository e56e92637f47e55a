"""``dedup_url`` keeps one page of each canonical URL."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.url import canonical_url
from builder.errors import RecipeError
from builder.protocols import Columns, Resources, Verdicts
from builder.stages.dedup_url import DedupUrl

RESOURCES = Resources(contract=None, columns=Columns())  # type: ignore[arg-type]


class Held:
    """Sketches in memory."""

    def __init__(self, *batches: pa.RecordBatch) -> None:
        self.table = pa.Table.from_batches(batches)
        self.n_rows = self.table.num_rows

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name)


def batch_of(urls: list[str | None], texts: list[str | None], days: list[int | None]) -> pa.RecordBatch:
    """Create an input batch of the stage."""
    when = [None if day is None else dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in days]
    return pa.record_batch(
        {
            "url": pa.array(urls, pa.string()),
            "text": pa.array(texts, pa.string()),
            "fetched_at": pa.array(when, pa.timestamp("us", "UTC")),
        }
    )


def resolve(stage: DedupUrl, *batches: pa.RecordBatch, alive: list[bool] | None = None) -> Verdicts:
    """Sketch and resolve."""
    held = Held(*(stage.sketch(batch, resources=RESOURCES) for batch in batches))
    living = np.ones(held.n_rows, dtype=np.bool_) if alive is None else np.array(alive, dtype=np.bool_)
    nothing: Any = None
    return stage.resolve(held, alive=living, memory=None, texts=nothing, threads=nothing)


URLS = ["http://a.example/x", "HTTP://A.example:80/x#y", None, "ftp://a.example/x", "http://a.example/y"]
URLS += ["http://a.example/x?utm_source=z", "ftp://a.example/x"]


@pytest.mark.parametrize(
    ("keep", "keepers"),
    [
        ("first", [0, 0, -1, -1, 4, 0, -1]),
        ("newest", [1, 1, -1, -1, 4, 1, -1]),
        ("longest", [5, 5, -1, -1, 4, 5, -1]),
    ],
)
def test_keep_selects_the_page_of_each_url(keep: str, keepers: list[int]) -> None:
    """Pages without a canonical URL take no part; no similarity is measured."""
    batch = batch_of(URLS, ["a", "bb", "c", "d", "e", "é", "f"], [1, 3, 2, 2, 2, 2, 2])
    batch = batch.set_column(1, "text", pa.array(["a", "b", "c", "d", "e", "éé", "f"]))
    for parts in ([batch], [batch[:2], batch[2:3], batch[3:]]):
        verdicts = resolve(DedupUrl(keep=keep), *parts)
        assert verdicts.keeper.tolist() == keepers
        assert np.isnan(verdicts.similarity).all()
        assert verdicts.reason == "same_url"


def test_pages_without_an_instant_count_as_older() -> None:
    """If no page of a URL has ``fetched_at``, the first page is kept."""
    urls = ["http://a.example/"] * 3
    assert resolve(DedupUrl(), batch_of(urls, ["a"] * 3, [None, 1, None])).keeper.tolist() == [1, 1, 1]
    assert resolve(DedupUrl(), batch_of(urls, ["a"] * 3, [None, None, None])).keeper.tolist() == [0, 0, 0]
    no_column = batch_of(urls, ["a"] * 3, [1, 2, 3]).select(["url"])
    assert resolve(DedupUrl(), no_column).keeper.tolist() == [0, 0, 0]


def test_dropped_rows_take_no_part() -> None:
    """A row that an earlier stage dropped cannot be a keeper."""
    batch = batch_of(["http://a.example/"] * 3, ["a"] * 3, [3, 2, 1])
    assert resolve(DedupUrl(), batch, alive=[False, True, True]).keeper.tolist() == [-1, 1, 1]


@given(
    st.lists(
        st.tuples(st.sampled_from(URLS), st.sampled_from(["", "a", "bb"]), st.sampled_from([None, 1, 2])),
        max_size=9,
    ),
    st.sampled_from(["first", "newest", "longest"]),
)
def test_groups_are_those_of_the_canonical_url(rows: list[tuple[Any, str, Any]], keep: str) -> None:
    """The expected keepers come from a comparison of every row with every other row."""
    urls, texts, days = [[row[i] for row in rows] for i in range(3)]
    keys = [canonical_url(url) if url else None for url in urls]
    rule = {
        "first": lambda r: r,
        "longest": lambda r: (-len(texts[r]), r),
        "newest": lambda r: (-(days[r] or 0), r),
    }
    expected = [
        -1 if key is None else min((r for r, other in enumerate(keys) if other == key), key=rule[keep])
        for key in keys
    ]
    assert resolve(DedupUrl(keep=keep), batch_of(urls, texts, days)).keeper.tolist() == expected


def test_settle_drops_or_marks() -> None:
    """The mark is the row number of the keeper."""
    batch = batch_of(URLS, list("abcdefg"), [1] * 7)
    rows = np.arange(10, 17)
    keeper = np.array([10, 10, -1, -1, 14, 10, -1])
    dropped = DedupUrl().settle(batch, keeper, rows)
    assert dropped.kept["text"].to_pylist() == ["a", "c", "d", "e", "g"]
    assert (dropped.rejected.num_rows, dropped.counts) == (0, {"merged": 2})
    stage = DedupUrl(mode="tag")
    marked = stage.settle(batch, keeper, rows)
    assert marked.kept.num_rows == 7
    assert marked.kept.schema == stage.bind(batch.schema, RESOURCES)


def test_the_index_has_one_row_for_each_keeper() -> None:
    """The row has key, instant and length for later versions; merged pages have no row."""
    stage = DedupUrl(keep="first")
    batch = batch_of(URLS, list("abcdefg"), [1] * 7)
    held = Held(stage.sketch(batch, resources=RESOURCES))
    remembered = stage.remember(held, resolve(stage, batch))
    assert remembered.column_names == ["url_key", "fetched_at", "n_bytes", "text_key", "row"]
    assert remembered["row"].to_pylist() == [0, 4]


def test_only_keep_first_is_append_stable() -> None:
    """Later records can change decisions of ``newest`` and ``longest``, but not of ``first``."""
    assert [DedupUrl(keep=keep).append_stable for keep in ("first", "newest", "longest")] == [
        True,
        False,
        False,
    ]


def test_a_contract_without_urls_is_refused() -> None:
    """The chain is checked before any record is read."""
    with pytest.raises(RecipeError, match="columns"):
        DedupUrl().bind(pa.schema([("text", pa.string())]), RESOURCES)
