"""What validate does to a batch before its records are parsed."""
