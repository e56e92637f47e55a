"""Write sheets for people to label, and collect their answers: ``python -m training.labelling --help``."""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.io.charset.decode import decode
from builder.stages.extraction.block_reader import BlockReader
from training.block_labels import LabelError, kappa, list_blocks, marked, packed, read_answers, sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LABELS = Path(__file__).with_name("labels.tsv")
PAGE_COLUMNS = ("id", "kind", "language", "url", "origin", "path", "licence", "sha256")
"""Columns of ``pages.tsv`` of a folder of pages, next to ``html/ID.html.gz``; it may have more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A page of a folder: what is known of it, and its HTML as UTF-8."""

    facts: dict[str, str]
    html: bytes


def page_rows(folder: Path) -> Iterator[PageRow]:
    """Read the pages of a folder, each checked against its SHA-256."""
    for facts in read_table(folder / "pages.tsv"):
        raw = gzip.decompress((folder / "html" / f"{facts['id']}.html.gz").read_bytes())
        if hashlib.sha256(raw).hexdigest() != facts["sha256"]:
            raise LabelError(f"{folder / 'html'}: page {facts['id']} has another SHA-256 than pages.tsv says")
        html = decode(raw, is_html=True).text.encode("utf-8", "replace")
        yield PageRow(facts={name: facts[name] for name in PAGE_COLUMNS}, html=html)


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table of tab-separated values."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def write_sheets(folder: Path) -> int:
    """Write ``sheets/ID.txt`` for each page, and a form for answers; return the number of pages."""
    sheets = folder / "sheets"
    sheets.mkdir(exist_ok=True)
    reader, names = BlockReader(), []
    for page in page_rows(folder):
        name = page.facts["id"]
        (sheets / f"{name}.txt").write_text(sheet(name, list_blocks(page.html, reader)), encoding="utf-8")
        names.append(name)
    (folder / "answers.tsv").write_text("".join(f"{name}\t\n" for name in names), encoding="utf-8")
    return len(names)


def collect(folder: Path, answers: Sequence[Path], output: Path) -> dict[str, list[float]]:
    """Write the labels of all pages that every labeller answered; return the kappas of the pages by kind.

    With more than two labellers, kappa compares the first two.
    """
    given = [read_answers(path.read_text("utf-8").splitlines()) for path in answers]
    reader = BlockReader()
    votes: dict[str, tuple[list[bool], list[bool]]] = defaultdict(lambda: ([], []))
    with output.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join([*PAGE_COLUMNS, "labellers", "marks"]) + "\n")
        for page in page_rows(folder):
            name = page.facts["id"]
            chosen = [one[name] for one in given if name in one]
            if len(chosen) < len(given):
                continue
            blocks = list_blocks(page.html, reader)
            try:
                marks = marked(blocks, *chosen)
            except LabelError as error:
                raise LabelError(f"{name}: {error}") from error
            file.write("\t".join([*page.facts.values(), str(len(chosen)), packed(marks)]) + "\n")
            first, second = votes[page.facts["kind"]]
            first += [block.number in chosen[0] for block in blocks]
            second += [block.number in chosen[-1] for block in blocks]
    return {kind: [kappa(first, second), len(first)] for kind, (first, second) in sorted(votes.items())}


def main() -> None:
    """Write sheets for labellers, or collect their answers and print their agreement by kind of page."""
    parser = argparse.ArgumentParser(prog="python -m training.labelling", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="a folder with pages.tsv and html/ID.html.gz")
    parser.add_argument("answers", nargs="*", type=Path, help="the answers of each labeller")
    parser.add_argument("--output", type=Path, default=LABELS, help="the file of labels")
    given = parser.parse_args()
    if not given.answers:
        print(f"{write_sheets(given.folder)} sheets", file=sys.stderr)
        return
    for kind, (agreement, n_blocks) in collect(given.folder, given.answers, given.output).items():
        print(f"{kind:15} {n_blocks:7.0f} blocks   kappa {agreement:.3f}")


if __name__ == "__main__":
    main()
