"""Find the charset of a page and decode its bytes."""
