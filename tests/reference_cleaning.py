"""The slow twin of what ``clean_text`` decides: scores, runs, shapes, titles, classes and what stays.

It walks the trees from their roots, works on characters and lists, and is written from the rules in the docs
of the kernels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import reference_plain
from reference_plain import Unit, kind_of

from builder.kernels.html.letters import CAPITAL, COMMA, DIGIT, IDEOGRAPH, LETTER, SEPARATING, STOP
from builder.kernels.html.vocabulary import BASIS, PRIME
from builder.kernels.plain.classes import CLASS_NAMES, CLASS_WORD_BITS, LEARNED, MAX_CLASS_WORDS
from builder.kernels.plain.features import UNIT_FEATURES

_ALL = (1 << 64) - 1


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as its file has it."""

    arrays: dict[str, Any]
    vocabulary: list[int]

    @classmethod
    def of(cls, arrays: dict[str, Any]) -> Model:
        """Return the twin's view of the arrays."""
        listed = {name: array.tolist() for name, array in arrays.items()}
        return cls(arrays=listed, vocabulary=listed["vocabulary"])

    def probability(self, row: dict[str, int]) -> int:
        """Return the probability of main text in 1/1000: walk each tree from its root to a leaf."""
        arrays, score = self.arrays, 0
        for root in arrays["roots"]:
            node = root
            while arrays["left"][node] != node - root:
                feature = row[UNIT_FEATURES[arrays["features"][node]]]
                node = root + arrays["left"][node] + (feature > arrays["thresholds"][node])
            score += arrays["values"][node]
        limit = (1 << 13) - 1
        return arrays["probabilities"][(max(min(score, limit), -limit) + limit) >> 3]


@dataclass(kw_only=True)
class Judged:
    """A unit with what was decided on it."""

    unit: Unit
    score: int
    leaves: bool = False
    kind: str = "kept"

    def count(self, name: str) -> int:
        """Return a statistic of the unit."""
        return self.unit.counts[name]

    @property
    def stops(self) -> int:
        """The ends of sentences in the unit."""
        return self.unit.counts[str(STOP)]


def clean(text: str, title: str, model: Model) -> tuple[str, list[tuple[str, int, str, int]]]:
    """Return the text that stays, and class, first byte, text and greatest score of each removed span."""
    units, rows = reference_plain.describe(text, title, model.vocabulary)
    judged = [Judged(unit=unit, score=model.probability(row)) for unit, row in zip(units, rows, strict=True)]
    _choose_runs(judged)
    for correct in (_drop_threads, _drop_buttons, _keep_first, _keep_tables, _keep_code, _keep_verse):
        if judged:
            correct(judged)
    for one in judged:
        one.kind = "navigation" if one.leaves else "kept"
    if judged:
        _leave_out_titles(judged, title)
    _name_classes(judged, model)
    return _kept(text, judged), _spans(text, judged)


def _cut(judged: list[Judged]) -> int:
    """Return the probability from which on a unit would stay by itself."""
    expected = sum(one.score * one.unit.words for one in judged)
    best, cut, right, chosen = 0.0, 500, 0, 0
    for probability in range(1000, -1, -1):
        words = sum(one.unit.words for one in judged if one.score == probability)
        if words:
            right += probability * words
            chosen += 1000 * words
            if 2 * right / (chosen + expected) > best:
                best, cut = 2 * right / (chosen + expected), probability
    return min(max(cut, 200), 500)


def _logit(probability: int) -> int:
    share = min(max(probability, 10), 990) / 1000
    return round(64 * math.log(share / (1 - share)))


def _choose_runs(judged: list[Judged]) -> None:
    """Try both choices for each unit, after the better of both choices for the one before."""
    cut, cost = _cut(judged), 1024
    paths: list[tuple[int, tuple[Any, ...] | None]] = [(0, None), (0, None)]
    for one in judged:
        weight = round(16 * math.sqrt(min(max(one.unit.words, 1), 60)))
        evidence = (_logit(one.score) - _logit(cut)) * weight
        new = []
        for stays in (0, 1):
            same, other = paths[stays], paths[1 - stays]
            total, before = (other[0] - cost, other[1]) if other[0] - cost > same[0] else same
            new.append((total + stays * evidence, (stays, before)))
        paths = new
    _, path = paths[1] if paths[1][0] >= paths[0][0] else paths[0]
    for one in reversed(judged):
        assert path is not None
        one.leaves, path = not path[0], path[1]


def _touches(judged: list[Judged], i: int) -> bool:
    return i > 0 and judged[i].unit.blank == 0


def _ends(one: Judged) -> bool:
    return one.unit.last in (STOP, COMMA)


