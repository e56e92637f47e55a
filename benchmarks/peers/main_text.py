"""Bytes of pages to main text on one core: ``main_text.py TOOL PAGES.pickle TEXTS.pickle LIMIT``.

Prints the CPU seconds of the loop over the pages, after one page that does not count.
"""

import json
import logging
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path


def builtin() -> Callable[[bytes], str]:
    """Read the text alone, as the others do."""
    from builder.stages.extraction.main_text import Extractor

    extractor = Extractor()
    return lambda page: extractor.read(page)[0].text


def builtin_with_facts() -> Callable[[bytes], str]:
    """Read the text and the facts, as ``extract_text`` does."""
    from builder.stages.extraction.builtin_text import BuiltinReader
    from builder.stages.extraction.main_text import Extractor

    reader = BuiltinReader(Extractor())
    return lambda page: reader.read(page).text


def resiliparse() -> Callable[[bytes], str]:
    """Parse, and take the main text by its own rules."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    def read(page: bytes) -> str:
        tree = HTMLTree.parse_from_bytes(page, "utf-8")
        return extract_plain_text(tree, main_content=True, noscript=True) if tree.document else ""

    return read


def trafilatura() -> Callable[[bytes], str]:
    """Extract with its defaults."""
    from trafilatura import extract

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    return lambda page: extract(page) or ""


TOOLS = {
    "builder": builtin,
    "builder with facts": builtin_with_facts,
    "resiliparse": resiliparse,
    "trafilatura": trafilatura,
}

if __name__ == "__main__":
    tool, source, output, limit = sys.argv[1:]
    pages = pickle.loads(Path(source).read_bytes())[: int(limit) or None]
    read = TOOLS[tool]()
    read(pages[0])
    began, cpu = time.perf_counter(), time.process_time()
    texts = [read(page) for page in pages]
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}))
    Path(output).write_bytes(pickle.dumps(texts))
