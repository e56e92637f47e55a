"""Names of machines on the web: which part of a host somebody registered."""
