"""Scan HTML as bytes."""
