"""The canonical encoding of rows."""
