"""Processing of a batch before its records are parsed, for ``validate``."""
