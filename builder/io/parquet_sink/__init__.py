"""The Parquet sink, and the canonical encoding of rows."""
