"""What a takedown or a purge touches."""
