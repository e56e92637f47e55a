"""``domains.parquet``: pages, bytes and dates by registrable domain, until a purge."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from builder import Recipe, build, takedown
from builder.domain.hosts.domain_counts import DOMAINS_SCHEMA, merge_counts

TEXT = "The tide turns twice a day, and the boats of the harbour lean on their keels."


def write(path: Path, *pages: tuple[str | None, str | None]) -> None:
    rows = (
        {"url": url, "text": f"{TEXT} {n}", "fetched_at": fetched} for n, (url, fetched) in enumerate(pages)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def build_in(folder: Path, *, workers: int = 1, **more: Any) -> Any:
    recipe = {"name": "t", "sources": [{"jsonl": {"path": "*.jsonl"}}], "corpus": "out", **more}
    return build(Recipe.from_dict(recipe, folder=folder), workers=workers)


def counts(folder: Path, version: str = "1.0.0") -> list[tuple[Any, ...]]:
    table = pq.read_table(folder / f"out/.audit/{version}/domains.parquet")
    assert table.schema.equals(DOMAINS_SCHEMA)
    return [tuple(row.values()) for row in table.to_pylist()]


def test_pages_are_counted_by_the_name_that_somebody_registered(tmp_path: Path) -> None:
    """Hosts without a registrable domain count for themselves; pages that later stages drop count too."""
    write(
        tmp_path / "a.jsonl",
        ("https://news.bbc.co.uk/1", "2024-03-05T10:00:00Z"),
        ("https://www.bbc.co.uk/2", "2023-03-05T10:00:00Z"),
        ("https://ann.github.io/", None),
        ("https://ann.github.io/", None),
        ("http://192.0.2.1:8080/", None),
        (None, "2024-01-01T00:00:00Z"),
    )
    build_in(tmp_path, stages=[{"dedup_url": {}}])
    n = len(TEXT) + 2
    first, last = (datetime(year, 3, 5, 10, tzinfo=UTC) for year in (2023, 2024))
    new_year = datetime(2024, 1, 1, tzinfo=UTC)
    assert counts(tmp_path) == [
        ("jsonl", "192.0.2.1", 1, n, None, None),
        ("jsonl", "ann.github.io", 2, 2 * n, None, None),
        ("jsonl", "bbc.co.uk", 2, 2 * n, first, last),
        ("jsonl", None, 1, n, new_year, new_year),
    ]


def test_a_later_version_counts_only_the_new_pages(tmp_path: Path) -> None:
    """The counts of all versions add up to what was read."""
    write(tmp_path / "a.jsonl", ("https://a.example/1", None))
    build_in(tmp_path)
    write(tmp_path / "b.jsonl", ("https://a.example/2", None), ("https://b.example/", None))
    build_in(tmp_path)
    assert [row[1:3] for row in counts(tmp_path, "1.1.0")] == [("a.example", 1), ("b.example", 1)]


def test_a_purge_deletes_domains_of_which_nothing_is_left(tmp_path: Path) -> None:
    """A domain name can name a person; a domain with other pages keeps its counts."""
    write(tmp_path / "a.jsonl", ("https://a.example/1", None), ("https://a.example/2", None))
    write(tmp_path / "b.jsonl", ("https://ann.example/", None))
    build_in(tmp_path)
    takedown(tmp_path / "out", urls=["https://a.example/1"], because="asked", purge=True)
    assert [row[1] for row in counts(tmp_path)] == ["a.example", "ann.example"]
    takedown(tmp_path / "out", domains=["ann.example"], because="asked", purge=True)
    assert [row[1] for row in counts(tmp_path)] == ["a.example"]
    build_in(tmp_path, description="again")
    assert not any("ann.example" in file.read_bytes().decode("latin-1") for file in _audit(tmp_path))


def _audit(folder: Path) -> list[Path]:
    return sorted((folder / "out/.audit").rglob("domains.parquet"))


_ROWS = st.tuples(
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x.example", "y.example", None]),
    st.integers(1, 9),
    st.integers(0, 99),
    st.none() | st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),
)


@given(st.lists(st.lists(_ROWS, max_size=4), max_size=4))
def test_counts_of_parts_add_up(parts: list[list[tuple[Any, ...]]]) -> None:
    """The twin adds up in a dictionary."""
    tables = [
        pa.Table.from_pylist(
            [dict(zip(DOMAINS_SCHEMA.names, (*row, row[-1]), strict=True)) for row in part],
            schema=DOMAINS_SCHEMA,
        )
        for part in parts
    ]
    expected: dict[tuple[str, str | None], list[Any]] = {}
    for source, domain, pages, size, date in (row for part in parts for row in part):
        sums = expected.setdefault((source, domain), [0, 0, []])
        sums[0] += pages
        sums[1] += size
        sums[2] += [date] if date else []
    merged = {
        (row["source"], row["domain"]): tuple(row.values())[2:] for row in merge_counts(tables).to_pylist()
    }
    assert merged == {
        key: (n, size, min(dates, default=None), max(dates, default=None))
        for key, (n, size, dates) in expected.items()
    }
