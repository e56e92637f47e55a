"""Results to terminal text, JSON and HTML: the only place that formats for people."""
