"""Gather what a report shows of one version, as values; ``builder.report`` formats them."""
