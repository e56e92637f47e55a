"""``on_bad_value: nullify``: a bad value costs its cell, if the column is optional and no stage needs it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from validate_runs import apply, own, raw, rejections, resources_of, with_record

from builder.domain.contract.judge import judge_of
from builder.domain.contract.value_forms import ValueForms, reader_of
from builder.domain.record import NOTE
from builder.io.contracts import builtin_contract
from builder.protocols import Outcome, Resources

CONTRACT = builtin_contract("page-1")
NEEDED = frozenset(("text",))
TEXT = "A text."


def nullifying(**options: Any) -> Resources:
    """Return the resources of a chain that needs only the text."""
    known = {"nullifies": True, "needed": NEEDED, "uses_extra": False, **options}
    return replace(resources_of(CONTRACT, known.pop("renames", None)), **known)


def nulled(outcome: Outcome) -> dict[str, int]:
    return {name.removeprefix("nulled."): n for name, n in outcome.counts.items()}


def lines(*records: Any) -> pa.RecordBatch:
    return raw(*(one if isinstance(one, bytes) else json.dumps(one).encode() for one in records))


BAD_LINES = {
    "a wrong type": (b'{"text": "A text.", "status": "200"}', "/status"),
    "a wrong format": (b'{"text": "A text.", "fetched_at": "yesterday"}', "/fetched_at"),
    "an instant that no column can store": (
        b'{"text": "A text.", "fetched_at": "9999-12-31T23:59:59-23:59"}',
        "/fetched_at",
    ),
    "NaN": (b'{"text": "A text.", "status": NaN}', "/status"),
    "infinity inside of an object": (b'{"text": "A text.", "headers": {"age": [-Infinity]}}', "/headers"),
    "half of a surrogate pair": (b'{"text": "A text.", "title": "\\ud800"}', "/title"),
    "a key that occurs twice": (b'{"text": "A text.", "headers": {"a": 1, "a": 2}}', "/headers"),
    "an integer outside of int64": (b'{"text": "A text.", "status": 9223372036854775808}', "/status"),
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_a_bad_value_costs_its_cell(what: str) -> None:
    """The page is kept, the cell is null and counted by pointer, and the ledger's message names it."""
    line, pointer = BAD_LINES[what]
    good = lines({"text": "Other.", "status": 200})
    outcome = apply(raw(line, good.column(1)[0].as_py()), nullifying())
    assert outcome.kept.column("text").to_pylist() == [TEXT, "Other."]
    assert outcome.kept.column(pointer[1:])[0].as_py() is None
    assert nulled(outcome) == {pointer: 1}
    notes = outcome.kept.column(NOTE).to_pylist()
    assert (notes[0].startswith(f"{pointer} was made null ("), notes[1]) == (True, None)


@pytest.mark.parametrize("what", BAD_LINES)
def test_reject_keeps_the_strict_rule(what: str) -> None:
    """With `on_bad_value: reject`, the same value costs the record."""
    assert apply(raw(BAD_LINES[what][0]), nullifying(nullifies=False)).kept.num_rows == 0


def test_a_bad_value_that_a_stage_needs_costs_the_record() -> None:
    """The reason is that of the value, as with `on_bad_value: reject`."""
    batch = lines({"text": TEXT, "url": 7}, {"text": 7, "html": "<p>x"}, {"text": TEXT, "title": 1})
    outcome = apply(batch, nullifying(needed=frozenset(("text", "url"))))
    assert rejections(outcome) == [
        ("rejected", "validate", "type", "/url"),
        ("rejected", "validate", "type", "/text"),
    ]
    assert nulled(outcome) == {"/title": 1}
    assert nulled(apply(batch, nullifying())) == {"/url": 1, "/title": 1}


def test_a_page_without_content_is_rejected_as_before() -> None:
    """The contract requires html or text; no value is removed to meet it, and none is counted."""
    outcome = apply(lines({"url": "https://a.example/", "status": "x"}), nullifying())
    assert rejections(outcome) == [("rejected", "validate", "any_of", "")]
    assert nulled(outcome) == {}


def test_members_that_nothing_uses_are_left_out_without_a_count() -> None:
    """page-1 does not publish them, so nobody loses a value."""
    outcome = apply(raw(b'{"text": "A text.", "score": NaN, "tags": {"a": 1, "a": 2}}'), nullifying())
    assert outcome.kept.column("text").to_pylist() == [TEXT]
    assert nulled(outcome) == {}
    counted = apply(raw(b'{"text": "A text.", "score": NaN}'), nullifying(uses_extra=True))
    assert nulled(counted) == {"/score": 1}


def test_renamed_members_are_judged_under_their_new_names() -> None:
    """A bad value that `rename` moves to a needed column costs the record, to another column the cell."""
    line = b'{"body": "A text.", "meta": {"when": "soon", "x": NaN}}'
    renames = {"body": "text", "meta.when": "fetched_at"}
    outcome = apply(raw(line), nullifying(renames=renames))
    assert (outcome.kept.column("text").to_pylist(), nulled(outcome)) == ([TEXT], {"/fetched_at": 1})
    broken = apply(raw(b'{"body": NaN, "html": "<p>x"}'), nullifying(renames=renames))
    assert rejections(broken) == [("failed", "jsonl", "not_a_number", None)]


