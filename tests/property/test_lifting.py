"""Lines whose long strings are lifted out get the same results as lines that are parsed completely."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builder.domain.contract.contract import Contract
from builder.domain.contract.mapping import map_schema
from builder.domain.contract.shape import Shape
from builder.domain.record import RAW, RECORD_FIELD, record_column
from builder.io.contracts import builtin_contract
from builder.kernels.text import json_strings
from builder.protocols import Columns, Resources
from builder.stages import validate
from builder.stages.validation import lifting
from builder.stages.validation.lifting import MIN_BYTES, PLACEHOLDER, lift_lines, may_be_lifted, names_to_lift

LONG = "lorem ipsum " * 30
characters = st.text(st.characters(codec="utf-8"), max_size=8)
longs = st.lists(characters, max_size=6).map(lambda parts: LONG.join(["", *parts, ""]))
escapes = st.sampled_from(
    ["\\n", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\u0000", "\\/", "\\x", "\\u12", "\x01", "\\"]
)
inner = st.lists(st.one_of(escapes, st.just(LONG), characters.map(lambda text: json.dumps(text)[1:-1])))
strings = st.one_of(
    longs.map(json.dumps),
    longs.map(lambda text: json.dumps(text, ensure_ascii=False)),
    inner.map(lambda parts: '"' + "".join(parts) + '"'),
    st.just(json.dumps(PLACEHOLDER)),
)
values = st.one_of(
    strings,
    strings,
    st.sampled_from(["1", "null", "{}", '{"text": "a"}', '["]", {"a": "}"}]', "1e400", "tru"]),
)
names = st.sampled_from(['"text"', '"text"', '"html"', '"url"', '"te\\u0078t"', '"a:b"', '"x', "text"])
blanks = st.sampled_from(["", "", " ", "\t"])
members = st.tuples(blanks, names, blanks, st.just(":"), blanks, values, blanks).map("".join)
lines = st.one_of(
    st.lists(members, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}"),
    st.lists(members, max_size=3).map(lambda parts: "{" + ",".join(parts)),
    values,
).map(lambda text: text.encode("utf-8", "surrogatepass").replace(b"\n", b" "))
broken = st.tuples(lines, st.integers(0, 400), st.sampled_from([b"\xff", b"\xed\xa0\x80", b'"', b"\\"])).map(
    lambda one: one[0][: one[1]] + one[2] + one[0][one[1] :]
)
batches = st.lists(st.one_of(lines, lines, broken), min_size=1, max_size=6)


def strings_by_the_rule(line: bytes, wanted: list[str]) -> dict[str, str]:
    """Return the long strings of a line that is an object, by Python's own parser."""
    pairs = json.loads(line, object_pairs_hook=list)
    found = {}
    for name, value in pairs if line.lstrip().startswith(b"{") else []:
        if name in wanted:
            found.pop(name, None)
            if isinstance(value, str):
                found[name] = value
    return found


@given(st.lists(st.dictionaries(st.sampled_from(["text", "html", "url", 'q"', ""]), longs), min_size=1))
def test_lifted_strings_equal_those_of_a_json_parser(records: list[dict[str, str]]) -> None:
    """In valid lines, with and without escapes."""
    written = [json.dumps(r, ensure_ascii=bool(i % 2)).encode() for i, r in enumerate(records)]
    lifted = lift_lines(pa.array(written, pa.large_binary()), ("text", "html"))
    for row, line in enumerate(written):
        rule = strings_by_the_rule(line, ["text", "html"])
        for which, name in enumerate(("text", "html")):
            text = lifted.strings[which][row].as_py() if lifted else None
            raw = json.dumps(rule.get(name, ""), ensure_ascii=bool(row % 2)).encode()
            is_long = len(raw) - 2 >= MIN_BYTES
            assert text == (rule[name] if name in rule and is_long else None)
            if text is not None and lifted is not None:
                rest = json.loads(lifted.rest[row].as_py())
                assert rest | {n: rule[n] for n in rule if rest[n] == PLACEHOLDER} == json.loads(line)


@given(batches)
@example([b'{"text": "' + LONG.encode() + b'", "text": 1}'])
@example([b'{"text": 1, "text": "' + LONG.encode() + b'"}'])
@example([b'{"text": "' + LONG.encode() + b'", "te\\u0078t": "a"}'])
@example([b'{"text": "' + LONG.encode() + b'\xed\xa0\x80"}', b'{"text": "' + LONG.encode() + b'"}'])
@example([b'{"text": "' + LONG.encode() + b'"} x', b'{"text": "' + LONG.encode() + b'"'])
def test_lifting_does_not_change_the_result(written: list[bytes]) -> None:
    """For any lines: rows, keys, rejections and their faults."""
    batch = _batch(written)
    _assert_same(batch, builtin_contract("page-1"))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "html": st.one_of(st.none(), longs, characters),
                "text": st.one_of(st.none(), longs, st.just(PLACEHOLDER)),
                "status": st.one_of(st.none(), st.integers(0, 600)),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_lifting_out_of_columns_does_not_change_the_result(rows: list[dict[str, Any]]) -> None:
    """For values that are null or not, long or short, rejected or kept."""
    batch = _batch([b""] * len(rows)).drop_columns([RAW])
    for name, kind in (("html", pa.string()), ("text", pa.string()), ("status", pa.int64())):
        batch = batch.append_column(name, pa.array([row[name] for row in rows], kind))
    _assert_same(batch, builtin_contract("page-1"))
    schema = {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string", "maxLength": 400}},
    }
    _assert_same(batch, _own(schema))


