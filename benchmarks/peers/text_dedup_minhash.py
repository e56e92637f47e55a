"""text-dedup: MinHash, 112 permutations, 14 bands of 8 rows, words in fives, xxh3, 32 bits, all cores."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

source, output, cache = sys.argv[1:4]
options = {
    "path": "json", "data_files": source, "split": "train", "cache_dir": cache, "output": output,
    "column": "text", "batch_size": "10000", "num_proc": str(os.cpu_count()),
    "num_perm": "112", "b": "14", "r": "8", "ngram": "5", "threshold": "0.8", "min_length": "0",
    "hash_func": "xxh3", "hash_bits": "32",
}  # fmt: skip
arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
began = time.perf_counter()
done = subprocess.run(
    [sys.executable, "-m", "text_dedup.minhash", *arguments],
    env={**os.environ, "HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1"},
    capture_output=True, text=True, check=False,
)  # fmt: skip
if done.returncode:
    sys.exit(done.stderr[-2000:])
seconds = time.perf_counter() - began
if len(sys.argv) > 4:  # not timed: which documents it kept
    import datasets

    Path(sys.argv[4]).write_text(json.dumps(datasets.load_from_disk(output)["url"][:]))
print(json.dumps({"seconds": seconds}))
