"""Read fastText model files (``.bin`` and ``.ftz``), and check every length before memory is taken.

The format, version 12, in little-endian numbers without padding:

1. magic and version; 12 options, the last one of 8 bytes.
2. the dictionary: five counts, then each entry with its bytes, a zero byte, its count and its type; pairs of
   bucket and row, if the file has only some of the buckets.
3. whether the input matrix is quantised, and the matrix.
4. whether the output matrix is quantised, and the matrix.

Magic, order and types are those that fastText writes. A file of version 11 has no n-grams of characters.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from builder.kernels.language.model import MAX_GRAM

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC, VERSIONS = 793712314, (11, 12)
SUPERVISED = 3
LOSSES = (1, 2, 3, 4)
_WORD, _LABEL = 0, 1
LABEL_PREFIX = b"__label__"
CENTROIDS = 256

MAX_DIM = 4096
MAX_ENTRIES = 20_000_000
MAX_BUCKETS = 1 << 30
MAX_LABELS = 100_000
MAX_COUNT = 10**15
"""Counts are below it; fastText gives it to nodes of the tree of labels that do not exist yet."""

MAX_MATRIX_BYTES = 4 << 30
"""Bytes of a decoded matrix."""


class ModelFileError(ValueError):
    """A file that is not a fastText model that can be read; the message is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """The options in a model file that matter for a prediction."""

    dim: int
    max_words: int
    loss: int
    n_buckets: int
    min_chars: int
    max_chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """The content of a model file, with matrices decoded.

    Attributes:
        words: the words, by row.
        labels: the labels, with their prefix.
        label_counts: int64[n_labels], how often each label was in the training data.
        pruned: int32[n, 2], pairs of a bucket and a row after the words; None if each bucket has its row.
        rows: float32[n_rows, dim], the input matrix.
        output: float32[n_labels, dim].
    """

    options: ModelOptions
    words: list[bytes]
    labels: list[bytes]
    label_counts: NDArray[np.int64]
    pruned: NDArray[np.int32] | None
    rows: NDArray[np.float32]
    output: NDArray[np.float32]


def read_model_file(data: bytes) -> ModelFile:
    """Read a model file.

    Raises:
        ModelFileError: if the file is cut or damaged, is not a supervised model, or exceeds a limit.
    """
    reader = _Reader(data)
    options = _read_options(reader)
    words, labels, counts, pruned = _read_dictionary(reader, options)
    n_rows = len(words) + (options.n_buckets if pruned is None else len(pruned))
    is_quantised = reader.flag("input matrix")
    if pruned is not None and not is_quantised:
        _fail("it has a table of buckets, but its input matrix is not quantised")
    rows = _read_matrix(reader, "input matrix", n_rows, options.dim, is_quantised=is_quantised)
    output_flag = reader.flag("output matrix")
    output = _read_matrix(
        reader, "output matrix", len(labels), options.dim, is_quantised=is_quantised and output_flag
    )
    if reader.rest:
        _fail(f"it has {reader.rest:,} bytes after its end")
    return ModelFile(
        options=options,
        words=words,
        labels=labels,
        label_counts=counts,
        pruned=pruned,
        rows=rows,
        output=output,
    )


