"""Read text and facts of pages with the kernels of this package."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from builder.stages.extraction.main_text import Extractor
from builder.stages.extraction.marked_facts import marked_facts
from builder.stages.extraction.page_text import PageText


@cache
def compile_kernels() -> None:
    """Compile the kernels, or load their machine code, before the time limit of a page counts."""
    Extractor().read(b"<title>a</title><p>a, <a href=b>b</a>.")


@dataclass(slots=True)
class BuiltinReader:
    """Reads one page after the other."""

    extractor: Extractor

    def read(self, html: bytes) -> PageText:
        """Return the main text of a page and its facts, from one pass over its bytes.

        Args:
            html: the page as UTF-8.
        """
        found, page = self.extractor.read(html)
        return PageText(
            text=found.text,
            is_whole=found.is_whole,
            comments=found.comments,
            facts=marked_facts(html, page),
        )
