"""The Hub, and nothing else."""
