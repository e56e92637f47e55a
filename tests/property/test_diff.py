"""Laws of the comparison of versions: it finds the same as a slow twin that has all rows in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import event, given, settings
from hypothesis import strategies as st

from builder.comparison.compare import Comparison, compare
from builder.comparison.row_changes import RowChange, walk_rows
from builder.comparison.sides import Side, SideShard
from builder.domain.ledger import LEDGER_SCHEMA
from builder.domain.version import SplitChanges

Rows = dict[str, list[dict[str, Any]]]
SPLITS = ["train", "validation", "test"]
COLUMNS = [
    pa.field("id", pa.string()),
    pa.field("url", pa.string()),
    pa.field("text", pa.string()),
    pa.field("n", pa.int64()),
    pa.field("tags", pa.list_(pa.string())),
]
IDS = [f"{n:032x}" for n in (0, 1, 2**64, 2**64 + 1, 2**127, 7 << 64)] + [f"{n:032X}" for n in (171, 205)]
IDS += ["", "a", "é" * 16, "0" * 31, "0" * 33, "g" * 32] + [
    hashlib.md5(bytes([n])).hexdigest() for n in range(40)
]
REASONS = [
    ("rejected", "takedown", "taken_down"),
    ("merged", "dedup_near", "near_duplicate"),
    ("rejected", "publishable", "min_length"),
    ("rejected", "build", "source_gone"),
    ("kept", None, None),
]

values = st.fixed_dictionaries(
    {
        "url": st.one_of(st.none(), st.sampled_from(["https://example.org/a", "https://example.org/b"])),
        "text": st.sampled_from(["", "one two three", "one  two three", "one two four", "x" * 300]),
        "n": st.one_of(st.none(), st.integers(-1, 1)),
        "tags": st.one_of(st.none(), st.lists(st.sampled_from(["a", "b"]), max_size=2)),
    }
)


@st.composite
def versions(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Draw two versions; most rows of the second are rows of the first, at their place."""
    ids = draw(st.lists(st.sampled_from(IDS), min_size=6, max_size=18, unique=True))
    old: Rows = {name: [] for name in SPLITS}
    new: Rows = {name: [] for name in SPLITS}
    for name in ids:
        row = {"id": name, **draw(values)}
        split = draw(st.sampled_from(SPLITS))
        change = draw(st.sampled_from(["stay", "stay", "remove", "add", "change", "change", "move", "both"]))
        if change != "add":
            old[split].append(row)
        if change in ("change", "both"):
            row = {"id": name, **draw(values)}
        if change in ("move", "both"):
            split = draw(st.sampled_from(SPLITS))
        if change != "remove":
            at = draw(st.sampled_from([len(new[split]), len(new[split]), 0, len(new[split]) // 2]))
            new[split].insert(at, row)
    return old, new


ledgers = st.lists(
    st.lists(st.one_of(st.none(), st.sampled_from(REASONS)), min_size=20, max_size=20).map(
        lambda told: {name: reason for name, reason in zip(IDS[::2], told, strict=False) if reason}
    ),
    max_size=3,
)


cuts = st.lists(st.integers(1, 7), min_size=1, max_size=4)
# The document id is the first column of every version.
column_sets = st.sampled_from(
    [COLUMNS, COLUMNS, COLUMNS, COLUMNS[:4], [COLUMNS[0], *reversed(COLUMNS[1:])], COLUMNS[::2]]
)


def write_side(folder: Path, rows: Rows, columns: list[pa.Field], sizes: list[int]) -> Side:
    """Write shards of these sizes in turn; equal shards get equal hashes, as in a corpus."""
    schema, shards = pa.schema(columns), []
    folder.mkdir()
    for split, mine in rows.items():
        start = turn = 0
        while start < len(mine):
            stop = start + sizes[turn % len(sizes)]
            table = pa.Table.from_pylist(mine[start:stop], schema=schema)
            path = folder / f"{split}-{start}.parquet"
            pq.write_table(table, path, row_group_size=3)
            sha256 = hashlib.sha256(repr(table.to_pylist()).encode()).hexdigest()
            shards.append(SideShard(split=split, path=path, sha256=sha256, rows=len(table)))
            start, turn = stop, turn + 1
    return Side(columns=schema, shards=shards)


def write_records(folder: Path, name: str, told: list[list[dict[str, Any]]]) -> list[Path]:
    """Write ledgers; missing values of the given rows are null or blank."""
    blank = dict.fromkeys(LEDGER_SCHEMA.names) | {"source": "", "path": "", "ordinal": 0, "offset": 0}
    paths = []
    for number, rows in enumerate(told):
        paths.append(folder / f"{name}-{number}.parquet")
        table = pa.Table.from_pylist([blank | row for row in rows], schema=LEDGER_SCHEMA)
        pq.write_table(table, paths[-1], row_group_size=4)
    return paths


def write_ledgers(folder: Path, told: list[dict[str, Any]]) -> list[Path]:
    paths = []
    for number, rows in enumerate(told):
        blank = dict.fromkeys(LEDGER_SCHEMA.names) | {"source": "", "path": "", "ordinal": 0, "offset": 0}
        table = [
            blank | {"record_id": "r", "document_id": i, "outcome": o, "stage": s, "reason": r}
            for i, (o, s, r) in rows.items()
        ]
        paths.append(folder / f"ledger-{number}.parquet")
        pq.write_table(pa.Table.from_pylist(table, schema=LEDGER_SCHEMA), paths[-1])
    return paths


def run(
    old: Side,
    new: Side,
    *,
    paths: list[Path],
    older: list[Path] | None = None,
    rows_at_once: int,
    group_bytes: int,
) -> tuple[Comparison, list[RowChange], Counter[str]]:
    with tempfile.TemporaryDirectory() as scratch:
        found = compare(
            old,
            new,
            scratch=Path(scratch),
            ledgers=paths,
            older_ledgers=older or [],
            rows_at_once=rows_at_once,
        )
        told: list[RowChange] = []
        columns = walk_rows(
            found,
            scratch=Path(scratch),
            url_columns=("url", "url" if "url" in new.columns.names else None),
            limit=None,
            report=told.append,
            group_bytes=group_bytes,
        )
    return found, told, columns


# -- the slow twin ---------------------------------------------------------------------------------


def slow_rows(old: Rows, new: Rows, common: list[str], told: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return kind, id, split, old split, reason, columns, reordered: removed rows first, then all others."""
    was = {row["id"]: (split, at, row) for split, rows in old.items() for at, row in enumerate(rows)}
    there = {row["id"] for rows in new.values() for row in rows}
    why: dict[str, Any] = {}
    for ledger in told:
        why |= {name: reason for name, reason in ledger.items() if reason[0] != "kept"}
    found: list[tuple[Any, ...]] = [
        ("removed", row["id"], split, None, why.get(row["id"]), (), False)
        for split in names_of(old, new)
        for row in old[split]
        if row["id"] not in there
    ]
    for split in names_of(old, new):
        last = -1
        for row in new[split]:
            if row["id"] not in was:
                found.append(("added", row["id"], split, None, None, (), False))
                continue
            old_split, at, before = was[row["id"]]
            differs = tuple(name for name in common if row[name] != before[name])
            reordered = old_split == split and at < last
            last = max(last, at) if old_split == split else last
            kind = (
                "moved" if old_split != split else "changed" if differs else "reordered" if reordered else ""
            )
            if kind:
                moved_from = old_split if kind == "moved" else None
                found.append((kind, row["id"], split, moved_from, None, differs, reordered))
    return found


def slow_counts(old: Rows, new: Rows, rows: list[tuple[Any, ...]]) -> dict[str, SplitChanges]:
    """Count rows by their old split; added rows by their new split."""
    counts = Counter((row[0], row[3] or row[2]) for row in rows)
    reordered = Counter(row[2] for row in rows if row[6])
    return {
        name: SplitChanges(
            **{kind: counts[kind, name] for kind in ("removed", "changed", "moved", "added")},
            reordered=reordered[name],
        )
        for name in names_of(old, new)
    }


def names_of(old: Rows, new: Rows) -> list[str]:
    """List the splits that have rows; the splits of the old side come first."""
    return list(dict.fromkeys([s for s in SPLITS if old[s]] + [s for s in SPLITS if new[s]]))


@settings(max_examples=120)
@given(versions(), column_sets, column_sets, cuts, cuts, ledgers, st.integers(1, 9), st.integers(1, 400))
def test_the_comparison_finds_the_same_as_a_slow_twin(
    two: tuple[Rows, Rows],
    old_columns: list[pa.Field],
    new_columns: list[pa.Field],
    old_cuts: list[int],
    new_cuts: list[int],
    told: list[dict[str, Any]],
    rows_at_once: int,
    group_bytes: int,
) -> None:
    """The comparison works in parts: the number of rows in memory must not change rows, reasons or counts."""
    names = {field.name for field in new_columns}
    common = [field.name for field in old_columns if field.name in names]
    old, new = two
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sides = (
            write_side(folder / "old", old, old_columns, old_cuts),
            write_side(folder / "new", new, new_columns, new_cuts),
        )
        paths = write_ledgers(folder, told)
        found, rows, columns = run(*sides, paths=paths, rows_at_once=rows_at_once, group_bytes=group_bytes)
    expected = slow_rows(old, new, common, told)
    assert [
        (r.kind, r.id, r.split, r.old_split, r.because, tuple(n for n, _ in r.columns), r.reordered)
        for r in rows
    ] == expected
    assert dict(found.splits) == slow_counts(old, new, expected)
    assert columns == Counter(name for row in expected for name in row[5])
    assert found.removed == Counter(row[4] for row in expected if row[0] == "removed")
    urls = {row["id"]: row.get("url") for split in (*old.values(), *new.values()) for row in split}
    if "url" in names:
        assert all(row.url == urls[row.id] for row in rows if row.kind != "removed")
    for kind in ("removed", "added", "moved", "changed", "reordered"):
        event(f"{kind}: {any(row[0] == kind for row in expected)}")
    event(f"shared shards: {found.n_shared > 0}")


@settings(max_examples=50)
@given(versions(), cuts, cuts, st.integers(1, 9))
def test_a_version_has_no_changes_against_itself(
    two: tuple[Rows, Rows], old_cuts: list[int], new_cuts: list[int], rows_at_once: int
) -> None:
    """This holds for the same shards, and for the same rows in other shards."""
    rows, _ = two
    with tempfile.TemporaryDirectory() as place:
        one = write_side(Path(place) / "one", rows, COLUMNS, old_cuts)
        other = write_side(Path(place) / "other", rows, COLUMNS, new_cuts)
        for side in (one, other):
            found, told, columns = run(one, side, paths=[], rows_at_once=rows_at_once, group_bytes=100)
            assert told == []
            assert not columns
            assert set(found.splits.values()) <= {SplitChanges()}
            assert side is other or found.n_read == 0


@settings(max_examples=50)
@given(versions(), cuts, st.integers(0, 3))
def test_a_limit_reports_the_first_rows_of_each_kind_and_counts_all(
    two: tuple[Rows, Rows], sizes: list[int], limit: int
) -> None:
    """The counts of columns must not depend on how many examples a user wants to see."""
    old, new = two
    with tempfile.TemporaryDirectory() as place:
        sides = [write_side(Path(place) / n, r, COLUMNS, sizes) for n, r in (("old", old), ("new", new))]
        _, all_rows, all_columns = run(*sides, paths=[], rows_at_once=4, group_bytes=100)
        with tempfile.TemporaryDirectory() as scratch:
            found = compare(*sides, scratch=Path(scratch), rows_at_once=4)
            told: list[RowChange] = []
            columns = walk_rows(
                found,
                scratch=Path(scratch),
                url_columns=("url", "url"),
                limit=limit,
                report=told.append,
                group_bytes=100,
            )
    first: Counter[str] = Counter()
    expected = []
    for row in all_rows:
        first[row.kind] += 1
        if first[row.kind] <= limit:
            expected.append(row)
    assert told == expected
    assert columns == all_columns


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from(REASONS), min_size=9, max_size=9), max_size=3), st.integers(1, 9))
def test_the_newest_ledger_with_a_removed_document_gives_the_reason(
    told: list[list[Any]], rows_at_once: int
) -> None:
    """A later build may change the outcome of a record; a ledger row with `kept` has no reason to give."""
    ledgers = [dict(zip(IDS, reasons, strict=False)) for reasons in told]
    blank = {"url": None, "text": "", "n": None, "tags": None}
    old = {"train": [{"id": name} | blank for name in IDS[:12]]}
    with tempfile.TemporaryDirectory() as place:
        paths = write_ledgers(Path(place), ledgers)
        sides = [
            write_side(Path(place) / n, r, COLUMNS, [5]) for n, r in (("old", old), ("new", {"train": []}))
        ]
        _, rows, _ = run(*sides, paths=paths, rows_at_once=rows_at_once, group_bytes=100)
    expected = [
        next((one[n] for one in reversed(ledgers) if n in one and one[n][0] != "kept"), None)
        for n in IDS[:12]
    ]
    assert [row.because for row in rows] == expected


record_names = st.sampled_from(["a@0", "a@9", "b@0", "b@9"])
record_urls = st.sampled_from([None, "https://example.org/a"])
origins = st.lists(
    st.dictionaries(st.sampled_from(IDS[:9]), st.tuples(record_names, record_urls)), max_size=3
)
statements = st.lists(
    st.dictionaries(st.tuples(record_names, record_urls), st.sampled_from(REASONS)), max_size=3
)


@settings(max_examples=80)
@given(
    origins,
    statements,
    st.dictionaries(st.sampled_from(IDS[:9]), st.sampled_from(REASONS)),
    st.integers(1, 9),
)
def test_the_record_gives_the_reason_if_no_ledger_has_the_document(
    older: list[dict[str, Any]], told: list[dict[Any, Any]], named: dict[str, Any], rows_at_once: int
) -> None:
    """A full rebuild does not know earlier documents; an older ledger shows the id and URL of the record."""
    blank = {"url": None, "text": "", "n": None, "tags": None}
    old = {"train": [{"id": name} | blank for name in IDS[:9]]}
    keys = ("outcome", "stage", "reason")
    kept = [
        [{"record_id": r, "url": u, "outcome": "kept", "document_id": i} for i, (r, u) in rows.items()]
        for rows in older
    ]
    said = [
        [{"record_id": r, "url": u} | dict(zip(keys, why, strict=True)) for (r, u), why in rows.items()]
        for rows in told
    ]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = [*write_ledgers(folder, [named]), *write_records(folder, "new", said)]
        sides = [write_side(folder / n, r, COLUMNS, [5]) for n, r in (("one", old), ("two", {"train": []}))]
        before = write_records(folder, "old", kept)
        found, rows, _ = run(*sides, paths=paths, older=before, rows_at_once=rows_at_once, group_bytes=100)
    expected = []
    for name in IDS[:9]:
        why = named.get(name)
        if why is None or why[0] == "kept":
            record = next((one[name] for one in reversed(older) if name in one), None)
            found_why = (one[record] for one in reversed(told) if record in one and one[record][0] != "kept")
            why = next(found_why, None)
        expected.append(why)
    assert [row.because for row in rows] == expected
    assert found.removed == Counter(expected)
