"""JSON text and JSON values, exact where it matters."""
