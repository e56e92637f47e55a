"""Train the model of the main text, or measure it: ``python -m training --help``."""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from builder.stages.extraction.block_reader import BlockReader
from builder.stages.extraction.main_text import LIMITS
from builder.stages.extraction.model import MODEL_PATH
from training.boosting import choose, fit
from training.model_file import pack, write
from training.pages import GoldPage, LabelledPage, fold_of, gold_pages, labelled, word_f1

N_TREES = 110
N_FOLDS = 4
SOURCES = Path(__file__).with_name("sources.tsv")


def main() -> None:
    """Train on all pages and write the model, or cross-validate by domain and print the word F1."""
    parser = argparse.ArgumentParser(prog="python -m training", description=main.__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of labelled pages")
    parser.add_argument("--validate", action="store_true", help="cross-validate, and write nothing")
    parser.add_argument("--output", type=Path, default=MODEL_PATH, help="the file of the model")
    given = parser.parse_args()
    gold = [page for folder in given.folders for page in gold_pages(folder)]
    if not given.validate:
        _write_sources(gold, given.folders)
    reader = BlockReader()
    pages = [labelled(page, reader) for page in gold]
    if given.validate:
        _validate(pages)
        return
    write(pack(fit(pages, N_TREES)), given.output)
    print(f"{given.output}: {given.output.stat().st_size} bytes", file=sys.stderr)


def _validate(pages: list[LabelledPage]) -> None:
    folds = np.array([fold_of(page, N_FOLDS) for page in pages])
    found: dict[str, list[float]] = defaultdict(list)
    for fold in range(N_FOLDS):
        model = fit([page for page, own in zip(pages, folds, strict=True) if own != fold], N_TREES)
        for page, own in zip(pages, folds, strict=True):
            if own == fold:
                found[page.kind].append(_score(page, model))
    every = [value for values in found.values() for value in values]
    for kind, values in [*sorted(found.items()), ("all", every)]:
        print(f"{kind:15} {len(values):5} pages   word F1 {np.mean(values):.4f}")


def _score(page: LabelledPage, model: object) -> float:
    least, most = (limit / 1000 for limit in LIMITS["balance"])
    scores = model.predict(page.features, num_threads=1) if len(page.texts) else np.zeros(0)  # type: ignore[attr-defined]
    chosen = choose(scores, page.words, least, most)
    return word_f1("\n".join(text for text, one in zip(page.texts, chosen, strict=True) if one), page.gold)


def _write_sources(pages: list[GoldPage], folders: list[Path]) -> None:
    """Write where each page is from, and the hash of its HTML as it came."""
    with SOURCES.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["set", "id", "kind", "url", "sha256"])
        for page in pages:
            table.writerow([page.source, page.id, page.kind, page.url, page.sha256])
    digest = hashlib.sha256(SOURCES.read_bytes()).hexdigest()
    print(f"{len(pages)} pages of {len(folders)} sets, {SOURCES.name} has SHA-256 {digest}", file=sys.stderr)


if __name__ == "__main__":
    main()
