"""datatrove's filters on each text, one process: repetition, then quality, then FineWeb's own rules."""

import json
import sys
import time
from pathlib import Path

import orjson
from datatrove.data import Document
from datatrove.pipeline.filters import (
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

texts = [orjson.loads(line)["text"] for line in Path(sys.argv[1]).read_bytes().splitlines()]
filters = [GopherRepetitionFilter(), GopherQualityFilter(), FineWebQualityFilter()]
for one in filters:
    one.filter(Document(text="The sea and the harbour of the town. " * 9, id=""))  # loads the tokenizer
began, used = time.perf_counter(), time.process_time()
for number, text in enumerate(texts):
    document = Document(text=text, id=str(number))
    for one in filters:
        one.filter(document)
seconds, cpu = time.perf_counter() - began, time.process_time() - used
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "documents": len(texts)}))
