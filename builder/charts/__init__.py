"""Draw charts and pages without a script; knows nothing of a corpus (``docs/charts.md`` is the sheet)."""
