"""Print what ``builder tune`` found: as text of 80 columns, as JSON, and as an HTML page."""
