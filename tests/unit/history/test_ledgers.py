"""Tests of `LedgerHistory`: the newest row of each record, from the ledgers of several versions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.ledger import LEDGER_SCHEMA
from builder.history.ledgers import LedgerHistory

RECORDS = [f"r{i}" for i in range(6)]
IDS = [None, "a" * 32, "b" * 32, "c" * 32]
Row = dict[str, Any]


class Ledgers:
    """The part of a corpus that a history uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ledger_file(self, version: str) -> Path:
        return self.folder / f"{version}.parquet"


def history(folder: Path, ledgers: list[list[Row] | None]) -> LedgerHistory:
    """Write ledgers in row groups of two rows; None is a version without a ledger."""
    corpus = Ledgers(folder)
    blank = dict.fromkeys(LEDGER_SCHEMA.names) | {"source": "s", "path": "p", "ordinal": 0, "offset": 0}
    for number, rows in enumerate(ledgers):
        if rows is not None:
            table = pa.Table.from_pylist([blank | row for row in rows], schema=LEDGER_SCHEMA)
            pq.write_table(table, corpus.ledger_file(str(number)), row_group_size=2)
    return LedgerHistory(corpus, [str(number) for number in range(len(ledgers))])  # type: ignore[arg-type]


rows = st.fixed_dictionaries(
    {
        "record_id": st.sampled_from(RECORDS),
        "outcome": st.sampled_from(["kept", "merged"]),
        "url": st.sampled_from([None, "https://a.example/", "https://b.example/"]),
        "document_id": st.sampled_from(IDS),
        "kept_id": st.sampled_from(IDS),
    }
)
ledgers = st.lists(
    st.one_of(st.none(), st.lists(rows, unique_by=lambda row: row["record_id"], max_size=6)), max_size=4
)


def slow_latest(read: list[list[Row] | None], is_found: Callable[[Row], bool]) -> list[Row]:
    """Read all rows: a record is found if any of its rows is, and its last row is the newest."""
    every = [row for ledger in read for row in ledger or ()]
    counts = dict.fromkeys(row["record_id"] for row in every if is_found(row))
    newest = {row["record_id"]: row for row in every}
    return [newest[record] for record in counts]


def columns_of(found: list[Row]) -> list[Row]:
    return [
        {name: row[name] for name in ("record_id", "outcome", "url", "document_id", "kept_id")}
        for row in found
    ]


@given(ledgers, st.sampled_from(IDS[1:]))
def test_latest_returns_the_newest_row_of_each_record_that_is_found(
    read: list[list[Row] | None], one: str
) -> None:
    """Any row finds its record, even if a newer row has replaced it; records are in the order of finding."""
    named = pc.field("kept_id") == one
    expected = slow_latest(read, lambda row: row["kept_id"] == one)
    with tempfile.TemporaryDirectory() as folder:
        found = history(Path(folder), read)
        assert columns_of(found.latest(named)) == expected
        assert columns_of(found.latest(lambda ledger: ledger.to_table(filter=named).to_pylist())) == expected
        assert found.is_complete == (None not in read)
        columns = ["record_id", "outcome"]
        assert found.latest(named, columns=columns) == [{n: row[n] for n in columns} for row in expected]


@given(ledgers)
def test_is_meant_filters_the_rows_that_find_a_record(read: list[list[Row] | None]) -> None:
    """Once a record is found, its newest row is returned even if ``is_meant`` refuses that row."""

    def is_meant(row: Row) -> bool:
        return bool(row["document_id"]) and row["outcome"] == "kept"

    expected = slow_latest(read, is_meant)
    with tempfile.TemporaryDirectory() as folder:
        found = history(Path(folder), read).latest(pc.field("document_id").is_valid(), is_meant=is_meant)
    assert columns_of(found) == expected


@given(ledgers, st.sets(st.sampled_from(IDS[1:])))
def test_under_returns_the_records_that_documents_represent_now(
    read: list[list[Row] | None], kept: set[str]
) -> None:
    """A record that one of them represented before, and does not represent now, is left out."""
    expected = [
        row for row in slow_latest(read, lambda row: row["kept_id"] in kept) if row["kept_id"] in kept
    ]
    with tempfile.TemporaryDirectory() as folder:
        assert columns_of(history(Path(folder), read).under(kept)) == expected


def test_a_folder_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    """A corpus may be in any folder; ``year=2024`` in its path is only a name."""
    folder = tmp_path / "outcome=kept" / "year=2024"
    folder.mkdir(parents=True)
    row = {"record_id": "r", "outcome": "merged", "kept_id": "a" * 32}
    (found,) = history(folder, [[row]]).latest(pc.field("kept_id").is_valid())
    assert (set(found), found["outcome"]) == (set(LEDGER_SCHEMA.names), "merged")


@pytest.mark.parametrize("n_versions", [0, 1])
def test_without_ledgers_nothing_is_found(n_versions: int, tmp_path: Path) -> None:
    """A fetched corpus may have no ledgers."""
    found = history(tmp_path, [None] * n_versions)
    assert (found.latest(pc.field("kept_id").is_valid()), found.under(["a" * 32])) == ([], [])
