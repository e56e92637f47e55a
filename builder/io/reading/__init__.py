"""What sources share: files, lines, rows, columns."""
