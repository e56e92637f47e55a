"""One verb, one file, one class."""
