"""Write shards as Parquet, and encode rows canonically."""
