"""The names of what is in a corpus folder."""

from __future__ import annotations

README, MANIFEST = "README.md", "manifest.json"
TOMBSTONES, LATEST = "tombstones.jsonl", "latest"
OBJECTS, AUDIT, INDEX, SEALS, SPOOL = ".objects/sha256", ".audit", ".index", ".seals", ".spool"

ROOT_SEAL = f"{SEALS}/root.json"
"""The seal of the corpus as a whole; it knows all versions."""

LOCK = f"{SPOOL}/lock"
STAGING_PREFIX = ".commit-"
"""Folders of the spool that begin with this hold what is on its way into the corpus."""

FETCHED = "fetched.json"
"""In the audit of a version that was not built here: where it came from, and what did not come."""
