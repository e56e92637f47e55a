"""Code that sources share: files, lines, rows, columns."""
