"""Compute shingles, sketches, clusters and exact similarities."""
