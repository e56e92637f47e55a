"""Contracts: what a record must be, and the columns that it becomes."""
