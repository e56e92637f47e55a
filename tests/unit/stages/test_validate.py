"""``validate``: every record becomes a typed row or a rejection with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from blake3 import blake3
from validate_runs import PAGE, apply, own, raw, rejections, resources_of, with_record

from builder.domain.record import ALIASES, JSON_FIELD, PAGE_KEY, RECORD, RECORD_FIELD
from builder.errors import RecipeError
from builder.io.contracts import builtin_contract
from builder.protocols import Columns, Resources
from builder.stages.validate import Validate

if TYPE_CHECKING:
    pass


def test_bind_returns_the_schema_of_the_kept_rows() -> None:
    """The next stage is bound to this schema."""
    bound = Validate().bind(pa.schema([RECORD_FIELD]), PAGE)
    assert apply(raw(b'{"text": "x"}')).kept.schema.equals(bound)
    assert apply(raw()).kept.schema.equals(bound)


def test_records_become_typed_columns() -> None:
    """Members that the contract does not declare go to ``extra``."""
    line = b'{"b": 0.10, "text": "x", "fetched_at": "2017-05-01t02:00:00+02:00", "status": 2e2,'
    line += b'"headers": {"b": 1, "a": 2}}'
    (row,) = apply(raw(line)).kept.drop_columns([RECORD, PAGE_KEY]).to_pylist()
    assert row.pop("fetched_at").isoformat() == "2017-05-01T00:00:00+00:00"
    filled = {name: value for name, value in row.items() if value is not None}
    assert filled == {"text": "x", "status": 200, "headers": '{"a":2,"b":1}', "extra": '{"b":0.1}'}


def test_each_bad_record_has_its_reason() -> None:
    """Invalid JSON fails in the source; a record that does not meet the contract is rejected by validate."""
    outcome = apply(
        raw(
            b"{",
            b'{"text": NaN}',
            b"[1]",
            b'{"url": "u"}',
            b'{"text": "x"}',
            b'{"text": "x", "text": "y"}',
            b'{"text": "x", "status": 18446744073709551616}',
        )
    )
    assert rejections(outcome) == [
        ("failed", "jsonl", "broken_json", None),
        ("failed", "jsonl", "not_a_number", None),
        ("rejected", "validate", "type", ""),
        ("rejected", "validate", "any_of", ""),
        ("rejected", "validate", "duplicate_key", "/text"),
        ("rejected", "validate", "integer_range", "/status"),
    ]
    assert {row["reason"] for row in outcome.rejected.to_pylist()} <= Validate.reasons.keys()
    assert outcome.kept.column(RECORD)[0]["ordinal"].as_py() == 4


def test_a_rejection_keeps_the_record_and_all_its_faults() -> None:
    """It has the original bytes, the URL, and the faults in order."""
    line = b'{"url": "u", "text": 1, "status": "x"}'
    (row,) = apply(raw(line)).rejected.to_pylist()
    assert (row["record"], row["url"], row["reason"]) == (line, "u", "any_of")
    assert [(f["pointer"], f["keyword"]) for f in row["faults"]] == [
        ("", "any_of"),
        ("/text", "type"),
        ("/status", "type"),
    ]
    assert row["faults"][1]["value"] == "1"


def test_a_rejected_record_is_cut_after_one_mebibyte() -> None:
    """The audit file stays small."""
    (row,) = apply(raw(b'{"foo": "' + b"x" * (2 << 20) + b'"}')).rejected.to_pylist()
    assert len(row["record"]) == 1 << 20


@pytest.mark.parametrize(
    ("renames", "line", "text", "extra"),
    [
        ({"body": "text"}, b'{"body": "x"}', "x", None),
        ({"meta.text": "text"}, b'{"meta": {"text": "x", "n": 1}}', "x", {"meta": {"n": 1}}),
        ({"a.b.c": "text"}, b'{"a": {"b": {"c": "x"}}}', "x", {"a": {"b": {}}}),
        ({"a.b": "text"}, b'{"a.b": "x", "a": {"b": "y"}}', "x", {"a": {"b": "y"}}),
        ({"a.b": "text"}, b'{"a": 1, "text": "x"}', "x", {"a": 1}),
        ({"body": "text"}, b'{"body": "x", "text": null}', "x", None),
        ({"body": "text", "text": "title"}, b'{"body": "x", "text": "t"}', "x", None),
    ],
)
def test_members_are_renamed(renames: dict[str, str], line: bytes, text: str, extra: Any) -> None:
    """A literal name with dots has priority over a path; two members can swap their names."""
    (row,) = apply(raw(line), resources_of(builtin_contract("page-1"), renames)).kept.to_pylist()
    assert row["text"] == text
    assert (json.loads(row["extra"]) if row["extra"] else None) == extra


def test_a_rename_never_loses_a_value() -> None:
    """If the new name already has a value, the record is rejected."""
    resources = resources_of(builtin_contract("page-1"), {"body": "text"})
    outcome = apply(raw(b'{"body": "x", "text": "y"}'), resources)
    assert rejections(outcome) == [("rejected", "validate", "rename_conflict", None)]


def test_page_keys_are_hashes_of_the_original_bytes() -> None:
    """The key is the BLAKE3 of the HTML, else of the text, else of the canonical form of the record."""
    kept = apply(
        raw(b'{"html": "\\u00e4", "text": "x"}', b'{"text": "x"}', b'{"text": "x", "url": "u"}')
    ).kept
    expected = [blake3(data).digest(length=16) for data in ("ä".encode(), b"x", b"x")]
    assert kept.column(PAGE_KEY).to_pylist() == expected
    contract = own({"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "integer"}}})
    roles = Resources(contract=contract, columns=Columns(text=None, html=None, url=None, fetched_at=None))
    (key,) = apply(raw(b'{"b": 1.0, "a": 2}'), roles).kept.column(PAGE_KEY).to_pylist()
    assert key == blake3(b'{"a":2,"b":1.0}').digest(length=16)


def test_columns_of_a_source_are_checked_like_records() -> None:
    """Typed columns are renamed; JSON text is parsed; a null in a column is an absent member."""
    batch = with_record(
        {
            "body": pa.array(["x", None], pa.large_string()),
            "fetched_at": pa.array([0, 1], pa.timestamp("ms")),
            "status": pa.array([200, 404], pa.int16()),
            "tags": pa.array([["a"], None]),
            ALIASES: pa.array([["u"], None]),
        },
        2,
    )
    batch = batch.append_column(
        pa.field("headers", pa.string(), metadata=JSON_FIELD), pa.array(['{"A": 1}', "{}"])
    )
    outcome = apply(batch, resources_of(builtin_contract("page-1"), {"body": "text"}))
    (row,) = outcome.kept.to_pylist()
    assert (row["text"], row["status"], row["headers"]) == ("x", 200, '{"A":1}')
    assert (row["extra"], row[ALIASES]) == ('{"tags":["a"]}', ["u"])
    (bad,) = outcome.rejected.to_pylist()
    assert bad["reason"] == "any_of"
    assert json.loads(bad["record"]) == {
        "fetched_at": "1970-01-01T00:00:00.001Z",
        "status": 404,
        "headers": {},
    }


def test_a_null_in_a_column_is_absent_or_null_as_the_contract_allows() -> None:
    """A null is accepted for an optional non-nullable member and for a required nullable member."""
    contract = own(
        {
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "b": {"type": ["string", "null"]},
                "c": {"type": "string"},
            },
            "required": ["b", "c"],
        }
    )
    roles = Resources(contract=contract, columns=Columns(text=None, html=None, url=None, fetched_at=None))
    nulls = pa.nulls(2, pa.string())
    outcome = apply(with_record({"a": nulls, "b": nulls, "c": pa.array(["x", None])}, 2), roles)
    assert outcome.kept.num_rows == 1
    assert [row[2:] for row in rejections(outcome)] == [("required", "")]


def test_nan_in_a_column_fails_in_its_source() -> None:
    """NaN is not valid JSON, so the record fails as it would in a JSON line."""
    outcome = apply(with_record({"text": pa.array(["x"]), "n": pa.array([float("nan")])}, 1))
    assert rejections(outcome) == [("failed", "jsonl", "not_a_number", None)]


def test_a_contract_with_a_column_id_is_refused() -> None:
    """The build creates the column ``id``, so records cannot have it."""
    with pytest.raises(RecipeError, match="column 'id'"):
        Validate().bind(pa.schema([RECORD_FIELD]), resources_of(builtin_contract("document-1")))
