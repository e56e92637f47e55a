"""Find what a page says about the use of its text, for ``opt_out`` and ``license``."""
