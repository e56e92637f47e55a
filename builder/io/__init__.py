"""Read inputs and write shards: one module for each source format, and the Parquet sink."""
