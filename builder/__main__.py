"""Run the command line: ``python -m builder``."""

from builder.cli.main import main

main()
