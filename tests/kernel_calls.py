"""What tests of the kernels call them with: lists of strings in, plain Python out."""

from __future__ import annotations

import numpy as np

from builder.kernels import jit
from builder.kernels.dedup.shingles import shingle_sets
from builder.kernels.dedup.sketch import sketch_texts
from builder.kernels.language.letters import character_classes, count_letters
from builder.kernels.language.model import make_room
from builder.kernels.language.scores import two_best
from builder.kernels.text.folding import folding
from builder.kernels.text.tidy import tidy
from builder.kernels.text.words import SEED, buffers, next_words


def fewer(compiled, as_python):
    """Return the size of a test's input: ``as_python`` if kernels run as Python, which is much slower.

    ``NUMBA_DISABLE_JIT=1`` makes kernels run as Python. The smaller size must still reach each line, and each
    way in which a kernel stops and resumes.
    """
    return compiled if jit.is_compiling() else as_python


def packed(texts, *, skip=0):
    """Return the bytes of some texts end to end, read-only as Arrow's are, and their offsets."""
    encoded = [text if isinstance(text, bytes) else text.encode() for text in texts]
    data = np.frombuffer(b"\xff" * skip + b"".join(encoded), np.uint8)
    return data, (skip + np.cumsum([0, *map(len, encoded)])).astype(np.int64)


def word_hashes(text):
    """Return the hashes of all words of one text."""
    data, offsets = packed([text])
    room, found, at, state = buffers(), [], offsets[0], (0, 0, np.uint64(SEED))
    while True:
        at, n_words, state = next_words(data, at, offsets[1], room, 0, np.uint64(SEED), folding(), state)
        found += room.words[:n_words].tolist()
        if at >= offsets[1]:
            return found


def sets_of(texts, *, width=5, skip=0):
    """Return the shingle hashes of some texts."""
    data, offsets = packed(texts, skip=skip)
    hashes, starts = shingle_sets(data, offsets, width, folding(), buffers())
    return [hashes[starts[i] : starts[i + 1]].tolist() for i in range(len(texts))]


def sketches_of(texts, *, width=5, bands=16, rows=6, skip=0):
    """Return band keys, numbers of words, numbers of shingles and short hashes, as arrays."""
    data, offsets = packed(texts, skip=skip)
    keys = np.ones((len(texts), bands), np.uint64)
    n_words, n_shingles = np.ones((2, len(texts)), np.int64)
    words_hash = np.ones((len(texts), 2), np.uint64)
    sketch_texts(data, offsets, width, rows, folding(), buffers(), keys, n_words, n_shingles, words_hash)
    return keys, n_words, n_shingles, words_hash


def tidied(texts, *, wanted, skip=0):
    """Return texts after the rule for white space, and how many bytes it took from each."""
    data, offsets = packed(texts, skip=skip)
    out, ends = np.zeros(offsets[-1] - skip, np.uint8), np.zeros(len(offsets), np.int64)
    n_gone = np.zeros(len(texts), np.int64)
    tidy(data, offsets, np.array(wanted, np.bool_), out, ends, n_gone)
    whole = out.tobytes()
    return [whole[ends[i] : ends[i + 1]].decode() for i in range(len(texts))], n_gone.tolist()


def identified(model, texts, *, skip=0):
    """Return the two best labels of some texts, int32[n, 2], and their scores, float64[n, 2]."""
    data, offsets = packed(texts, skip=skip)
    labels, scores = np.ones((len(texts), 2), np.int32), np.ones((len(texts), 2))
    two_best(data, offsets[:-1], offsets[1:], model.arrays, make_room(model.arrays), labels, scores)
    return labels, scores


def letters_counted(texts, *, skip=0):
    """Return letters, marks, signs and the script of some texts."""
    data, offsets = packed(texts, skip=skip)
    classes = character_classes()
    found = np.ones((len(texts), 4), np.int64)
    count_letters(data, offsets[:-1], offsets[1:], classes.table, np.ones(256, np.int64), found)
    return [(*row[:3], classes.scripts[row[3]]) for row in found.tolist()]
