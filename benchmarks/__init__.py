"""Timings against other ways to do the same; each figure is a ratio of runs made in turn."""
