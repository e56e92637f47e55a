"""Compare the text of the kernel with the trees of html5lib's tests, an independent oracle.

``python -m training.html5lib_trees FOLDER`` reads all ``*.dat`` files of the folder ``tree-construction``.
White space is left out on both sides, and so is the text of elements that the kernel does not read.
``html5lib_deviations.tsv`` lists each test whose text differs, and the reason.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.kernels.html.vocabulary import MUTED, RAW_TEXT, TAG_KINDS, TAGS
from builder.stages.extraction.block_reader import BlockReader, block_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVIATIONS = Path(__file__).with_name("html5lib_deviations.tsv")
_NOT_READ = {name for name, tag in TAGS.items() if TAG_KINDS[tag] & (MUTED | RAW_TEXT)} | {"rt", "rp", "rtc"}
_LINE = re.compile(r"\| ( *)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeTest:
    """One page and the tree that a browser makes of it."""

    name: str
    html: str
    tree: str
    is_fragment: bool


def tree_tests(folder: Path) -> Iterator[TreeTest]:
    """Read the tests of a folder."""
    for path in sorted(folder.glob("*.dat")):
        for number, test in enumerate(
            ("\n" + path.read_text("utf-8", "surrogatepass")).split("\n#data\n")[1:]
        ):
            parts = re.split(
                r"(?:\A|\n)#(errors|new-errors|document-fragment|script-on|script-off|document)(?=\n)",
                "\n" + test,
            )
            named = dict(zip(parts[1::2], parts[2::2], strict=True))
            if "document" in named and "script-on" not in named:
                yield TreeTest(
                    name=f"{path.stem} {number}",
                    html=parts[0][1:],
                    tree=named["document"],
                    is_fragment="document-fragment" in named,
                )


def text_of_tree(tree: str) -> str:
    """Return the text of a tree without white space, in the order of the tree."""
    found: list[str] = []
    closed_at: int | None = None
    for line in re.split(r"\n(?=\| )", tree.strip("\n")):
        match = _LINE.match(line)
        if match is None:
            continue
        depth, content = len(match[1]), match[2]
        if closed_at is not None and depth > closed_at:
            continue
        closed_at = None
        if content.startswith('"'):
            found.append(content[1:-1])
        elif content.startswith("<") and not content.startswith(("<!", "<?")):
            name = content[1:-1].split(" ")[-1].lower()
            if name in _NOT_READ:
                closed_at = depth
    return _without_white(found)


def _without_white(texts: list[str]) -> str:
    return re.sub(r"[\s\x00\xad\ufeff]", "", "".join(texts))


def text_of_kernel(html: str) -> str:
    """Return the text that the kernel reads, without white space."""
    reader = BlockReader()
    _, page = reader.parse(html.encode("utf-8", "replace"))
    return _without_white(block_texts(page))


def known_deviations() -> dict[str, str]:
    """Return the reason for each test whose text differs, by its name."""
    with DEVIATIONS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["test"]: row["reason"] for row in rows}


def main() -> None:
    """Print each test in which the texts differ, and how many there are."""
    parser = argparse.ArgumentParser(prog="python -m training.html5lib_trees", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="the folder tree-construction of html5lib-tests")
    counts: Counter[str] = Counter()
    reasons = known_deviations()
    for test in tree_tests(parser.parse_args().folder):
        if test.is_fragment:
            counts["fragments, which are not pages"] += 1
            continue
        expected, found = text_of_tree(test.tree), text_of_kernel(test.html)
        same = expected == found
        moved = sorted(expected) == sorted(found)
        counts["equal" if same else "equal but for the order" if moved else "different"] += 1
        if not same:
            print(f"{test.name}: {test.html!r}\n    tree   {expected!r}\n    kernel {found!r}")
            print(f"    {reasons.get(test.name, 'no reason is listed')}")
    for what, count in sorted(counts.items()):
        print(f"{count:6} {what}")


if __name__ == "__main__":
    main()
