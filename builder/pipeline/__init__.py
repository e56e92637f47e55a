"""The way of a batch: chain, passes, barriers, spool, accounts."""
