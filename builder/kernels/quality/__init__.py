"""Measure the quality of texts: words, lines, and what repeats."""
