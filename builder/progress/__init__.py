"""Show how far work has come: bars on a terminal, a table in a notebook."""
