"""Kernels for pages that came as text: units, features."""