def _drop_threads(judged: list[Judged]) -> None:
    """List what is in threads first, and decide on all of it in the end."""
    listed: dict[int, Judged] = {}
    for i, one in enumerate(judged):
        is_marker = one.unit.words <= 3 and len(one.unit.text) <= 24 and not _ends(one)
        if not one.leaves or one.unit.copies < 2 or not is_marker:
            continue
        same = [k for k in range(i + 2, min(i + 13, len(judged))) if judged[k].unit.hash == one.unit.hash]
        if not same or not judged[same[0]].leaves:
            continue
        comment = judged[i : same[0]]
        first = max(i - len(comment) + 1, 1)
        if _mostly_leave(comment):
            is_clear = any(not before.leaves and before.score >= 600 for before in judged[first:i])
            for k in range(i if is_clear else first, same[0]):
                if not judged[k].leaves and judged[k].score < 600:
                    listed[k] = judged[k]
    stay = sum(one.unit.words for one in judged if not one.leaves)
    if 5 * sum(one.unit.words for one in listed.values()) <= stay:
        for one in listed.values():
            one.leaves = True


def _mostly_leave(some: list[Judged]) -> bool:
    return 2 * sum(one.leaves for one in some) >= len(some)


def _drop_buttons(judged: list[Judged]) -> None:
    for i, one in enumerate(judged):
        if one.leaves or one.unit.words > 3 or _ends(one):
            continue
        before = judged[i - 1] if i else None
        after = judged[i + 1] if i + 1 < len(judged) else None
        joined_before = _touches(judged, i)
        joined_after = after is not None and _touches(judged, i + 1)
        leaves_before = before is not None and before.leaves
        leaves_after = after is not None and after.leaves
        is_button = joined_before and leaves_before and (leaves_after or not joined_after)
        is_heading = joined_after and leaves_after and (leaves_before or not joined_before)
        one.leaves = is_button or is_heading


def _keep_first(judged: list[Judged]) -> None:
    one = judged[0]
    marks = one.count(str(SEPARATING)) or one.count("amounts")
    if len(judged) > 40 or one.unit.words < 2 or marks or one.unit.last == STOP or one.score < 120:
        return
    heads = len(judged) > 1 and _touches(judged, 1) and judged[1].leaves
    if not heads or judged[1].unit.hash == one.unit.hash:
        one.leaves = False


def _blocks(judged: list[Judged]) -> list[list[Judged]]:
    """Return the runs of units without a blank line between them."""
    blocks: list[list[Judged]] = []
    for i, one in enumerate(judged):
        if _touches(judged, i):
            blocks[-1].append(one)
        else:
            blocks.append([one])
    return blocks


def _keep_tables(judged: list[Judged]) -> None:
    for block in _blocks(judged):
        start = 0
        for i in range(1, len(block) + 1):
            if i == len(block) or block[i].count("cells") != block[start].count("cells"):
                if block[start].count("cells") and i - start >= 3:
                    _keep(block[start:i])
                start = i


def _keep(some: list[Judged]) -> None:
    for one in some:
        one.leaves = False


def _keep_code(judged: list[Judged]) -> None:
    signs = [i for i, one in enumerate(judged) if one.count("code") and len(one.unit.text) <= 200]
    for before, after in pairwise(signs):
        if after - before <= 3:
            _keep(judged[before : after + 1])


def _keep_verse(judged: list[Judged]) -> None:
    for block in _blocks(judged):
        for before, one in pairwise(block):
            if not before.leaves and before.unit.last == COMMA and len(one.unit.text) <= 90:
                one.leaves = False
        short = all(len(one.unit.text) <= 90 for one in block)
        is_stanza = short and 3 <= len(block) <= 60 and 2 * sum(map(_ends, block)) >= len(block)
        if is_stanza and 3 * sum(not one.leaves for one in block) >= 2 * len(block):
            _keep(block)


def _can_be_title(one: Judged) -> bool:
    return not one.count(str(SEPARATING)) and not one.count("amounts") and one.unit.last != COMMA


def _hash_of(text: str) -> int:
    unit = Unit(text=text, start=0, blank=0, indent=0)
    reference_plain.measure(unit, [], [0] * (1 << 15))
    return unit.hash


def _leave_out_titles(judged: list[Judged], title: str) -> None:
    head = next((i for i, one in enumerate(judged) if one.kind == "kept" and one.stops), len(judged))
    has_head = head < len(judged)
    above = judged[max(head - 4, 0) : head] if has_head else []
    doubled = [
        one.unit.hash for one in above if one.unit.words >= 3 and one.unit.copies == 2 and _can_be_title(one)
    ][-1:]
    named = [_hash_of(title)] if title else []
    gone: list[Judged] = []
    stays = nearest = None
    for i, one in enumerate(judged[: max(40, head)]):
        if not _is_title(i, judged, named, doubled):
            continue
        if one.kind != "kept":
            if i > 0 or title or one.unit.copies > 1:
                gone.append(one)
                if has_head and head - 8 <= i < head and _can_be_title(one):
                    nearest = one
        elif stays is None:
            stays = one
        else:
            loser, stays = (one, stays) if stays.score >= one.score else (stays, one)
            loser.kind, loser.score = "title", 0
    if stays is None and nearest is not None:
        nearest.kind = "kept"
    for one in gone:
        if one.kind != "kept" and (stays or nearest):
            one.kind = "title"


