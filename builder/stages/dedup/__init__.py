"""What the deduplications have in common."""
