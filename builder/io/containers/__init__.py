"""Read zip and tar archives as folders; their members are never written to disk."""
