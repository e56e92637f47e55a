"""Laws of contracts: accepted records are stored in their canonical form, and both validators agree."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import referencing
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builder.domain.contract.canonical_record import canonical_record
from builder.domain.contract.contract import Contract
from builder.domain.contract.judge import Judge
from builder.domain.contract.mapping import map_schema
from builder.domain.contract.tabulate import tabulate
from builder.domain.json.exact import Broken, parse_exactly
from builder.domain.json.text import MAX_DEPTH, parse
from builder.domain.json.writer import canonical_text
from builder.domain.record import RAW, RECORD, record_column
from builder.protocols import Columns, Resources
from builder.stages.publishable import Publishable
from builder.stages.validate import Validate

# -- values and schemas ----------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = TEXTS.filter(lambda name: not name.startswith("_") and name not in ("extra", "id"))
INTEGERS = (
    st.integers(-(2**70), 2**70) | st.integers(-100, 100) | st.sampled_from([2**53 + 1, 2**63, -(2**63)])
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LITERALS = st.sampled_from(
    ["0.1000000000000000000001", "1.00", "1e3", "-0.0", "1E-5", "123456789012345678.0", "1e30", "4.94e-324"]
).map(Decimal)
WHOLE_FLOATS = st.sampled_from([1.0, -0.0, 2.0**63, -(2.0**63), 1e300])
NUMBERS = INTEGERS | FLOATS | LITERALS
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def instants(draw: st.DrawFn) -> str:
    """Draw instants in all forms of RFC 3339; not all of them have a canonical form."""
    edges = st.sampled_from([dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)])
    moment = draw(st.datetimes() | edges)
    fraction = draw(st.sampled_from(["", ".5", ".123456", ".1234560", ".1234567", ".000000000"]))
    zone = draw(st.sampled_from(["Z", "z", "+00:00", "-00:00", "+05:30", "-23:59", "+01:00"]))
    return (
        moment.strftime("%Y").zfill(4)
        + moment.strftime("-%m-%d")
        + draw(st.sampled_from("Tt"))
        + (moment.strftime("%H:%M:%S") + fraction + zone)
    )


DATES = st.dates().map(dt.date.isoformat) | st.just("0000-02-28")


@st.composite
def places(draw: st.DrawFn, depth: int = 0) -> tuple[dict[str, Any], st.SearchStrategy[Any]]:
    """Draw a schema that can be mapped, and values that meet it."""
    leaves = list(LEAVES)
    kind = draw(st.sampled_from(leaves if depth > 2 else [*leaves, "array", "object", "object"]))
    schema, values = draw(_place(kind, depth))
    how = draw(st.sampled_from(["plain", "plain", "types", "anyOf", "oneOf", "ref", "allOf"]))
    if how == "types" and isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}, values | st.none()
    if how in ("anyOf", "oneOf") and "x-arrow" not in schema and "enum" not in schema:
        return {how: [schema, {"type": "null"}]}, values | st.none()
    if how == "allOf":
        return {"allOf": [schema, {"description": "nothing more"}]}, values
    if how == "ref":
        name = f"s{len(DEFS)}"  # a drawn number could repeat, and one definition would replace another
        DEFS[name] = schema
        return {"$ref": f"#/$defs/{name}"}, values
    return schema, values


DEFS: dict[str, Any] = {}


@st.composite
def _place(draw: st.DrawFn, kind: str, depth: int) -> tuple[dict[str, Any], st.SearchStrategy[Any]]:
    if kind == "array":
        item, values = draw(places(depth + 1))
        return {"type": "array", "items": item}, st.lists(values, max_size=3)
    if kind == "object":
        return draw(objects(depth + 1))
    return LEAVES[kind]


LEAVES: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "string": ({"type": "string"}, TEXTS),
    "integer": ({"type": "integer"}, INTEGERS | WHOLE_FLOATS | st.just(Decimal("1e3"))),
    "number": ({"type": "number"}, NUMBERS),
    "boolean": ({"type": "boolean"}, st.booleans()),
    "date-time": ({"type": "string", "format": "date-time"}, instants()),
    "date": ({"type": "string", "format": "date"}, DATES),
    "enum": ({"enum": ["a", "b", None]}, st.sampled_from(["a", "b", None])),
    "json": ({"x-arrow": "json"}, ANYTHING),
    "open": ({"type": "object"}, st.dictionaries(TEXTS, ANYTHING, max_size=3)),
}


@st.composite
def objects(draw: st.DrawFn, depth: int = 0) -> tuple[dict[str, Any], st.SearchStrategy[Any]]:
    """Draw an open or closed object schema with declared members, some of them required."""
    members = {
        name: draw(places(depth + 1)) for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    }
    required = draw(st.lists(st.sampled_from(sorted(members)), unique=True))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: part for name, (part, _) in members.items()},
        "required": required,
    }
    declared = st.fixed_dictionaries(
        {name: members[name][1] for name in required},
        optional={name: values for name, (_, values) in members.items() if name not in required},
    )
    if draw(st.booleans()):
        return schema | {"additionalProperties": False}, declared
    others = st.dictionaries(TEXTS.filter(lambda name: name not in members), ANYTHING, max_size=2)
    return schema, st.builds(lambda mine, more: {**more, **mine}, declared, others)


@st.composite
def contracts(draw: st.DrawFn) -> tuple[Contract, list[Any]]:
    """Draw a contract, and records that meet it."""
    DEFS.clear()
    schema, values = draw(objects())
    schema = schema | {"$defs": dict(DEFS)}
    records = draw(st.lists(values, min_size=1, max_size=6))
    columns = map_schema(schema, {}, reserved=["id"])
    contract = Contract(
        name="made", major=1, schema=schema, documents={}, columns=columns, digest=canonical_text(schema)
    )
    return contract, records


def write(value: Any) -> str:
    """Write JSON with unusual blanks; a Decimal is written with its own digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} : {write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + " ]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


# -- a second implementation of the canonical form -------------------------------------------------


class NoCanonicalFormError(Exception):
    """The record must be rejected."""


def canonical(value: Any, arrow_field: pa.Field) -> Any:
    """Return the canonical form of a value as the dataset returns it, by the documented rule alone."""
    kind = arrow_field.type
    metadata = arrow_field.metadata or {}
    if value is None:
        return None
    if b"builder.json" in metadata:
        return exact(value)
    if pa.types.is_struct(kind):
        return canonical_object(value, list(kind))
    if pa.types.is_list(kind):
        return [canonical(item, kind.value_field) for item in value]
    if pa.types.is_timestamp(kind):
        return canonical_instant(value)
    if pa.types.is_date(kind):
        if value.startswith("0000"):
            raise NoCanonicalFormError
        return dt.date.fromisoformat(value)
    if pa.types.is_integer(kind):
        if not -(2**63) <= value < 2**63:
            raise NoCanonicalFormError
        return int(value)
    if pa.types.is_floating(kind):
        if isinstance(value, int) and Fraction(float(value)) != value:
            raise NoCanonicalFormError
        return float(value)
    return value


def canonical_object(value: dict[str, Any], fields: list[pa.Field]) -> dict[str, Any]:
    declared = [f for f in fields if b"builder.extra" not in (f.metadata or {})]
    form = {f.name: canonical(value.get(f.name), f) for f in declared}
    if len(declared) < len(fields):
        others = {name: exact(part) for name, part in value.items() if name not in form}
        form["extra"] = others or None
    return form


def canonical_instant(value: str) -> dt.datetime:
    head, digits, zone = value.upper(), "", "Z"
    for mark in ("Z", "+", "-"):
        at = head.find(mark, 19)
        if at > 0:
            head, zone = head[:at], head[at:]
    head, _, digits = head.partition(".")
    if digits[6:].strip("0"):
        raise NoCanonicalFormError
    moment = dt.datetime.fromisoformat(head).replace(microsecond=int(digits[:6].ljust(6, "0")))
    hours, minutes = (0, 0) if zone == "Z" else (int(zone[1:3]), int(zone[4:6]))
    offset = dt.timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    try:
        return (moment - offset).replace(tzinfo=dt.UTC)
    except OverflowError:
        raise NoCanonicalFormError from None


def exact(value: Any) -> Any:
    """Convert numbers to Decimals, so that only equal numbers compare equal."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def came_back(value: Any, arrow_field: pa.Field) -> Any:
    """Return a value of the dataset, with JSON text parsed."""
    if value is None:
        return None
    if b"builder.json" in (arrow_field.metadata or {}):
        return json.loads(value, parse_float=Decimal, parse_int=Decimal)
    if pa.types.is_struct(arrow_field.type):
        return {f.name: came_back(value[f.name], f) for f in arrow_field.type}
    if pa.types.is_list(arrow_field.type):
        return [came_back(item, arrow_field.type.value_field) for item in value]
    return value


def batch_of(lines: list[bytes]) -> pa.RecordBatch:
    record = record_column(source="jsonl", path="a", ordinals=range(len(lines)), offsets=range(len(lines)))
    return pa.RecordBatch.from_arrays([record, pa.array(lines, pa.large_binary())], names=[RECORD, RAW])


def apply_validate(contract: Contract, lines: list[bytes]) -> Any:
    roles = Columns(text=None, html=None, url=None, fetched_at=None)
    resources = Resources(contract=contract, columns=roles, kinds={"jsonl": "jsonl"})
    outcome = Validate().apply(batch_of(lines), resources=resources, guard=None)  # type: ignore[arg-type]
    assert outcome.kept.num_rows + outcome.rejected.num_rows == len(lines)
    return outcome, resources


# -- laws ------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(made=contracts())
def test_an_accepted_record_is_loaded_in_its_canonical_form(
    made: tuple[Contract, list[Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """load_dataset returns the canonical form of every accepted record; rejected records have none."""
    contract, records = made
    outcome, _ = apply_validate(contract, [write(record).encode() for record in records])
    kept = set(outcome.kept.column(RECORD).field("ordinal").to_pylist())
    expected = []
    for ordinal, record in enumerate(records):
        try:
            expected.append(canonical_object(record, list(contract.columns)))
            assert ordinal in kept
        except NoCanonicalFormError:
            assert ordinal not in kept
    assume(expected)
    rows = load(outcome.kept.select(contract.columns.names), tmp_path_factory)
    fields = list(contract.columns)
    assert expected == [{f.name: came_back(row[f.name], f) for f in fields} for row in rows]


def load(batch: pa.RecordBatch, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    from datasets import load_dataset

    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(pa.Table.from_batches([batch]), path)
    dataset = load_dataset("parquet", data_files=str(path), split="train", streaming=True)
    return list(dataset)


@pytest.mark.parametrize("leaf", LEAVES)
@given(data=st.data())
def test_a_column_stores_the_canonical_form_of_its_values(leaf: str, data: st.DataObject) -> None:
    """A value without a canonical form is a fault."""
    schema, values = LEAVES[leaf]
    columns = map_schema({"type": "object", "properties": {"a": schema}, "additionalProperties": False}, {})
    given_values = data.draw(st.lists(values, min_size=1, max_size=5))
    expected, without = [], set()
    for row, value in enumerate(given_values):
        try:
            expected.append(canonical(value, columns.field(0)))
        except NoCanonicalFormError:
            without.add(row)
    parsed = [parse(write({"a": value}).encode()).value for value in given_values]
    arrays, faults = tabulate(parsed, columns)
    assert without == set(faults)
    assert expected == [came_back(value, columns.field(0)) for value in arrays[0].to_pylist()]


@given(made=contracts())
def test_converting_columns_equals_converting_values(made: tuple[Contract, list[Any]]) -> None:
    """The fast path gives the same columns and the same faults as the slow path."""
    contract, records = made
    parsed = [parse(write(record).encode()).value for record in records]
    arrays, faults = tabulate(parsed, contract.columns)
    slow = [canonical_record(record, contract.columns) for record in parsed]
    assert {row: sorted(map(repr, found)) for row, found in faults.items()} == {
        row: sorted(repr(fault) for _, fault in found) for row, (_, found) in enumerate(slow) if found
    }
    for arrow_field, array in zip(contract.columns, arrays, strict=True):
        values = [form[arrow_field.name] for form, found in slow if not found]
        assert array.equals(pa.array(values, arrow_field.type))


@given(made=contracts())
def test_an_unchanged_record_is_publishable(made: tuple[Contract, list[Any]]) -> None:
    """An accepted record also meets its contract in its canonical form."""
    contract, records = made
    outcome, resources = apply_validate(contract, [write(record).encode() for record in records])
    published = Publishable().apply(outcome.kept, resources=resources, guard=None)  # type: ignore[arg-type]
    assert published.rejected.num_rows == 0
    assert published.kept.num_rows == outcome.kept.num_rows


@given(made=contracts())
def test_canonical_columns_are_their_own_canonical_form(made: tuple[Contract, list[Any]]) -> None:
    """Canonical columns do not change if their contract judges them again."""
    contract, records = made
    outcome, resources = apply_validate(contract, [write(record).encode() for record in records])
    columns = outcome.kept.select([RECORD, *contract.columns.names])
    again = Validate().apply(columns, resources=resources, guard=None)  # type: ignore[arg-type]
    assert again.kept.select(contract.columns.names).equals(outcome.kept.select(contract.columns.names))


JSON_BYTES = ANYTHING.map(write) | st.text(alphabet='{}[]",:0123456789.eE+-\\u aetrulsfn', max_size=20)


@settings(max_examples=300)
@given(text=JSON_BYTES)
def test_fast_parser_equals_exact_parser(text: str) -> None:
    """A value that orjson parses and that passes the checks equals that of the exact parser."""
    fast, slow = parse(text.encode()), parse_exactly(text, max_depth=MAX_DEPTH)
    if isinstance(slow, Broken):
        assert isinstance(fast, Broken)
    else:
        assert not isinstance(fast, Broken)
        assert (canonical_text(fast.value), fast.faults) == (canonical_text(slow.value), slow.faults)


@settings(max_examples=300)
@given(value=ANYTHING)
def test_canonical_text_keeps_every_number(value: Any) -> None:
    """Canonical text, read with exact numbers, gives the original value."""
    parsed = parse(write(value).encode())
    assert not isinstance(parsed, Broken)
    assert exact(value) == json.loads(canonical_text(parsed.value), parse_float=Decimal, parse_int=Decimal)


# -- two validators --------------------------------------------------------------------------------

SMALL = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, -0.0])
    | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
COUNTS = st.integers(0, 3)


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    by_name = st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    several = st.lists(inner, min_size=1, max_size=3)
    return st.booleans() | st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "enum": st.lists(SMALL, min_size=1, max_size=3),
            "const": SMALL,
            "minimum": st.integers(-2, 2),
            "exclusiveMaximum": st.integers(-2, 2),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": COUNTS,
            "pattern": st.sampled_from(["^a", "b$", "[ab]"]),
            "items": inner,
            "prefixItems": several,
            "contains": inner,
            "maxContains": COUNTS,
            "minItems": COUNTS,
            "uniqueItems": st.booleans(),
            "properties": by_name,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "required": st.lists(st.sampled_from("abc"), unique=True),
            "dependentRequired": st.dictionaries(st.sampled_from("ab"), st.just(["c"]), max_size=1),
            "dependentSchemas": by_name,
            "unevaluatedItems": inner,
            "unevaluatedProperties": inner,
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


SCHEMAS = keywords(keywords(keywords(st.booleans())))


@settings(max_examples=100)
@given(schema=SCHEMAS, values=st.lists(SMALL, min_size=1, max_size=8))
def test_both_validators_agree(schema: Any, values: list[Any]) -> None:
    """jsonschema, the reference, and jsonschema-rs accept the same values; only rejected ones have faults."""
    reference = jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
    judge = Judge(schema, {})
    for value in values:
        assert judge.accepts(value) == reference.is_valid(value)
        assert judge.accepts(value) == (not judge.explain(value))
