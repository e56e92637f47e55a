"""What repair_text does to a column, and by which rules."""
