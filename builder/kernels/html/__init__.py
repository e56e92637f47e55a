"""HTML as bytes."""