COLUMNS = {
    "NaN": pa.array([float("nan"), 1.5]),
    "bytes": pa.array([b"\x89PNG\xff", b"\xff"]),
    "UUID": pa.array([b"\xd8" * 16, b"\x00" * 16], pa.binary(16)),
    "duration": pa.array([timedelta(seconds=3), timedelta(0)]),
    "instant": pa.array([2**62, 0], pa.timestamp("s")),
    "list of NaN": pa.array([[float("nan")], [1.0]]),
    "struct of bytes": pa.array([{"a": b"\xff"}, {"a": b"x"}]),
    "map with a key twice": pa.array([[("a", 1), ("a", 2)], []], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_that_nothing_uses_costs_nothing(kind: str) -> None:
    """A value without a JSON form does not cost the text next to it."""
    batch = with_record({"text": pa.array([TEXT, "Other."]), "unused": COLUMNS[kind]}, 2)
    for resources in (nullifying(), nullifying(nullifies=False)):
        outcome = apply(batch, resources)
        assert outcome.kept.column("text").to_pylist() == [TEXT, "Other."]
        assert nulled(outcome) == {}


@pytest.mark.parametrize("kind", sorted(COLUMNS.keys() - {"instant"}))  # an instant is a title, as text
def test_a_cell_of_an_optional_column_that_cannot_be_read_becomes_null(kind: str) -> None:
    """The column is declared by page-1, so the null is counted."""
    batch = with_record({"title": COLUMNS[kind], "text": pa.array([TEXT, "Other."])}, 2)
    outcome = apply(batch, nullifying())
    assert outcome.kept.column("text").to_pylist() == [TEXT, "Other."]
    assert 1 <= nulled(outcome)["/title"] <= 2
    strict = apply(batch, nullifying(nullifies=False))
    assert strict.rejected.num_rows == nulled(outcome)["/title"]


def test_a_row_with_several_bad_cells_loses_all_of_them() -> None:
    """Cells that cannot be read, and cells that the contract refuses."""
    columns = {
        "title": pa.array([float("nan")]),
        "status": pa.array(["x"]),
        "author": pa.array([b"\xff"]),
        "text": pa.array([TEXT * 100]),
    }
    outcome = apply(with_record(columns, 1), nullifying())
    assert outcome.kept.column("text").to_pylist() == [TEXT * 100]
    assert nulled(outcome) == {"/title": 1, "/status": 1, "/author": 1}


def test_a_row_that_fails_in_one_cell_keeps_its_url() -> None:
    """The rejection has the URL and the members that can be read."""
    columns = {"url": pa.array(["https://a.example/"]), "text": pa.array([b"\xff"])}
    (row,) = apply(with_record(columns, 1), nullifying()).rejected.to_pylist()
    assert (row["outcome"], row["reason"], row["url"]) == ("failed", "invalid_utf8", "https://a.example/")
    assert json.loads(row["record"]) == {"url": "https://a.example/"}


def test_a_contract_of_your_own_may_nullify_too() -> None:
    """A required member is never removed."""
    schema = {
        "type": "object",
        "required": ["body"],
        "properties": {"body": {"type": "string"}, "n": {"type": "integer", "minimum": 1}},
    }
    resources = replace(resources_of(own(schema)), nullifies=True)
    outcome = apply(lines({"body": "x", "n": 0}, {"body": 1, "n": 2}, {"body": "y", "n": 3}), resources)
    assert outcome.kept.column("n").to_pylist() == [None, 3]
    assert rejections(outcome) == [("rejected", "validate", "type", "/body")]
    assert nulled(outcome) == {"/n": 1}


values = st.one_of(
    st.none(),
    st.text("aü", max_size=3),
    st.integers(-5, 5),
    st.sampled_from(["2024-01-01T00:00:00Z", "2024-01-01", 2**63, 1.5, True, [], {}, {"a": 1}]),
)
members = st.sampled_from(["url", "text", "html", "fetched_at", "status", "title", "headers", "other"])


@given(st.lists(st.dictionaries(members, values, max_size=6), max_size=6))
def test_nullify_equals_its_slow_twin(records: list[dict[str, Any]]) -> None:
    """Twin: read values as the contract asks, drop each member that is refused, then judge what is left."""
    judge, kept, counted = judge_of(CONTRACT), [], 0
    read = reader_of(CONTRACT, ValueForms())
    for written in records:
        record = written if read is None or judge.accepts(written) else read(written, Counter())
        bad = [
            name
            for name, value in record.items()
            if not judge.accepts({"text": TEXT, "html": TEXT, name: value})
            or (name == "status" and value == 2**63)
        ]
        rest = {name: value for name, value in record.items() if name not in bad}
        if judge.accepts(rest) and not NEEDED & set(bad):
            kept.append(rest)
            counted += len(bad)
    outcome = apply(lines(*records), nullifying())
    assert outcome.kept.column("title").to_pylist() == [one.get("title") for one in kept]
    assert outcome.kept.column("text").to_pylist() == [one.get("text") for one in kept]
    assert sum(nulled(outcome).values()) == counted
