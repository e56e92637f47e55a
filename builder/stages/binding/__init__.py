"""Checks that stages share in ``bind``."""
