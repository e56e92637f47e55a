"""Predictions of fastText models in plain Python, from the rule: no arrays of rows, no tables of hashes."""

from __future__ import annotations

import heapq
import math
import unicodedata

import numpy as np

SINGLE_PRECISION = 8000
"""Rows that are added in single precision, as fastText adds all; more lose digits that way."""

BLANKS = " \n\r\t\v\f\0"


def hash_of(text):
    """FNV-1a with 32 bits; a byte of 128 or more is a negative number."""
    h = 2166136261
    for byte in text.encode():
        signed = byte - 256 if byte > 127 else byte
        h = ((h ^ (signed % 2**32)) * 16777619) % 2**32
    return h


def tokens_of(text):
    """Split a text into tokens; the first `</s>` ends it, and there is always one at the end."""
    for blank in BLANKS:
        text = text.replace(blank, " ")
    tokens = [one for one in text.split(" ") if one]
    if "</s>" in tokens:
        tokens = tokens[: tokens.index("</s>")]
    return [*tokens, "</s>"]


def grams_of(word, least, most):
    """All n-grams of `<word>`, by their start and then their length, without the borders alone."""
    whole = f"<{word}>"
    found = [
        (start, whole[start : start + n])
        for start in range(len(whole))
        for n in range(max(least, 1), most + 1)
        if start + n <= len(whole)
    ]
    return [gram for start, gram in found if not (len(gram) == 1 and start in (0, len(whole) - 1))]


def rows_of(model, text):
    """The rows of a text, in the order in which fastText adds them."""
    place = {word: i for i, word in enumerate(model.words)}
    labels = {f"__label__{label}" for label, _ in model.labels}

    def row_of_bucket(h):
        bucket = h % model.n_buckets
        if model.pruned is not None:
            return [len(model.words) + model.pruned[bucket]] if bucket in model.pruned else []
        return [len(model.words) + bucket]

    rows, hashes = [], []
    for token in tokens_of(text):
        if token not in place and (token in labels or token.startswith("__label__")):
            continue
        rows += [place[token]] if token in place else []
        if token != "</s>":
            for gram in grams_of(token, model.min_chars, model.max_chars):
                rows += row_of_bucket(hash_of(gram))
        hashes.append(hash_of(token))
    for first in range(len(hashes)):
        signed = [h - 2**32 if h >= 2**31 else h for h in hashes[first : first + model.max_words]]
        h = signed[0]
        for following in signed[1:]:
            h = (h * 116049371 + following) % 2**64
            rows += row_of_bucket(h)
    return rows


def scores_of(model, text):
    """The score of each label, or None if no part of the text has a row."""
    rows = rows_of(model, text)
    if not rows:
        return None
    matrix, output = model.decoded(model.rows), model.decoded(model.output)
    total = np.zeros(model.dim, np.float32 if len(rows) < SINGLE_PRECISION else np.float64)
    for row in rows:
        total += matrix[row]
    mean = (total.astype(np.float32) * np.float32(1 / len(rows))).astype(np.float64)
    dots = [float(np.dot(row.astype(np.float64), mean)) for row in output]
    if model.loss == "hs":
        return _tree_scores([count for _, count in model.labels], dots)
    if model.loss == "softmax":
        powers = [math.exp(one - max(dots)) for one in dots]
        return [one / sum(powers) + 1e-5 for one in powers]
    return [_table_sigmoid(one) + 1e-5 for one in dots]


def _table_sigmoid(x):
    if x < -8:
        return 0.0
    if x > 8:
        return 1.0
    return 1 / (1 + math.exp(-(int((x + 8) * 32) / 32 - 8)))


def _tree_scores(counts, dots):
    """Huffman: join the two rarest nodes; of equal counts, an inner node is older than a label."""
    n = len(counts)
    leaves = [(counts[i], 1, n - i, i) for i in range(n)]
    heapq.heapify(leaves)
    children = {}
    for inner in range(n - 1):
        left, right = heapq.heappop(leaves), heapq.heappop(leaves)
        children[n + inner] = (left[3], right[3])
        heapq.heappush(leaves, (left[0] + right[0], 0, inner, n + inner))
    scores = [0.0] * n

    def walk(node, score):
        if node < n:
            scores[node] = score
            return
        right = 1 / (1 + math.exp(-dots[node - n]))
        walk(children[node][0], score * (1 - right + 1e-5))
        walk(children[node][1], score * (right + 1e-5))

    walk(2 * n - 2, 1.0)
    return scores


def two_best_of(model, text):
    """The two best labels with their scores; of equal scores the last label wins."""
    scores = scores_of(model, text)
    if scores is None:
        return []
    order = sorted(range(len(scores)), key=lambda i: (scores[i], i), reverse=True)
    return [(i, scores[i]) for i in order[:2]]


def letters_of(text):
    """Numbers of letters, marks and signs, by the categories of Unicode."""
    kinds = [unicodedata.category(one)[0] for one in text if unicodedata.category(one) not in ("Cc", "Cf")]
    return kinds.count("L"), kinds.count("M"), sum(kind in "NPS" or kind == "C" for kind in kinds)


def pieces_of(text, least):
    """Join lines until a piece has `least` characters; the rest belongs to the last piece."""
    pieces = [""]
    for line in [*(f"{one}\n" for one in text.split("\n")[:-1]), text.split("\n")[-1]]:
        if len(pieces[-1]) >= least:
            pieces.append("")
        pieces[-1] += line
    if len(pieces) > 1 and len(pieces[-1]) < least:
        last = pieces.pop()
        pieces[-1] += last
    return [one for one in pieces if one]
