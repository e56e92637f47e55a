"""How the bytes of a page become text."""
