"""Identify languages: rows of fastText models, scores of labels, letters by script."""
