"""rensa on one core: R-MinHash of 112 from texts, and the fastest batch call of 96 on ready hashes."""

import json
import os
import sys
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = os.environ["RENSA_NUM_THREADS"] = "1"

import numpy as np
import pyarrow.parquet as pq
from rensa import RMinHash

what, source = sys.argv[1:3]
if what == "texts":
    texts = pq.read_table(source, columns=["text"])["text"].to_pylist()
    began, used = time.perf_counter(), time.process_time()
    for text in texts:
        words = text.lower().split()
        sketch = RMinHash(num_perm=112, seed=42)
        sketch.update([" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))])
        sketch.digest()
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
else:
    hashes, starts = (np.load(Path(source) / name) for name in ("hashes.npy", "starts.npy"))
    best = []
    offsets = starts.astype(np.uint64)
    for call in (
        RMinHash.digest_matrix_from_flat_token_hashes,
        RMinHash.digest_matrix_from_flat_token_hashes_rho,
    ):
        began, used = time.perf_counter(), time.process_time()
        call(hashes, offsets, 96, 42)
        best.append((time.perf_counter() - began, time.process_time() - used))
    seconds, cpu = min(best)
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))
