"""Format the facts of one version as one HTML page; ``page.py`` puts its parts together."""
