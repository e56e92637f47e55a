"""Document ids: 16 bytes each.

Rows and people see an id as 32 hexadecimal digits; sets and dictionaries are keyed by its 16 bytes; files of
the index hold a column of 16 bytes; arithmetic uses two words of 64 bits. ``DocumentIds`` holds many ids and
turns each form into every other. Bare arrays of words are for files and inner loops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
import pyarrow as pa
from blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


ID_BYTES = 16
ID_TYPE = pa.binary(ID_BYTES)
_ID = re.compile(r"[0-9a-f]{32}")


def hash_to_id(*parts: bytes) -> bytes:
    """Return the 16 bytes of an id, from what it is made of."""
    return blake3(b"\0".join(parts)).digest(length=ID_BYTES)


def is_id(text: str) -> bool:
    """Tell whether a text is an id as rows have it: 32 lower-case hexadecimal digits.

    >>> is_id("0123456789abcdef" * 2), is_id("0123456789ABCDEF" * 2), is_id("mine")
    (True, False, False)
    """
    return _ID.fullmatch(text) is not None


def parse_id(text: str) -> bytes:
    """Return the 16 bytes of one id; ``bytes.hex`` is the way back.

    Raises:
        ValueError: if it is not 32 hexadecimal digits.
    """
    one = bytes.fromhex(text)
    if len(text) != 2 * ID_BYTES or len(one) != ID_BYTES:
        raise ValueError(f"{text!r} does not have {2 * ID_BYTES} hexadecimal digits")
    return one


@dataclass(frozen=True, slots=True, eq=False)
class DocumentIds:
    """Many document ids in order.

    Attributes:
        words: uint64[n, 2], the 16 bytes of each id in memory order.

    >>> ids = DocumentIds.from_hex(["00" * 16, "0f" * 16])
    >>> ids[::-1].to_hex() == ["0f" * 16, "00" * 16], len(ids)
    (True, 2)
    """

    words: NDArray[np.uint64]

    # -- from the other forms

    @classmethod
    def none(cls) -> DocumentIds:
        """Return no ids."""
        return cls(np.empty((0, 2), np.uint64))

    @classmethod
    def from_bytes(cls, ids: Iterable[bytes]) -> DocumentIds:
        """Take ids of 16 bytes each.

        Raises:
            ValueError: if one has another length.
        """
        ids = list(ids)
        if not {ID_BYTES}.issuperset(map(len, ids)):
            raise ValueError(f"a document id has {ID_BYTES} bytes")
        return cls(np.frombuffer(b"".join(ids), np.uint64).reshape(-1, 2))

    @classmethod
    def from_hex(cls, ids: Iterable[str]) -> DocumentIds:
        """Take ids of 32 hexadecimal digits each.

        Raises:
            ValueError: if one is something else.
        """
        return cls.from_bytes(map(parse_id, ids))

    @classmethod
    def from_arrow(cls, column: pa.ChunkedArray | pa.FixedSizeBinaryArray) -> DocumentIds:
        """Convert a column of 16-byte values; the ids of null values are undefined."""
        return cls(sixteen_bytes(column))

    @classmethod
    def of_texts(cls, texts: pa.StringArray | pa.ChunkedArray) -> DocumentIds:
        """Take the ``id`` column of a shard, whose ids may be of other tools.

        A text of 32 hexadecimal digits is the id that it was written from. Any other text is hashed, so that
        equal texts have equal ids.
        """
        return cls(_text_words(texts))

    @classmethod
    def concat(cls, pieces: Iterable[DocumentIds]) -> DocumentIds:
        """Put ids end to end."""
        return cls(np.concatenate([np.empty((0, 2), np.uint64), *(piece.words for piece in pieces)]))

    # -- to the other forms

    def to_bytes(self) -> list[bytes]:
        """Return 16 bytes for each id."""
        data = self.words.tobytes()
        return [data[at : at + ID_BYTES] for at in range(0, len(data), ID_BYTES)]

    def to_hex(self) -> list[str]:
        """Return 32 hexadecimal digits for each id."""
        return [one.hex() for one in self.to_bytes()]

    def to_arrow(self) -> pa.FixedSizeBinaryArray:
        """Return a column of 16 bytes, as the index holds ids."""
        return pa.Array.from_buffers(ID_TYPE, len(self), [None, pa.py_buffer(self.words.tobytes())])

    def to_strings(self) -> pa.StringArray:
        """Return a column of 32 hexadecimal digits, as rows and ledgers hold ids."""
        raw = np.ascontiguousarray(self.words).view(np.uint8).reshape(-1, ID_BYTES)
        text = np.empty((len(raw), 2 * ID_BYTES), np.uint8)
        text[:, 0::2], text[:, 1::2] = _DIGITS[raw >> 4], _DIGITS[raw & 15]
        offsets = np.arange(len(raw) + 1, dtype=np.int32) * (2 * ID_BYTES)
        return pa.StringArray.from_buffers(len(raw), pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))

    def hashes(self, *, seed: int) -> NDArray[np.uint64]:
        """Mix ids (BLAKE3 output already, so uniform) with a seed: one round of splitmix64 on each half.

        Returns:
            uint64[n].
        """
        with np.errstate(over="ignore"):
            return _mix(_mix(self.words[:, 0] ^ np.uint64(seed)) + self.words[:, 1])

    # -- as a sequence

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.to_bytes())

    @overload
    def __getitem__(self, rows: int) -> bytes: ...

    @overload
    def __getitem__(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> DocumentIds: ...

    def __getitem__(self, rows: int | slice | NDArray[np.int64] | NDArray[np.bool_]) -> bytes | DocumentIds:
        """Return the 16 bytes of one id, or the ids of some rows, by number or by mask."""
        if isinstance(rows, int | np.integer):
            one: bytes = self.words[rows].tobytes()
            return one
        return DocumentIds(self.words[rows])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DocumentIds) and np.array_equal(self.words, other.words)

    __hash__ = None  # type: ignore[assignment]

    def replaced(self, rows: NDArray[np.int64] | NDArray[np.bool_], ids: DocumentIds) -> DocumentIds:
        """Return these ids with others in some rows."""
        words = self.words.copy()
        words[rows] = ids.words
        return DocumentIds(words)


def sixteen_bytes(column: pa.ChunkedArray | pa.FixedSizeBinaryArray) -> NDArray[np.uint64]:
    """Return a column of 16-byte values as uint64[n_rows, 2]; the values of nulls are undefined."""
    pieces = [
        np.frombuffer(chunk.buffers()[1], np.uint64, count=2 * len(chunk), offset=ID_BYTES * chunk.offset)
        for chunk in (column.chunks if isinstance(column, pa.ChunkedArray) else [column])
        if len(chunk)
    ]
    return np.concatenate([np.empty(0, np.uint64), *pieces]).reshape(-1, 2)


def _text_words(texts: pa.StringArray | pa.ChunkedArray) -> NDArray[np.uint64]:
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks() if texts.num_chunks != 1 else texts.chunk(0)
    if not len(texts):
        return np.empty((0, 2), np.uint64)
    offsets = np.frombuffer(texts.buffers()[1], np.int32, count=len(texts) + 1, offset=4 * texts.offset)
    words = np.empty((len(texts), ID_BYTES), np.uint8)
    ours = np.diff(offsets) == 2 * ID_BYTES
    if ours.any():
        text = np.frombuffer(texts.buffers()[2], np.uint8)
        digits = _VALUES[text[offsets[:-1][ours, None] + np.arange(2 * ID_BYTES)]]
        words[ours] = digits[:, 0::2] << 4 | digits[:, 1::2] & 15
        ours[ours] = (digits < 16).all(axis=1)
    for row in np.flatnonzero(~ours).tolist():
        words[row] = np.frombuffer(hash_to_id(b"id", texts[row].as_py().encode()), np.uint8)
    return words.view(np.uint64)


_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_VALUES = np.full(256, 255, np.uint8)
_VALUES[_DIGITS] = np.arange(16)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalise 64 bits as splitmix64 does (Steele, Lea, Flood 2014, figure 17)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
