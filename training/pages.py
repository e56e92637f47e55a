"""Read the labelled pages of the training sets, and turn each into blocks with features and labels."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from builder.io.charset.decode import decode
from builder.kernels.html.layout import BLOCKS
from builder.kernels.html.statistics import S_WORDS
from builder.stages.extraction.block_reader import BlockReader, block_texts
from training.align import WORD, label
from training.block_labels import targets, unpacked
from training.labelling import LABELS, page_rows, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


HALF = 0.5
"""A block with at least this share of votes belongs to the gold text of its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldPage:
    """A page and what people marked as its main text: a gold text, or blocks.

    ``marks`` are the hashes of blocks and how many of ``n_labellers`` call each content.
    """

    id: str
    source: str
    kind: str
    url: str
    sha256: str
    html: bytes
    gold: str = ""
    marks: tuple[tuple[str, int], ...] = ()
    n_labellers: int = 0
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPage:
    """The blocks of a page: texts, features, the share of words in the gold text, numbers of words."""

    id: str
    source: str
    kind: str
    language: str
    domain: str
    is_by_blocks: bool
    gold: str
    texts: list[str]
    features: np.ndarray
    labels: np.ndarray
    words: np.ndarray


def gold_pages(folder: Path) -> Iterator[GoldPage]:
    """Read the pages of one training set: their gold texts or labelled blocks, and ``html/ID.html.gz``."""
    if (folder / "pages.tsv").exists():
        yield from _marked_pages(folder)
        return
    truth = folder / "ground-truth.jsonl.gz"
    is_news = not truth.exists()
    lines = (
        (folder / "pages.jsonl").read_text("utf-8")
        if is_news
        else gzip.decompress(truth.read_bytes()).decode()
    )
    for line in filter(None, lines.split("\n")):
        row = json.loads(line)
        raw = gzip.decompress((folder / "html" / f"{row['id']}.html.gz").read_bytes())
        yield GoldPage(
            id=row["id"],
            source=folder.name,
            kind="article" if is_news else row["type"],
            url=row.get("url") or row["id"],
            sha256=hashlib.sha256(raw).hexdigest(),
            html=decode(raw, is_html=True).text.encode("utf-8", "replace"),
            gold=row["gold"] if is_news else row["text"],
        )


def _marked_pages(folder: Path) -> Iterator[GoldPage]:
    """Read the pages of a folder that ``labels.tsv`` has labels of."""
    known = {row["sha256"]: row for row in read_table(LABELS)}
    for page in page_rows(folder):
        row = known.get(page.facts["sha256"])
        if row is not None:
            yield GoldPage(
                id=row["path"],
                source=row["origin"],
                kind=row["kind"],
                url=row["url"],
                sha256=row["sha256"],
                html=page.html,
                marks=tuple(unpacked(row["marks"])),
                n_labellers=int(row["labellers"]),
                language=row["language"],
            )


def labelled(page: GoldPage, reader: BlockReader) -> LabelledPage:
    """Read a page into blocks, and label each by its overlap with the gold text, or as people labelled it.

    Blocks that nobody labelled are left out.
    """
    read, around = reader.describe(page.html)
    n_blocks = int(read.state[BLOCKS])
    texts = block_texts(read)
    if page.n_labellers:
        labels = targets(texts, page.marks, page.n_labellers)
        gold = "\n".join(text for text, share in zip(texts, labels, strict=True) if share >= HALF)
    else:
        labels, _ = label(texts, page.gold)
        gold = page.gold
    known = labels >= 0
    return LabelledPage(
        id=page.id,
        source=page.source,
        kind=page.kind,
        language=page.language,
        is_by_blocks=page.n_labellers > 0,
        domain=urlsplit(page.url).netloc or page.id,
        gold=gold,
        texts=[text for text, is_known in zip(texts, known, strict=True) if is_known],
        features=around.features[:n_blocks][known],
        labels=labels[known],
        words=around.counts[:n_blocks, S_WORDS][known].astype(np.int64),
    )


def fold_of(page: LabelledPage, n_folds: int) -> int:
    """Return the fold of a page; all pages of a domain are in the same one."""
    return int(hashlib.sha256(page.domain.encode()).hexdigest(), 16) % n_folds


def words_of(text: str) -> list[str]:
    """Return the words of a text as the benchmark counts them."""
    return WORD.findall(text.lower())


def word_f1(text: str, gold: str) -> float:
    """Return the word F1 of a text: the words that both have, as multisets.

    >>> word_f1("a red cup", "the red cup")
    0.6666666666666666
    """
    found, wanted = Counter(words_of(text)), Counter(words_of(gold))
    n_found, n_wanted = found.total(), wanted.total()
    if not n_wanted or not n_found:
        return float(n_wanted == n_found)
    return 2 * (found & wanted).total() / (n_found + n_wanted)
