"""Read and write JSON without losing a key or a digit."""
