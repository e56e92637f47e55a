"""pyarrow: read lines of JSON with all threads, write Parquet with zstd."""

import sys

import pyarrow.json
import pyarrow.parquet as pq

options = pyarrow.json.ReadOptions(block_size=16 << 20)
table = pyarrow.json.read_json(sys.argv[1], read_options=options)
pq.write_table(table, sys.argv[2], compression="zstd")
