"""``datasets.filter`` with a function of a row, in one process, on rows that are read.

It writes the numbers of the rows that are kept, or these rows.
"""

import json
import sys
import tempfile
import time

import datasets

datasets.disable_progress_bars()


RULES = {
    "words": lambda row: len(row["text"].split()) >= 100,
    "characters": lambda row: len(row["text"]) >= 1_000,
}


def main(rule: str, source: str, *, writes_rows: bool) -> None:
    with tempfile.TemporaryDirectory() as cache:
        rows = datasets.Dataset.from_parquet(source, cache_dir=cache)
        began, used = time.perf_counter(), time.process_time()
        kept = rows.filter(RULES[rule], load_from_cache_file=False)
        if writes_rows:
            kept = kept.flatten_indices()
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
        print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "documents": len(rows), "kept": len(kept)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], writes_rows=sys.argv[3] == "rows")
