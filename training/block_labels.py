"""Cut pages into numbered blocks for people to label, and make labels without page text of the answers."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from builder.errors import BuilderError
from builder.kernels.html.layout import B_END, B_LINKED, B_NODE, B_START, N_PARENT, N_TAG
from builder.kernels.html.vocabulary import CUSTOM, NAMES, ROOT, UNKNOWN
from builder.stages.extraction.block_reader import BlockReader, block_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from builder.kernels.html.layout import ParsedPage

MAX_LISTED = 400
"""Blocks of a page that people see. Blocks after these have no label and train nothing."""

MAX_SHOWN = 160
_PATH_LEVELS = 4
_MOSTLY_LINKS = 0.8
_HASH_CHARS = 8
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


class LabelError(BuilderError):
    """An answer that names blocks which the page does not have, or that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBlock:
    """A block of a page as people see it: its number among all blocks, the elements around it, its text."""

    number: int
    path: str
    text: str


def list_blocks(html: bytes, reader: BlockReader | None = None) -> list[ListedBlock]:
    """Return the blocks of a page that have text, at most ``MAX_LISTED``, in the order of the page."""
    _, page = (reader or BlockReader()).parse(html)
    listed = []
    for number, text in enumerate(block_texts(page)):
        if text.strip():
            listed.append(ListedBlock(number=number, path=_path(page, number), text=text))
        if len(listed) == MAX_LISTED:
            break
    return listed


def _path(page: ParsedPage, number: int) -> str:
    """Return the innermost elements around a block, and ``a`` if nearly all of its text is in links."""
    block = page.blocks[number]
    names: list[str] = []
    node = int(block[B_NODE])
    while node > 0 and len(names) < _PATH_LEVELS:
        names.append(_name(int(page.nodes[node, N_TAG])))
        node = int(page.nodes[node, N_PARENT])
    size = int(block[B_END] - block[B_START])
    is_linked = size > 0 and block[B_LINKED] > _MOSTLY_LINKS * size
    return ">".join([*reversed(names), *(["a"] if is_linked else [])])


def _name(tag: int) -> str:
    return {ROOT: "page", CUSTOM: "custom", UNKNOWN: "unknown"}.get(tag) or NAMES[tag - 3]


def sheet(page_id: str, blocks: Sequence[ListedBlock]) -> str:
    """Return the listing that a person reads: number, path and the start of the text of each block."""
    lines = [f"# {page_id}: {len(blocks)} blocks"]
    for block in blocks:
        text = " ".join(block.text.split())
        shown = text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
        lines.append(f"{block.number}\t{block.path}\t{shown}")
    return "\n".join(lines) + "\n"


def read_answers(lines: Iterable[str]) -> dict[str, frozenset[int]]:
    """Read ``page_id<TAB>ranges`` lines, like ``p0012<TAB>14-40,43``; ``-`` means that nothing is content.

    Raises:
        LabelError: if a line has other columns, a range is not one, or a page is answered twice.
    """
    answers: dict[str, frozenset[int]] = {}
    for place, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        page_id, tab, ranges = line.rstrip("\r\n").partition("\t")
        if not tab or not ranges.strip():
            raise LabelError(
                f"line {place} of the answers, {line.strip()!r}, has no ranges: add them, or '-'"
            )
        if page_id in answers:
            raise LabelError(f"line {place} answers {page_id} again: remove one of the lines")
        answers[page_id] = frozenset() if ranges.strip() == "-" else _numbers(ranges, place)
    return answers


def _numbers(ranges: str, place: int) -> frozenset[int]:
    numbers: set[int] = set()
    for part in filter(None, (part.strip() for part in ranges.split(","))):
        found = _RANGE.fullmatch(part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            raise LabelError(f"line {place} of the answers: {part!r} is not a block or a range like 14-40")
        numbers.update(range(first, last + 1))
    return frozenset(numbers)


def block_hash(text: str) -> str:
    """Return what labels keep of a block: the start of the SHA-256 of its words, in hexadecimal."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:_HASH_CHARS]


def marked(blocks: Sequence[ListedBlock], *answers: frozenset[int]) -> list[tuple[str, int]]:
    """Return for each listed block its hash, and how many of the answers name it as content.

    Raises:
        LabelError: if an answer names a block that is beyond the last one of the page.
    """
    last = blocks[-1].number if blocks else -1
    beyond = sorted(number for answer in answers for number in answer if number > last)
    if beyond:
        raise LabelError(
            f"block {beyond[0]} is not in the listing, whose last block is {last}: check the ranges"
        )
    return [(block_hash(block.text), sum(block.number in one for one in answers)) for block in blocks]


def packed(marks: Sequence[tuple[str, int]]) -> str:
    """Return the marks of a page in one line: runs of blocks with equal votes, each as ``votes:hashes``."""
    runs: list[tuple[int, list[str]]] = []
    for digest, votes in marks:
        if not runs or runs[-1][0] != votes:
            runs.append((votes, []))
        runs[-1][1].append(digest)
    return " ".join(f"{votes}:{''.join(digests)}" for votes, digests in runs)


def unpacked(line: str) -> list[tuple[str, int]]:
    """Read what ``packed`` wrote."""
    marks = []
    for run in line.split():
        votes, _, digests = run.partition(":")
        marks += [(digests[at : at + _HASH_CHARS], int(votes)) for at in range(0, len(digests), _HASH_CHARS)]
    return marks


def targets(texts: Sequence[str], marks: Sequence[tuple[str, int]], n_labellers: int) -> np.ndarray:
    """Return the share of labellers that call each block content; -1 for a block without a label.

    Blocks are found by their hashes, in order: of blocks with equal text, the first is labelled by the first
    mark. So a change of how pages are cut costs the blocks that it changes, and no others.
    """
    waiting: dict[str, list[int]] = defaultdict(list)
    for digest, votes in reversed(marks):
        waiting[digest].append(votes)
    found = np.full(len(texts), -1.0, np.float32)
    for place, text in enumerate(texts):
        left = waiting.get(block_hash(text)) if text.strip() else None
        if left:
            found[place] = left.pop() / n_labellers
    return found


def kappa(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Return Cohen's kappa of two labellers over the same blocks: 1 is full agreement, 0 is chance.

    >>> kappa([True, True, False, False], [True, True, False, False])
    1.0
    >>> kappa([True, True, False, False], [True, False, True, False])
    0.0
    """
    one, two = np.asarray(first, np.bool_), np.asarray(second, np.bool_)
    if not one.size:
        return 1.0
    agreed = float((one == two).mean())
    by_chance = float(one.mean() * two.mean() + (1 - one.mean()) * (1 - two.mean()))
    return 1.0 if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