class _Reader:
    """Takes values from the front of a file; each method raises ModelFileError at its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def rest(self) -> int:
        return len(self._data) - self._at

    def values(self, form: str, what: str) -> tuple[int, ...]:
        size = struct.calcsize(f"<{form}")
        self._need(size, what)
        found = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += size
        return found

    def flag(self, what: str) -> bool:
        (value,) = self.values("B", what)
        if value > 1:
            _fail(f"the flag of its {what} is {value}, neither 0 nor 1")
        return value == 1

    def entry(self, what: str) -> tuple[bytes, int, int]:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            _fail(f"it ends in the middle of its {what}")
        word = self._data[self._at : end]
        self._at = end + 1
        count, kind = self.values("qb", what)
        return word, count, kind

    def array(self, n: int, dtype: str, what: str) -> NDArray[np.generic]:
        size = n * np.dtype(dtype).itemsize
        self._need(size, what)
        found = np.frombuffer(self._data, dtype, n, self._at)
        self._at += size
        return found

    def _need(self, n_bytes: int, what: str) -> None:
        if n_bytes > self.rest:
            _fail(f"it ends in the middle of its {what}: {n_bytes - self.rest:,} bytes are missing")


def _fail(what: str) -> NoReturn:
    raise ModelFileError(what)


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        _fail(f"{name} is {value:,}, not between {least:,} and {most:,}")


def _read_options(reader: _Reader) -> ModelOptions:
    magic, version = reader.values("ii", "header")
    if magic != MAGIC or version not in VERSIONS:
        _fail("its first bytes are not those of a fastText model")
    dim, _, _, _, _, max_words, loss, kind, n_buckets, min_chars, max_chars, _ = reader.values(
        "12i", "options"
    )
    reader.values("d", "options")
    if kind != SUPERVISED:
        _fail("it is a model of word vectors, not one that was trained to give labels")
    if loss not in LOSSES:
        _fail(f"its loss has the number {loss}, not one of {', '.join(map(str, LOSSES))}")
    if version == VERSIONS[0]:
        max_chars = 0
    _check("dim", dim, 1, MAX_DIM)
    _check("wordNgrams", max_words, 0, MAX_GRAM)
    _check("maxn", max_chars, 0, MAX_GRAM)
    _check("minn", min_chars, 0, MAX_GRAM)
    _check("bucket", n_buckets, 1 if max_chars > 0 or max_words > 1 else 0, MAX_BUCKETS)
    return ModelOptions(
        dim=dim,
        max_words=max_words,
        loss=loss,
        n_buckets=n_buckets,
        min_chars=min_chars,
        max_chars=max_chars,
    )


def _read_dictionary(
    reader: _Reader, options: ModelOptions
) -> tuple[list[bytes], list[bytes], NDArray[np.int64], NDArray[np.int32] | None]:
    what = "dictionary"
    n_entries, n_words, n_labels, _, n_pruned = reader.values("3i2q", what)
    _check("the number of entries", n_entries, 1, MAX_ENTRIES)
    _check("the number of labels", n_labels, 1, MAX_LABELS)
    if n_words < 0 or n_words + n_labels != n_entries:
        _fail(f"it has {n_entries:,} entries, but {n_words:,} words and {n_labels:,} labels")
    _check("the size of the table of buckets", n_pruned, -1, options.n_buckets)
    entries = [reader.entry(what) for _ in range(n_entries)]
    for i, (word, count, kind) in enumerate(entries):
        if kind != (_WORD if i < n_words else _LABEL):
            _fail(f"the entry {i:,} of its dictionary is of type {kind}: words come first, then labels")
        if not 0 <= count < MAX_COUNT:
            _fail(f"the entry {i:,} of its dictionary, {word[:40]!r}, has the count {count:,}")
    labels = [word for word, _, _ in entries[n_words:]]
    if len(set(labels)) != n_labels:
        _fail("a label is in its dictionary twice")
    for label in labels:
        if not label.startswith(LABEL_PREFIX) or not _is_utf8(label):
            _fail(f"the label {label[:40]!r} does not begin with {LABEL_PREFIX.decode()}")
    counts = np.array([count for _, count, _ in entries[n_words:]], np.int64)
    pruned = _read_pruned(reader, n_pruned, options.n_buckets) if n_pruned >= 0 else None
    return [word for word, _, _ in entries[:n_words]], labels, counts, pruned


def _read_pruned(reader: _Reader, n_pruned: int, n_buckets: int) -> NDArray[np.int32]:
    pairs = reader.array(2 * n_pruned, "<i4", "table of buckets").astype(np.int32).reshape(n_pruned, 2)
    if n_pruned and (pairs.min() < 0 or pairs[:, 0].max() >= n_buckets or pairs[:, 1].max() >= n_pruned):
        _fail("its table of buckets names a bucket or a row that it does not have")
    if len(np.unique(pairs[:, 0])) != n_pruned:
        _fail("its table of buckets names a bucket twice")
    return pairs


def _read_matrix(
    reader: _Reader, what: str, n_rows: int, dim: int, *, is_quantised: bool
) -> NDArray[np.float32]:
    has_norms = is_quantised and reader.flag(f"norms of the {what}")
    shape = reader.values("qq", what)
    if shape != (n_rows, dim):
        _fail(f"its {what} has {shape[0]:,} rows and {shape[1]:,} columns, not {n_rows:,} and {dim:,}")
    if n_rows * dim * 4 > MAX_MATRIX_BYTES:
        _fail(f"its {what} takes {n_rows * dim * 4:,} bytes, more than {MAX_MATRIX_BYTES:,}")
    if is_quantised:
        matrix = _read_quantised(reader, what, n_rows, dim, has_norms=has_norms)
    else:
        matrix = reader.array(n_rows * dim, "<f4", what).reshape(n_rows, dim).astype(np.float32)
    if not np.isfinite(matrix).all():
        _fail(f"its {what} has values that are not finite numbers")
    return matrix


def _read_quantised(
    reader: _Reader, what: str, n_rows: int, dim: int, *, has_norms: bool
) -> NDArray[np.float32]:
    """Decode a product quantiser: each row is a code for each group of columns, times its norm."""
    (n_codes,) = reader.values("i", what)
    codes = reader.array(max(n_codes, 0), "u1", what)
    centroids, group = _read_quantiser(reader, what, dim)
    n_groups = math.ceil(dim / group)
    if n_codes != n_rows * n_groups:
        _fail(f"its {what} has {n_codes:,} codes, not {n_rows * n_groups:,}")
    codes = codes.reshape(n_rows, n_groups)
    matrix = np.empty((n_rows, dim), np.float32)
    for number in range(n_groups):
        first, last = number * group, min((number + 1) * group, dim)
        table = centroids[first * CENTROIDS : last * CENTROIDS].reshape(CENTROIDS, last - first)
        matrix[:, first:last] = table[codes[:, number]]
    if has_norms:
        norm_codes = reader.array(n_rows, "u1", f"norms of the {what}")
        norms, _ = _read_quantiser(reader, f"norms of the {what}", 1)
        with np.errstate(over="ignore", invalid="ignore"):
            matrix *= norms[norm_codes][:, None]
    return matrix


def _read_quantiser(reader: _Reader, what: str, dim: int) -> tuple[NDArray[np.float32], int]:
    """Return the centroids of all groups of columns, one group after another, and the columns of a group."""
    has_dim, n_groups, group, last = reader.values("4i", what)
    if has_dim != dim or not 1 <= group <= dim:
        _fail(f"the quantiser of its {what} has {has_dim:,} columns in groups of {group:,}, not {dim:,}")
    if n_groups != math.ceil(dim / group) or last != dim - (n_groups - 1) * group:
        _fail(f"the quantiser of its {what} has {n_groups:,} groups, the last of {last:,} columns")
    centroids = reader.array(dim * CENTROIDS, "<f4", f"quantiser of the {what}").astype(np.float32)
    return centroids, group


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
