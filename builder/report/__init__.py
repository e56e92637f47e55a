"""Format results as terminal text and JSON: the only room that formats for people."""
