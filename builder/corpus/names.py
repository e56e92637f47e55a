"""The names of the files and folders in a corpus folder."""

from __future__ import annotations

import re

README, MANIFEST = "README.md", "manifest.json"
TOMBSTONES, LATEST = "tombstones.jsonl", "latest"
OBJECTS, AUDIT, INDEX, SEALS, SPOOL = ".objects/sha256", ".audit", ".index", ".seals", ".spool"

ROOT_SEAL = f"{SEALS}/root.json"
"""The seal of the corpus as a whole; it lists all versions."""

STOPPED = "stopped"
"""The name of the last build that wrote no version, in the place of a version (``FOLDER@stopped``)."""

LOCK = f"{SPOOL}/lock"
STAGING_PREFIX = ".commit-"
"""Prefix of the staging folders in the spool."""

FETCHED = "fetched.json"
"""File in the audit of a fetched version: its origin, and the parts that were not fetched."""

SIDE_FOLDER = "signals"
"""The folder in the audit of a version with the signals of published rows, one file for each shard."""

_REPORT = re.compile(r"report[A-Za-z0-9._-]{0,100}\.html")


def is_report(name: str) -> bool:
    """Return whether a file directly in the corpus folder is a report by its name.

    Reports are the only files there that a person may add: no seal covers them, and a purge removes them.

    >>> is_report("report.html"), is_report("report-1.0.0.html"), is_report("1.0.0/report.html")
    (True, True, False)
    """
    return _REPORT.fullmatch(name) is not None
