"""Parse, call, print; no logic."""
