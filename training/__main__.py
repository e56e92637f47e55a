"""Train the model of the main text, or measure it: ``python -m training --help``."""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.stages.extraction.block_reader import BlockReader
from builder.stages.extraction.main_text import LIMITS
from builder.stages.extraction.model import MODEL_PATH
from training.boosting import choose, fit
from training.model_file import pack, write
from training.pages import GoldPage, LabelledPage, fold_of, gold_pages, labelled, word_f1
from training.plain_text import shingle_counts

if TYPE_CHECKING:
    from collections.abc import Iterable

N_TREES = 110
N_FOLDS = 4
PEERS = ("resiliparse", "trafilatura")
SOURCES = Path(__file__).with_name("sources.tsv")


def main() -> None:
    """Train on all pages and write the model, or cross-validate by domain and print the word F1."""
    parser = argparse.ArgumentParser(prog="python -m training", description=main.__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of labelled pages")
    parser.add_argument("--validate", action="store_true", help="cross-validate, and write nothing")
    parser.add_argument("--favor", default="balance", choices=[*LIMITS], help="what --validate measures")
    parser.add_argument(
        "--against", nargs="*", default=[], choices=PEERS, help="measure these extractors on the same pages"
    )
    parser.add_argument("--output", type=Path, default=MODEL_PATH, help="the file of the model")
    given = parser.parse_args()
    gold = [page for folder in given.folders for page in gold_pages(folder)]
    if not given.validate:
        _write_sources(gold, given.folders)
    reader = BlockReader()
    pages = [labelled(page, reader) for page in gold]
    if given.validate:
        _validate(pages, [page.html for page in gold], given.favor, given.against)
        return
    write(pack(fit(pages, N_TREES)), given.output)
    print(f"{given.output}: {given.output.stat().st_size} bytes", file=sys.stderr)


def _validate(pages: list[LabelledPage], html: list[bytes], favor: str, against: list[str]) -> None:
    """Print how good the model of the other folds is on each group of pages, and how good other tools are."""
    _print_means("builder", pages, _texts(pages, favor))
    if against:
        from benchmarks.peers.main_text import TOOLS

        for name in against:
            _print_means(name, pages, map(TOOLS[name](), html))


def _texts(pages: list[LabelledPage], favor: str) -> list[str]:
    """Return the main text of each page, by the model of the other folds."""
    folds = np.array([fold_of(page, N_FOLDS) for page in pages])
    texts = [""] * len(pages)
    for fold in range(N_FOLDS):
        model = fit([page for page, own in zip(pages, folds, strict=True) if own != fold], N_TREES)
        for place in np.flatnonzero(folds == fold).tolist():
            texts[place] = _text(pages[place], model, favor)
    return texts


def _text(page: LabelledPage, model: Any, favor: str) -> str:
    least, most = (limit / 1000 for limit in LIMITS[favor])
    scores = model.predict(page.features, num_threads=1) if len(page.texts) else np.zeros(0)
    chosen = choose(scores, page.words, least, most)
    return "\n".join(text for text, one in zip(page.texts, chosen, strict=True) if one)


def _print_means(tool: str, pages: list[LabelledPage], texts: Iterable[str]) -> None:
    found: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    for page, text in zip(pages, texts, strict=True):
        labels = "blocks" if page.is_by_blocks else page.source
        values = (word_f1(text, page.gold), *shingle_counts(text, page.gold))
        for name in ("all", page.kind, *(["not English"] if page.language not in ("", "en") else [])):
            found[labels, name].append(values)
    for (labels, name), rows in sorted(found.items()):
        f1, both, more, less = np.mean(rows, axis=0)
        print(
            f"{tool:12} {labels:15} {name:15} {len(rows):5} pages   word F1 {f1:.4f}   "
            f"4-shingle F1 {2 * both / (2 * both + more + less):.4f}"
        )


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
