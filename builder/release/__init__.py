"""Turn rows into a version: ids, splits, shards, ledger, manifest, index segment."""
