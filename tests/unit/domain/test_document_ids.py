"""Document ids in their four forms: hexadecimal digits, 16 bytes, words and Arrow columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.document_ids import ID_TYPE, DocumentIds, is_id, parse_id

one_id = st.binary(min_size=16, max_size=16)
many_ids = st.lists(one_id, max_size=20)
FORMS: dict[str, Callable[[list[bytes]], DocumentIds]] = {
    "bytes": lambda ids: DocumentIds.from_bytes(DocumentIds.from_bytes(ids).to_bytes()),
    "hex": lambda ids: DocumentIds.from_hex(DocumentIds.from_bytes(ids).to_hex()),
    "arrow": lambda ids: DocumentIds.from_arrow(DocumentIds.from_bytes(ids).to_arrow()),
    "strings": lambda ids: DocumentIds.of_texts(DocumentIds.from_bytes(ids).to_strings()),
    "words": lambda ids: DocumentIds(DocumentIds.from_bytes(ids).words.copy()),
}


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("second", FORMS)
@given(ids=many_ids)
def test_every_form_round_trips_through_every_other(first: str, second: str, ids: list[bytes]) -> None:
    """Any two conversions in a row give the same bytes back."""
    assert FORMS[second](FORMS[first](ids).to_bytes()).to_bytes() == ids


@given(many_ids)
def test_every_form_is_what_python_makes_of_the_bytes(ids: list[bytes]) -> None:
    """The slow twin converts one id at a time."""
    made = DocumentIds.from_bytes(ids)
    assert made.to_hex() == made.to_strings().to_pylist() == [one.hex() for one in ids]
    assert made.to_arrow() == pa.array(ids, ID_TYPE)
    words = [[int.from_bytes(one[at : at + 8], "little") for at in (0, 8)] for one in ids]
    assert made.words.tolist() == words
    assert (list(made), len(made)) == (ids, len(ids))


def slow_hash(one: bytes, seed: int) -> int:
    """Mix the two halves of an id with plain numbers."""

    def mix(x: int) -> int:
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
        return x ^ (x >> 31)

    low, high = (int.from_bytes(one[at : at + 8], "little") for at in (0, 8))
    return mix((mix(low ^ seed) + high) % 2**64)


@given(many_ids, st.integers(0, 2**64 - 1))
def test_hashes_are_those_of_plain_numbers(ids: list[bytes], seed: int) -> None:
    """Splits and cuts go by them, so they never change."""
    assert DocumentIds.from_bytes(ids).hashes(seed=seed).tolist() == [slow_hash(one, seed) for one in ids]


texts = st.lists(
    st.one_of(one_id.map(bytes.hex), one_id.map(lambda one: one.hex().upper()), st.text(max_size=40))
)


@given(texts, st.integers(0, 3), st.integers(0, 3))
def test_a_text_that_is_no_id_is_hashed(rows: list[str], n_before: int, n_chunks: int) -> None:
    """Shards may have ids of other tools; equal texts get equal ids, wherever they are in the column."""
    expected = [
        bytes.fromhex(text) if is_id(text) else blake3(b"id\0" + text.encode()).digest(length=16)
        for text in rows
    ]
    whole = pa.array(["before"] * n_before + rows, pa.string())[n_before:]
    assert DocumentIds.of_texts(whole).to_bytes() == expected
    at = np.linspace(0, len(rows), n_chunks + 1).astype(int).tolist()
    chunks = [whole[a:b] for a, b in itertools.pairwise(at)]
    if n_chunks:
        assert DocumentIds.of_texts(pa.chunked_array(chunks, pa.string())).to_bytes() == expected


@given(st.lists(many_ids, max_size=4), st.integers(0, 3))
def test_chunks_and_slices_of_a_column_are_read_in_order(chunks: list[list[bytes]], n_before: int) -> None:
    """A column of the index may be many chunks, each a slice of a file."""
    arrays = [pa.array([bytes(16)] * n_before + ids, ID_TYPE)[n_before:] for ids in chunks]
    found = DocumentIds.from_arrow(pa.chunked_array(arrays, ID_TYPE))
    assert found.to_bytes() == [one for ids in chunks for one in ids]
    assert found == DocumentIds.concat(map(DocumentIds.from_bytes, chunks))


@given(many_ids, st.data())
def test_rows_are_taken_and_replaced_as_in_a_list(ids: list[bytes], data: st.DataObject) -> None:
    """By numbers, by a mask, and by a single number."""
    made = DocumentIds.from_bytes(ids)
    rows = data.draw(st.lists(st.integers(0, len(ids) - 1), unique=True)) if ids else []
    numbers, mask = np.asarray(rows, np.int64), np.isin(np.arange(len(ids)), rows)
    assert made[numbers].to_bytes() == [ids[row] for row in rows]
    assert made[mask].to_bytes() == [ids[row] for row in sorted(rows)]
    assert [made[row] for row in rows] == [made[row] for row in numbers] == [ids[row] for row in rows]
    fresh = [bytes([row]) * 16 for row in rows]
    expected = {**dict(enumerate(ids)), **dict(zip(rows, fresh, strict=True))}
    assert made.replaced(numbers, DocumentIds.from_bytes(fresh)).to_bytes() == list(expected.values())
    assert made.to_bytes() == ids


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 34, "g" * 32, "00 " * 10 + "00"])
def test_what_has_another_length_is_refused(text: str) -> None:
    """An id that is cut short would shift all ids behind it."""
    with pytest.raises(ValueError, match="hexadecimal"):
        parse_id(text)
    with pytest.raises(ValueError, match="16 bytes"):
        DocumentIds.from_bytes([bytes(15), bytes(17)])
