"""Do two tools keep the same documents, and where not, who is right? Told by brute force."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTH = 5
THRESHOLD = 0.8
MAX_JUDGED = 2_000
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement of two sets of kept documents.

    Attributes:
        share: share of the documents with the same verdict in both sets.
        only_ours: documents that only ours keeps; ``near`` of them have an earlier kept one at 0.8.
        only_theirs: documents that only theirs keeps; ``near`` as above, with a document that ours keeps.
        judged: number of documents of both kinds that were compared with every document.
    """

    share: float
    only_ours: int
    only_ours_near: int
    only_theirs: int
    only_theirs_near: int
    judged: int

    def told(self) -> str:
        """Return the agreement as sentences."""
        return (
            f"same verdict on {self.share:.2%}. {self.judged:,} documents with different verdicts were "
            f"compared with every other document by exact Jaccard similarity. Only builder keeps "
            f"{self.only_ours:,}; {self.only_ours_near:,} of them have an earlier kept document at "
            f"{THRESHOLD} or more. Only the other tool keeps {self.only_theirs:,}; "
            f"{self.only_theirs_near:,} of them have such a document."
        )


def agree(pages: Path, ours: set[str], theirs: set[str]) -> Agreement:
    """Compare by URL what two tools kept, and documents with different verdicts with what ours kept.

    The shingles are ours, in plain Python: runs of five words, case folded.
    """
    n_docs, differing = 0, []
    for url, _ in _documents(pages):
        if (url in ours) != (url in theirs):
            differing.append((n_docs, url))
        n_docs += 1
    share = 1 - len(differing) / max(n_docs, 1)
    step = max(1, len(differing) // MAX_JUDGED)
    judged = differing[::step]
    near = _near_earlier(pages, dict(judged), ours)
    mine = [(number, url) for number, url in judged if url in ours]
    other = [(number, url) for number, url in judged if url not in ours]
    return Agreement(
        share=share,
        only_ours=len(mine),
        only_ours_near=sum(number in near for number, _ in mine),
        only_theirs=len(other),
        only_theirs_near=sum(number in near for number, _ in other),
        judged=len(judged),
    )


def _near_earlier(pages: Path, asked: dict[int, str], kept: set[str]) -> set[int]:
    """Return those of the asked that resemble a kept document which stands before them."""
    sizes: dict[int, int] = {}
    holders: dict[int, list[int]] = defaultdict(list)
    for number, (_, text) in enumerate(_documents(pages)):
        if number in asked:
            shingles = _shingles(text)
            sizes[number] = len(shingles)
            for shingle in shingles:
                holders[shingle].append(number)
    near: set[int] = set()
    for number, (url, text) in enumerate(_documents(pages)):
        if url not in kept:
            continue
        shingles = _shingles(text)
        shared = Counter(
            other for shingle in shingles for other in holders.get(shingle, ()) if other > number
        )
        for other, n in shared.items():
            if n >= THRESHOLD * (len(shingles) + sizes[other] - n):
                near.add(other)
    return near


def _documents(pages: Path) -> Iterator[tuple[str, str]]:
    with pages.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            yield row["url"], row["text"]


def _shingles(text: str) -> set[int]:
    words = _WORDS.findall(text.casefold().replace("_", " "))
    if len(words) < WIDTH:
        return {hash(tuple(words))}
    return {hash(tuple(words[i : i + WIDTH])) for i in range(len(words) - WIDTH + 1)}
