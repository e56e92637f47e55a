"""Train the model of ``clean_text``, or measure it: ``python -m training.clean_text --help``."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from builder.stages.cleaning.cleaner import Cleaner
from builder.stages.cleaning.model import PLAIN_MODEL_PATH, read_plain_model
from builder.stages.cleaning.unit_reader import UnitReader
from training.model_file import pack, write
from training.pages import GoldPage, gold_pages
from training.plain_text import (
    N_FOLDS,
    NO_WORDS,
    CutPage,
    cut,
    features_of,
    fit,
    learn_words,
    shingle_counts,
    small_pages,
    words_kept,
)
from training.removed_classes import learn_classes
from training.renderings import text_pages

_NEWS_WEIGHT = 4.0


def main() -> None:
    """Train on all pages and write the model, or cross-validate by domain and print the F1 of shingles."""
    parser = argparse.ArgumentParser(prog="python -m training.clean_text", description=main.__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of labelled pages")
    parser.add_argument("--validate", action="store_true", help="cross-validate, and write nothing")
    parser.add_argument("--output", type=Path, default=PLAIN_MODEL_PATH, help="the file of the model")
    given = parser.parse_args()
    reader = UnitReader(NO_WORDS)
    pages = [cut(page, reader) for folder in given.folders for page in text_pages(folder)]
    gold = [page for folder in given.folders for page in gold_pages(folder) if not page.n_labellers]
    if given.validate:
        validate(pages, gold)
        return
    write(train(pages, gold), given.output)
    print(f"{given.output}: {given.output.stat().st_size} bytes", file=sys.stderr)


def train(pages: list[CutPage], gold: list[GoldPage]) -> dict[str, np.ndarray]:
    """Return the arrays of a model that is trained on all pages."""
    described, whole = _described(pages)
    arrays = pack(_fit(described))
    arrays["vocabulary"] = learn_words(whole)
    arrays |= _classes(gold, whole)
    return arrays


def _described(pages: list[CutPage]) -> tuple[list[tuple[CutPage, np.ndarray]], list[CutPage]]:
    """Return the pages and parts of them with their features, and the pages alone.

    What words say about a page is learned from other domains.
    """
    reader = UnitReader(NO_WORDS)
    pages = [_weighed(page) for page in pages if len(page.labels)]
    small = [page for page in small_pages(pages, reader) if len(page.labels)]
    readers = [UnitReader(learn_words([one for one in pages if one.fold != k])) for k in range(N_FOLDS)]
    described = [(page, features_of(page, readers[page.fold])) for page in (*pages, *small)]
    return [(page, rows) for page, rows in described if len(rows) == len(page.labels)], pages


def _weighed(page: CutPage) -> CutPage:
    """Give the pages that came as text more weight than renderings of HTML."""
    return replace(page, weight=_NEWS_WEIGHT) if page.page.source.startswith("aeb") else page


def _fit(described: list[tuple[CutPage, np.ndarray]]) -> Any:
    return fit([page for page, _ in described], [rows for _, rows in described])


def _classes(gold: list[GoldPage], pages: list[CutPage]) -> dict[str, np.ndarray]:
    words, shapes = learn_classes(gold, pages, UnitReader(NO_WORDS))
    return {"class_words": words, "class_shapes": shapes}


def validate(pages: list[CutPage], gold: list[GoldPage]) -> None:
    """Clean each page as the stage does, with a model of the other folds; print F1 and the gold kept."""
    described, whole = _described(pages)
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for fold in range(N_FOLDS):
        others = [page for page in whole if page.fold != fold]
        arrays = pack(_fit([one for one in described if one[0].fold != fold]))
        arrays["vocabulary"] = learn_words(others)
        own_gold = {(page.page.source, page.page.id) for page in others}
        arrays |= _classes([page for page in gold if (page.source, page.id) in own_gold], others)
        cleaner = Cleaner(read_plain_model(arrays))
        for page in whole:
            if page.fold == fold:
                text = _cleaned(page, cleaner)
                name = f"{page.page.source} {page.page.kind} {page.page.converter}"
                before = shingle_counts(page.data.decode("utf-8", "replace"), page.page.gold)
                after = shingle_counts(text, page.page.gold)
                found[name].append((*before, *after, words_kept(text, page.page.gold)))
    for name, values in sorted(found.items()):
        table = np.array(values)
        totals = table[:, :6].sum(0)
        before, after = (2 * both / (2 * both + a + b) for both, a, b in (totals[:3], totals[3:]))
        kept = table[:, 6].mean()
        print(f"{name:42} {len(values):5} pages   F1 {before:.3f} {after:.3f}   gold kept {kept:.3f}")


def _cleaned(page: CutPage, cleaner: Cleaner) -> str:
    data = np.frombuffer(page.data or b" ", np.uint8)
    cleaned = cleaner.clean(data, np.array([[0, len(page.data)]]), [b""])
    return cleaned.text[: cleaned.offsets[1]].tobytes().decode("utf-8", "replace")


if __name__ == "__main__":
    main()
