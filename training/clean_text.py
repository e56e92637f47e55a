"""Train the model of ``clean_text``, or measure it: ``python -m training.clean_text --help``."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from builder.kernels.plain.layout import U_END, U_START
from builder.stages.cleaning.cleaner import UNIT_LIMITS
from builder.stages.cleaning.model import PLAIN_MODEL_PATH
from builder.stages.cleaning.unit_reader import UnitReader
from training.boosting import choose
from training.model_file import pack, write
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
    pages = [_weighed(page) for page in pages if len(page.labels)]
    small = [page for page in small_pages(pages, reader) if len(page.labels)]
    readers = [UnitReader(learn_words([one for one in pages if one.fold != k])) for k in range(N_FOLDS)]
    described = [(page, features_of(page, readers[page.fold])) for page in (*pages, *small)]
    described = [(page, rows) for page, rows in described if len(rows) == len(page.labels)]
    if given.validate:
        _validate(described, readers)
        return
    arrays = pack(_fit(described))
    arrays["vocabulary"] = learn_words(pages)
    write(arrays, given.output)
    print(f"{given.output}: {given.output.stat().st_size} bytes", file=sys.stderr)


def _weighed(page: CutPage) -> CutPage:
    """Give the pages that came as text more weight than renderings of HTML."""
    return replace(page, weight=_NEWS_WEIGHT) if page.page.source.startswith("aeb") else page


def _fit(described: list[tuple[CutPage, np.ndarray]]) -> Any:
    return fit([page for page, _ in described], [rows for _, rows in described])


def _validate(described: list[tuple[CutPage, np.ndarray]], readers: list[UnitReader]) -> None:
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for fold in range(N_FOLDS):
        model = _fit([one for one in described if one[0].fold != fold])
        for page, rows in described:
            if page.fold != fold or page.is_part:
                continue
            scores = model.predict(rows, num_threads=1)
            chosen = choose(scores, page.words, *(limit / 1000 for limit in UNIT_LIMITS))
            text = _text_of(page, readers[fold], chosen)
            name = f"{page.page.source} {page.page.converter}"
            found[name].append((*shingle_counts(text, page.page.gold), words_kept(text, page.page.gold)))
    for name, values in sorted(found.items()):
        table = np.array(values)
        both, only_text, only_gold = table[:, :3].sum(0)
        f1 = 2 * both / (2 * both + only_text + only_gold)
        print(f"{name:30} {len(values):5} pages   F1 {f1:.4f}   gold kept {table[:, 3].mean():.4f}")


def _text_of(page: CutPage, reader: UnitReader, chosen: np.ndarray) -> str:
    n, memory = reader.read(np.frombuffer(page.data, np.uint8), 0, len(page.data))
    places = memory.units[:n][chosen][:, [U_START, U_END]].tolist()
    return "\n".join(page.data[start:end].decode("utf-8", "replace") for start, end in places)


if __name__ == "__main__":
    main()
