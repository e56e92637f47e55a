"""Frozen values without I/O: what the words of the glossary mean in code."""
