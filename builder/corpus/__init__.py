"""The folder of versions; it moves whole files."""
