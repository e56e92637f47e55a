"""Parse, call, print; no logic. One file for each command or small family of commands."""

from builder.cli.main import main

__all__ = ["main"]