def test_a_column_with_invalid_utf8_is_not_lifted() -> None:
    """Parquet may declare any bytes a string."""
    bad = pa.array([b"\xff" * 300, b"a" * 300]).view(pa.string())
    batch = _batch([b"", b""]).drop_columns([RAW]).append_column("text", bad)
    _assert_same(batch, builtin_contract("page-1"))


@pytest.mark.parametrize(
    "schema",
    [
        {"required": ["text"], "properties": {"text": {"type": "string", "minLength": 20}}},
        {"properties": {"text": {"type": "string", "maxLength": 300}}},
        {"properties": {"text": {"pattern": "\u00e9", "type": "string"}}},
        {"properties": {"text": {"type": "string"}}, "additionalProperties": False},
        {"properties": {"text": {"type": "string"}}, "not": {"properties": {"text": {"const": PLACEHOLDER}}}},
        {"properties": {"text": {"type": "string"}}, "patternProperties": {"t": {"maxLength": 300}}},
        {"properties": {"text": {"type": "string"}}, "anyOf": [{"properties": {"text": {"enum": ["a"]}}}]},
        {"properties": {"text": {"type": "string"}}, "dependentSchemas": {"text": {"maxProperties": 1}}},
    ],
    ids=str,
)
def test_conditions_of_a_contract_on_texts_are_checked(schema: dict[str, Any]) -> None:
    """A contract may treat a text of 20 characters and one of thousands differently."""
    texts = [LONG, "é" * 400, "a" * 20, PLACEHOLDER, "short", LONG * 3]
    written = [json.dumps({"text": text, "n": n}).encode() for n, text in enumerate(texts)]
    _assert_same(_batch(written), _own({"type": "object", **schema}))


def test_a_wrong_rule_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that lifts a string which the contract examines makes the property fail."""
    schema = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 300}}}
    batch = _batch([json.dumps({"text": LONG}).encode()])
    monkeypatch.setattr(lifting, "may_be_lifted", lambda schema, name: True)
    with pytest.raises(AssertionError):
        _assert_same(batch, _own(schema))


@pytest.mark.parametrize(
    "keyword", ["$ref", "patternProperties", "const", "enum", "dependentSchemas", "format"]
)
def test_strings_that_a_keyword_may_examine_are_not_lifted(keyword: str) -> None:
    """The rule refuses every keyword that is not known to ignore the value."""
    assert not may_be_lifted({keyword: {}}, "text")
    assert not may_be_lifted({"properties": {"text": {keyword: "a"}}}, "text")


def test_html_and_text_of_pages_are_lifted() -> None:
    """The built-in contract requires only that they are strings."""
    assert names_to_lift(builtin_contract("page-1"), Columns()) == ("text", "html")


def test_plain_lines_are_not_parsed_again() -> None:
    """Otherwise lifting would do the work twice."""
    written = [json.dumps({"url": f"https://e.org/{n}", "text": LONG + str(n)}).encode() for n in range(50)]
    lifted = lift_lines(pa.array(written, pa.large_binary()), ("text",))
    assert lifted is not None
    assert all(value.value["text"] == PLACEHOLDER for value in lifted.values(Shape()))  # type: ignore[union-attr]
    assert lifted.is_lifted.all()


@pytest.mark.parametrize("tail", range(9))
def test_nothing_is_read_or_written_beyond_the_end(tail: int) -> None:
    """The last string ends at the end of the data, and the output at its own end."""
    text = "a" * MIN_BYTES + "\\n" * tail + "b" * tail
    data = np.frombuffer(text.encode() + b'"', np.uint8)
    out = np.full(MIN_BYTES + 2 * tail + 16, 0x7F, np.uint8)
    starts, stops, sizes = (np.array([n], np.int64) for n in (0, len(text), MIN_BYTES + 2 * tail))
    json_strings.write_strings(data, starts, stops, sizes, out, np.zeros(2, np.int32))
    assert out[: sizes[0]].tobytes().decode() == json.loads(f'"{text}"')
    assert (out[sizes[0] + 8 :] == 0x7F).all()


def _batch(written: list[bytes]) -> pa.RecordBatch:
    record = record_column(source="feed", path="a", ordinals=range(len(written)), offsets=range(len(written)))
    schema = pa.schema([RECORD_FIELD, (RAW, pa.large_binary())])
    return pa.RecordBatch.from_arrays([record, pa.array(written, pa.large_binary())], schema=schema)


def _own(schema: dict[str, Any]) -> Contract:
    columns = map_schema(schema, {})
    return Contract(
        name="own", major=1, schema=schema, documents={}, columns=columns, digest=json.dumps(schema)
    )


def _assert_same(batch: pa.RecordBatch, contract: Contract) -> None:
    resources = Resources(contract=contract, columns=Columns(), kinds={"feed": "jsonl"})
    names_to_lift.cache_clear()
    lifted = validate.Validate().apply(batch, resources=resources, guard=None)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validate, "lift", lambda batch, names: None)
        whole = validate.Validate().apply(batch, resources=resources, guard=None)  # type: ignore[arg-type]
    assert lifted.rejected.to_pylist() == whole.rejected.to_pylist()
    assert lifted.kept.equals(whole.kept)
