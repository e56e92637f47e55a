"""Clean pages that came as text: what ``clean_text`` needs."""
