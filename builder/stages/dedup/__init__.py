"""Code that the deduplication stages share."""