def _is_title(i: int, judged: list[Judged], named: list[int], doubled: list[int]) -> bool:
    unit, first = judged[i].unit, judged[0].unit
    if not 2 <= unit.words <= 48 or unit.last == COMMA:
        return False
    if unit.hash in named or unit.front in named or unit.hash in doubled:
        return True
    is_first = (
        unit.hash == first.hash or (first.front and unit.hash == first.front) or unit.front == first.hash
    )
    if i > 0 and not is_first:
        return False
    is_alone = unit.blank > 0 or (i + 1 < len(judged) and judged[i + 1].unit.blank > 0)
    return is_alone or (i <= 8 and unit.copies <= 2)


def _class_words(text: str) -> list[int]:
    """Return the hashes of the words of a text, and of pairs of characters without spaces."""
    found, word, before = [], "", "\0"
    for char in text:
        kind = kind_of(char)
        if kind in (LETTER, CAPITAL, DIGIT):
            word += char
        else:
            if word:
                found.append(reference_plain.word_hash(word))
            word = ""
            if kind == IDEOGRAPH:
                pair = (BASIS ^ ord(before)) * PRIME & _ALL
                found.append((pair ^ ord(char)) * PRIME & _ALL)
        before = char
    return [*found, *([reference_plain.word_hash(word)] if word else [])][:MAX_CLASS_WORDS]


def _name_classes(judged: list[Judged], model: Model) -> None:
    main = [i for i, one in enumerate(judged) if one.kind == "kept" and one.stops]
    first, last = (main[0], main[-1]) if main else (len(judged), -1)
    groups: list[list[int]] = []
    for i, one in enumerate(judged):
        if one.kind == "kept" or one.kind == "title":
            continue
        joins = groups and groups[-1][-1] == i - 1 and one.unit.blank == 0 and len(groups[-1]) < 12
        if joins:
            groups[-1].append(i)
        else:
            groups.append([i])
    for group in groups:
        votes = [0] * len(LEARNED)
        for i in group:
            unit = judged[i].unit
            length = 0 if unit.words <= 3 else 1 if unit.words <= 8 else 2
            zone = 0 if i < first else 1 if i < last else 2
            said = [model.arrays["class_shapes"][(zone * 3 + length) * 2 + (judged[i].stops > 0)]]
            for value in _class_words(unit.text):
                place = ((value ^ (value >> 29)) >> 13) & ((1 << CLASS_WORD_BITS) - 1)
                said.append(model.arrays["class_words"][place])
            votes = [sum(column) for column in zip(votes, *said, strict=True)]
        if any(judged[i].stops and judged[i].unit.words >= 5 for i in group):
            votes[0] = -(10**9)
        for i in group:
            judged[i].kind = CLASS_NAMES[LEARNED[votes.index(max(votes))]]
    _name_by_marks(judged)


def _name_by_marks(judged: list[Judged]) -> None:
    for i, one in enumerate(judged):
        if one.kind in ("kept", "title"):
            continue
        if one.kind == "related" and one.stops and one.unit.words >= 6:
            one.kind = "teasers"
        near = sum(k.count("amounts") for k in judged[max(i - 2, 0) : i + 3] if k.kind != "kept")
        if near >= 2 and (one.count("amounts") or one.unit.words <= 8):
            one.kind = "donation"


def _kept(text: str, judged: list[Judged]) -> str:
    if all(one.kind == "kept" for one in judged):
        return text
    data, flat, out, before = text.encode(), reference_plain.is_flat(text), b"", -1
    ends = [one.unit.start + len(one.unit.text.encode()) for one in judged]
    for i, one in enumerate(judged):
        if one.kind != "kept":
            continue
        start = one.unit.start
        if before == i - 1:
            start = ends[before] if before >= 0 else 0
        elif before < 0:
            start -= one.unit.indent
        elif flat:
            start -= start > 0 and data[start - 1] <= 0x20
        else:
            has_blank = any(k.unit.blank for k in judged[before + 1 : i + 1])
            out += b"\n\n" if has_blank else b"\n"
            start -= one.unit.indent
        out += data[start : ends[i]]
        before = i
    if before == len(judged) - 1:
        out += data[ends[-1] :]
    return out.decode()


def _spans(text: str, judged: list[Judged]) -> list[tuple[str, int, str, int]]:
    data, spans, before = text.encode(), [], "kept"
    for one in judged:
        end = one.unit.start + len(one.unit.text.encode())
        if one.kind != "kept":
            if one.kind == before:
                kind, start, _, most = spans.pop()
                spans.append((kind, start, data[start:end].decode(), max(most, one.score)))
            else:
                spans.append((one.kind, one.unit.start, one.unit.text, one.score))
        before = one.kind
    return spans


def load(path: Any) -> Model:
    """Return the model of a file."""
    with np.load(path, allow_pickle=False) as packed:
        return Model.of(dict(packed))
