"""Find and delete what a takedown or a purge removes."""
