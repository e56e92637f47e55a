"""Write small fastText models with random values: every loss, quantised and not, pruned and not."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import numpy as np

MAGIC, VERSION, SUPERVISED = 793712314, 12, 3
LOSSES = {"hs": 1, "ns": 2, "softmax": 3, "ova": 4}
WORDS = ["</s>", "the", "der", "die", "и", "в", "日本", "été", "a", "ßß", "word", "naïve", "und", "x" * 40]
LABELS = [("en", 90), ("de", 40), ("ru", 40), ("ja", 22), ("fr", 7), ("xx", 7), ("sr-Latn", 1)]


@dataclass(frozen=True)
class Quantised:
    """A matrix as codes of groups of columns, with or without norms."""

    codes: np.ndarray
    centroids: np.ndarray
    group: int
    norm_codes: np.ndarray | None
    norms: np.ndarray

    @classmethod
    def random(cls, chance, n_rows, dim, *, group, has_norms):
        n_groups = math.ceil(dim / group)
        return cls(
            codes=chance.integers(0, 256, (n_rows, n_groups), np.uint8),
            centroids=chance.normal(0, 1, dim * 256).astype(np.float32),
            group=group,
            norm_codes=chance.integers(0, 256, n_rows, np.uint8) if has_norms else None,
            norms=chance.uniform(0.1, 2, 256).astype(np.float32),
        )

    def decoded(self, dim):
        """Return the matrix, one value after another, as the format defines it."""
        n_rows, n_groups = self.codes.shape
        out = np.zeros((n_rows, dim), np.float32)
        for row in range(n_rows):
            for number in range(n_groups):
                size = min(self.group, dim - number * self.group)
                start = number * self.group * 256 + int(self.codes[row, number]) * size
                for i in range(size):
                    value = self.centroids[start + i]
                    if self.norm_codes is not None:
                        value = value * self.norms[self.norm_codes[row]]
                    out[row, number * self.group + i] = value
        return out

    def packed(self, dim):
        n_rows, n_groups = self.codes.shape
        out = struct.pack("<?qqi", self.norm_codes is not None, n_rows, dim, n_rows * n_groups)
        out += self.codes.tobytes() + _quantiser(dim, self.group, self.centroids)
        if self.norm_codes is not None:
            out += self.norm_codes.tobytes() + _quantiser(1, 1, self.norms)
        return out


def _quantiser(dim, group, centroids):
    n_groups = math.ceil(dim / group)
    last = dim - (n_groups - 1) * group
    return struct.pack("<4i", dim, n_groups, group, last) + centroids.astype("<f4").tobytes()


@dataclass(frozen=True)
class SmallModel:
    """What a model file contains; matrices are arrays or `Quantised`."""

    dim: int
    loss: str
    min_chars: int
    max_chars: int
    max_words: int
    n_buckets: int
    rows: np.ndarray | Quantised
    output: np.ndarray | Quantised
    words: list[str] = field(default_factory=lambda: list(WORDS))
    labels: list[tuple[str, int]] = field(default_factory=lambda: list(LABELS))
    pruned: dict[int, int] | None = None

    @classmethod
    def random(
        cls,
        seed,
        *,
        loss="hs",
        dim=6,
        chars=(2, 4),
        max_words=1,
        n_buckets=101,
        quantised=False,
        norms=True,
        quantised_output=False,
        is_pruned=False,
        group=2,
        words=None,
        labels=None,
    ):
        chance = np.random.default_rng(seed)
        words = list(WORDS if words is None else words)
        labels = list(LABELS if labels is None else labels)
        pruned = None
        if is_pruned:
            kept = np.sort(chance.choice(n_buckets, n_buckets // 2, replace=False))
            pruned = {int(one): i for i, one in zip(chance.permutation(len(kept)), kept, strict=True)}
            pruned = {bucket: int(row) for bucket, row in pruned.items()}
        n_rows = len(words) + (n_buckets if pruned is None else len(pruned))
        rows = chance.normal(0, 1, (n_rows, dim)).astype(np.float32)
        output = chance.normal(0, 1.5, (len(labels), dim)).astype(np.float32)
        if quantised:
            rows = Quantised.random(chance, n_rows, dim, group=group, has_norms=norms)
        if quantised and quantised_output:
            output = Quantised.random(chance, len(labels), dim, group=group, has_norms=norms)
        return cls(
            dim=dim,
            loss=loss,
            min_chars=chars[0],
            max_chars=chars[1],
            max_words=max_words,
            n_buckets=n_buckets,
            rows=rows,
            output=output,
            words=words,
            labels=labels,
            pruned=pruned,
        )

    def packed(self):
        """Return the bytes of the file."""
        is_quantised, has_output = isinstance(self.rows, Quantised), isinstance(self.output, Quantised)
        out = struct.pack("<ii", MAGIC, VERSION)
        loss = LOSSES[self.loss]
        ints = (self.dim, 5, 1, 1, 5, self.max_words, loss, SUPERVISED, self.n_buckets)
        out += struct.pack("<12id", *ints, self.min_chars, self.max_chars, 100, 1e-4)
        n_words, n_labels = len(self.words), len(self.labels)
        n_pruned = -1 if self.pruned is None else len(self.pruned)
        out += struct.pack("<3i2q", n_words + n_labels, n_words, n_labels, 1000, n_pruned)
        for word in self.words:
            out += word.encode() + b"\0" + struct.pack("<qb", 5, 0)
        for label, count in self.labels:
            out += b"__label__" + label.encode() + b"\0" + struct.pack("<qb", count, 1)
        for pair in (self.pruned or {}).items():
            out += struct.pack("<ii", *pair)
        out += struct.pack("<?", is_quantised) + self._matrix(self.rows)
        return out + struct.pack("<?", has_output) + self._matrix(self.output)

    def _matrix(self, matrix):
        if isinstance(matrix, Quantised):
            return matrix.packed(self.dim)
        return struct.pack("<qq", *matrix.shape) + matrix.astype("<f4").tobytes()

    def decoded(self, matrix):
        return matrix.decoded(self.dim) if isinstance(matrix, Quantised) else matrix


FORMS = {
    "plain": {},
    "plain, few characters": {"chars": (1, 3), "dim": 17},
    "words only": {"chars": (0, 0), "n_buckets": 7},
    "pairs of words": {"max_words": 3},
    "quantised": {"quantised": True, "norms": False, "group": 4},
    "quantised, norms": {"quantised": True, "dim": 5},
    "quantised output": {"quantised": True, "quantised_output": True, "group": 4},
    "pruned": {"quantised": True, "is_pruned": True, "n_buckets": 300, "max_words": 2},
}
"""Options of models that differ in their format, for each loss."""
