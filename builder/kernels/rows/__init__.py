"""Write the canonical encoding of rows."""
