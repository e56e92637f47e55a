"""One file for each comparison; each gives rows of the table, or none where the other tool is not there."""
