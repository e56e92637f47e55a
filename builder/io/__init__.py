"""The edges: one file for each source format, and the Parquet sink."""
