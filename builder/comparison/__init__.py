"""Compare two versions row by row."""
