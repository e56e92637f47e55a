"""fasttext-predict on each text, as its users call it."""

import json
import sys
import time
from pathlib import Path

import fasttext
import orjson
import pyarrow.parquet as pq

model = fasttext.load_model(sys.argv[1])
texts = pq.read_table(sys.argv[2])["text"].to_pylist()
began, used = time.perf_counter(), time.process_time()
found = [model.predict(text) for text in texts]
seconds, cpu = time.perf_counter() - began, time.process_time() - used
labels = [[one.removeprefix("__label__"), float(score)] for (one,), (score,) in found]
Path(sys.argv[3]).write_bytes(orjson.dumps(labels))
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "documents": len(texts)}))
