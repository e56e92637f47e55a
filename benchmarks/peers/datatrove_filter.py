"""datatrove's LambdaFilter with a function of a document, in one process, on documents that are read."""

import json
import sys
import time
from pathlib import Path

from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.readers import ParquetReader
from loguru import logger

RULES = {
    "words": lambda document: len(document.text.split()) >= 100,
    "characters": lambda document: len(document.text) >= 1_000,
}


def main(rule: str, source: str) -> None:
    logger.remove()
    path = Path(source)
    reader = ParquetReader(str(path.parent), text_key="text", id_key="url", glob_pattern=path.name)
    documents = list(reader())
    began, used = time.perf_counter(), time.process_time()
    kept = sum(1 for _ in LambdaFilter(RULES[rule])(documents))
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "kept": kept}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
