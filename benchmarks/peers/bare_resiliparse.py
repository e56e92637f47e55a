"""resiliparse and nothing else: each page's main text, in as many processes as cores."""

import json
import pickle
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree


def extract(pages: list[bytes]) -> int:
    n_chars = 0
    for page in pages:
        tree = HTMLTree.parse_from_bytes(page, "utf-8")
        text = extract_plain_text(tree, main_content=True, noscript=True, comments=True, list_bullets=True)
        n_chars += len(text or extract_plain_text(tree, noscript=True, list_bullets=True))
    return n_chars


if __name__ == "__main__":
    pages = pickle.loads(Path(sys.argv[1]).read_bytes())
    parts = [pages[i : i + 200] for i in range(0, len(pages), 200)]
    with ProcessPoolExecutor(int(sys.argv[2])) as pool:
        began = time.perf_counter()
        n_chars = sum(pool.map(extract, parts))
    print(json.dumps({"seconds": time.perf_counter() - began, "chars": n_chars}))
