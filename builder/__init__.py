"""Scraped pages in; a versioned, contract-checked, deduplicated dataset out."""

__version__ = "0.1.0"
