"""Draw numbers as bars of plain characters, at most 80 columns wide."""
