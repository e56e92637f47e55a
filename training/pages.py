"""Read the labelled pages of the training sets, and turn each into blocks with features and labels."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from builder.io.charset.decode import decode
from builder.kernels.html.layout import BLOCKS
from builder.kernels.html.statistics import S_WORDS
from builder.stages.extraction.block_reader import BlockReader, block_texts
from training.align import WORD, label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldPage:
    """A page and the text that people marked as its main text."""

    id: str
    source: str
    kind: str
    url: str
    sha256: str
    html: bytes
    gold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPage:
    """The blocks of a page: texts, features, the share of words in the gold text, numbers of words."""

    id: str
    kind: str
    domain: str
    gold: str
    texts: list[str]
    features: np.ndarray
    labels: np.ndarray
    words: np.ndarray


def gold_pages(folder: Path) -> Iterator[GoldPage]:
    """Read the pages of one training set: their gold texts, and ``html/ID.html.gz``."""
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


def labelled(page: GoldPage, reader: BlockReader) -> LabelledPage:
    """Read a page into blocks, and label each by its overlap with the gold text."""
    read, around = reader.describe(page.html)
    n_blocks = int(read.state[BLOCKS])
    texts = block_texts(read)
    labels, _ = label(texts, page.gold)
    return LabelledPage(
        id=page.id,
        kind=page.kind,
        domain=urlsplit(page.url).netloc or page.id,
        gold=page.gold,
        texts=texts,
        features=around.features[:n_blocks].copy(),
        labels=labels,
        words=around.counts[:n_blocks, S_WORDS].astype(np.int64),
    )


def fold_of(page: LabelledPage, n_folds: int) -> int:
    """Return the fold of a page; all pages of a domain are in the same one."""
    return int(hashlib.sha256(page.domain.encode()).hexdigest(), 16) % n_folds


def words_of(text: str) -> list[str]:
    """Return the words of a text as the benchmark counts them."""
    return WORD.findall(text.lower())
