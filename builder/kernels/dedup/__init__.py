"""Shingles, sketches, clusters, exact similarity."""
