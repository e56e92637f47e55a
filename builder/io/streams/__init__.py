"""Bytes from anywhere, decompressed on the way."""
