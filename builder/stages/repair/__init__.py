"""Repair of text columns, and the rules of each repair, for ``repair_text``."""
