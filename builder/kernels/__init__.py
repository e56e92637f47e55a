"""Compile kernels: they take arrays, fill arrays, and import nothing else of builder."""
