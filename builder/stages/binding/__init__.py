"""What stages check when they are bound."""
