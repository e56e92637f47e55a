"""JSON values: for any documents, pointers and chunks, the records are those of a plain reader."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from builder.io.reading.json_values import JsonFailure, JsonPiece, JsonRecord, split_values

names = st.sampled_from(["a", "b", 'a"', "é", "a\\", ""])
leaves = (
    st.none() | st.booleans() | st.integers(-9, 99) | st.sampled_from(["", "a", '"', "\\", "[", "}", "é,\n"])
)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
containers = documents.filter(lambda value: isinstance(value, (list, dict)))
steps = st.sampled_from(["*", "0", "1", "a", "b", 'a"', "é", ""])
spaces = st.sampled_from(["", " ", "\n", ",", "\r\n", "\x1e", " ,\n"])


def plain(value: Any, path: list[str]) -> list[Any]:
    """Return the values at a path, in the order of the document."""
    if not path:
        return [value]
    children: list[tuple[str, Any]] = []
    if isinstance(value, list):
        children = [(str(i), child) for i, child in enumerate(value)]
    elif isinstance(value, dict):
        children = list(value.items())
    return [one for name, child in children if path[0] in ("*", name) for one in plain(child, path[1:])]


def split(data: bytes, size: int, **options: Any) -> list[JsonPiece]:
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    return list(split_values(chunks, max_bytes=1 << 20, **options))


@given(st.lists(st.tuples(containers, spaces, st.sampled_from([None, 1])), max_size=4), st.integers(1, 40))
def test_documents_one_after_the_other_are_found(found: list[tuple[Any, str, int | None]], size: int) -> None:
    """However they are written and separated, and wherever a chunk ends."""
    data = "".join(json.dumps(v, indent=i, ensure_ascii=False) + space for v, space, i in found).encode()
    pieces = [piece for piece in split(data, size, pointer=None) if piece.offset or data.strip(b" \n\r,\x1e")]
    expected = [one for value, _, _ in found for one in (value if isinstance(value, list) else [value])]
    records = [piece for piece in pieces if isinstance(piece, JsonRecord) and piece.data]
    assert [json.loads(piece.data) for piece in records] == expected
    assert all(data[piece.offset :].startswith(piece.data) for piece in records)


@given(containers, st.lists(steps, max_size=4), st.integers(1, 40))
@example({"a": [{"b": 1}]}, ["a", "*"], 3)
@example({"a": []}, ["a", "*"], 3)
def test_a_pointer_finds_what_a_plain_walk_finds(document: Any, path: list[str], size: int) -> None:
    """The same values in the same order; a document without one is a failure, unless a list is empty."""
    pointer = "".join("/" + step for step in path)
    pieces = split(json.dumps(document, ensure_ascii=False).encode(), size, pointer=pointer)
    expected = plain(document, path)
    assert [json.loads(piece.data) for piece in pieces if isinstance(piece, JsonRecord)] == expected
    failures = [piece for piece in pieces if isinstance(piece, JsonFailure)]
    assert [piece.reason for piece in failures] in ([], ["json_pointer"])
    assert not (expected and failures)


@given(
    st.lists(
        st.sampled_from([b'{"a"', b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\\", b"x", b" ", b"1"])
    )
)
@example([b'{"a"', b":", b'"', b"x", b"\n", b'{"a"', b":", b"1", b"}"])
def test_chunks_do_not_change_the_records(pieces: list[bytes]) -> None:
    """Also of what is not JSON; no two records have one offset."""
    data = b"".join(pieces)
    whole = split(data, len(data) + 1, pointer=None)
    for size in (1, 2, 3, 7):
        assert split(data, size, pointer=None) == whole
    offsets = [piece.offset for piece in whole]
    assert offsets == sorted(set(offsets))
