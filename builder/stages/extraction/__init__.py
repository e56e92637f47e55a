"""Extraction of text and facts from one page, for ``extract_text``."""
