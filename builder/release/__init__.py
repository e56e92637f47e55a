"""From rows to a version: ids, cuts, shard plan, ledger, manifest, index segment."""
