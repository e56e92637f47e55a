"""Stages and a source for builder."""
