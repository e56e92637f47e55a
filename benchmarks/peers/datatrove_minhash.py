"""datatrove: the four MinHash steps, 14 buckets of 8 hashes, words in fives, as many workers as cores."""

# ruff: noqa: E402 - loading is counted, so the clock starts before it

import json
import os
import sys
import time
from pathlib import Path

BEGAN = time.perf_counter()

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.hashing import HashConfig


def main(source: str, work: str, kept: str | None) -> None:
    n = os.cpu_count() or 1
    config = MinhashConfig(
        n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(hash_fc="xxhash", precision=64)
    )
    reader = JsonlReader(source, text_key="text", id_key="url")
    steps = [
        (
            [reader, MinhashDedupSignature(output_folder=f"{work}/signatures", config=config, language="en")],
            n,
        ),
        ([MinhashDedupBuckets(f"{work}/signatures", f"{work}/buckets", config=config)], 14),
        ([MinhashDedupCluster(f"{work}/buckets", f"{work}/removed", config=config)], 1),
        ([reader, MinhashDedupFilter(f"{work}/removed"), JsonlWriter(f"{work}/kept", compression=None)], n),
    ]
    for number, (pipeline, n_tasks) in enumerate(steps):
        LocalPipelineExecutor(
            pipeline=pipeline, tasks=n_tasks, workers=n, logging_dir=f"{work}/logs/{number}"
        ).run()
    seconds = time.perf_counter() - BEGAN
    if kept:
        files = sorted(Path(f"{work}/kept").glob("*"))
        ids = [json.loads(line)["id"] for file in files for line in file.open()]
        Path(kept).write_text(json.dumps(ids))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
