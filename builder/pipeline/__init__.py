"""Run batches through the chain: passes, barriers, spool, accounts."""
