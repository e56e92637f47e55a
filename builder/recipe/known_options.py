"""What an option was before it existed or before its default changed, so that older versions compare rightly.

If a stage or source gets another option, add it to ``LATER_OPTIONS``, with the value that does what builder
did without the option. A new stage or source needs no entry. If a default changes, change nothing here.
"""

from __future__ import annotations

from typing import Any

FIRST_STAGES: dict[str, dict[str, Any]] = {
    "validate": {},
    "extract_text": {
        "method": "resiliparse",
        "comments": True,
        "links": False,
        "alt_texts": False,
        "list_bullets": True,
        "tables": True,
        "favor": "balance",
        "max_html_bytes": 16 << 20,
        "max_nesting": 1000,
        "max_attributes": 5000,
        "timeout_s": 30.0,
    },
    "repair_text": {"uncurl_quotes": False, "fix_character_width": False, "fix_latin_ligatures": False},
    "dedup_url": {"keep": "newest", "mode": "drop"},
    "dedup_exact": {"keep": "first", "mode": "drop"},
    "dedup_near": {
        "threshold": 0.8,
        "shingle_words": 5,
        "bands": None,
        "rows": None,
        "keep": "first",
        "mode": "drop",
    },
    "publishable": {},
}
"""The stages and their defaults when manifests held the recipe only as it was written. All had rules 1."""

_MAX_BYTES = 64 << 20
_FILES: dict[str, Any] = {"rename": {}, "max_record_bytes": _MAX_BYTES}

FIRST_SOURCES: dict[str, dict[str, Any]] = {
    "jsonl": _FILES,
    "json": _FILES,
    "warc": {
        **_FILES,
        "status": ["200"],
        "content_types": ["text/html", "application/xhtml+xml", "text/plain"],
    },
    "html": _FILES,
    "text": _FILES,
    "parquet": _FILES,
    "csv": {**_FILES, "delimiter": None, "encoding": "utf-8", "empty_is_null": True},
    "dataset": {"config": None, "split": "train", "revision": None, "rename": {}},
}
"""The sources and their defaults at the same time, without ``path`` and ``name``."""

_URL_PATTERNS = ("urls", "skip_urls", "schemes")
_VALUES: dict[str, Any] = {
    "timezone": "UTC",
    "epoch": "auto",
    "unwrap_lists": False,
    "zstd_long": 27,
    "base64": [],
}
_LATER: dict[str, dict[str, Any]] = {
    "extract_text": {"keep_text": False, "format": "text", "title": "keep"},
    "repair_text": {"entities": True},
    "signals": {"side_file": False},
    "jsonl": _VALUES,
    "json": {**_VALUES, "records": None},
    "parquet": _VALUES,
    "csv": {**_VALUES, "columns": None, "header": None, "quote": '"', "escape": None, "null_values": []},
}

LATER_OPTIONS: dict[tuple[str, str], Any] = {
    **{(kind, option): [] for kind in FIRST_SOURCES for option in _URL_PATTERNS},
    ("warc", "crawler_records"): False,
    ("warc", "incomplete"): True,
    ("html", "url_from_path"): "none",
    **{(kind, "hive"): True for kind in ("parquet", "csv")},  # no effect below input rule 2
    **{(kind, option): value for kind, options in _LATER.items() for option, value in options.items()},
}
"""(kind of stage or source, option) -> the value that does what builder did before the option existed."""


def is_as_before(kind: str, option: str, value: Any, *, default: Any) -> bool:
    """Return whether a version that does not know an option was built as with this value.

    Args:
        default: the default of today, which counts for options of other packages.
    """
    return bool(value == LATER_OPTIONS.get((kind, option), default))


def later_values(kind: str) -> dict[str, Any]:
    """Return the options of a stage or source that did not exist at first, as builder worked without them."""
    return {option: value for (one, option), value in LATER_OPTIONS.items() if one == kind}
