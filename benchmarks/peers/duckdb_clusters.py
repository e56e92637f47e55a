"""DuckDB: the documents that share a band key, by group-by and join, from Parquet files of (doc, key)."""

import json
import sys
import time

import duckdb

began, used = time.perf_counter(), time.process_time()
connection = duckdb.connect()
(n_edges,) = connection.sql(
    f"""
    with keys as (select doc, key from read_parquet('{sys.argv[1]}/*.parquet')),
         firsts as (select key, min(doc) as first from keys group by key having count(*) > 1)
    select count(*) from keys join firsts using (key) where doc <> first
    """
).fetchall()[0]
print(
    json.dumps(
        {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - used, "edges": n_edges}
    )
)
