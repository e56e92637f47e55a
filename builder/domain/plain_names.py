"""Names that a corpus may hold: a whitelist, so that no name from a file leads out of the corpus."""

from __future__ import annotations

import re
from typing import Any

from builder.domain.version import Version
from builder.errors import VersionError

MAX_PATH_CHARS = 1_000
_MAX_NAME_BYTES = 255
_NAME = re.compile(r"(?!\.{1,2}\Z)[\w.][\w.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_plain_path(text: Any) -> bool:
    r"""Return whether a value is a relative path of plain names, with forward slashes.

    A name consists of letters, digits, ``_``, ``-`` and ``.``, so ``..``, empty names, control characters
    and backslashes are all left out.

    >>> [is_plain_path(one) for one in ("data/train.parquet", "../x", "/x", "data\n/x", "a//b", "")]
    [True, False, False, False, False, False]
    """
    if not isinstance(text, str) or len(text) > MAX_PATH_CHARS:
        return False
    return all(_is_plain_name(name) for name in text.split("/"))


def is_sha256(value: Any) -> bool:
    """Return whether a value is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_version(value: Any) -> bool:
    """Return whether a value is a version number."""
    try:
        return isinstance(value, str) and str(Version.parse(value)) == value
    except VersionError:
        return False


def _is_plain_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and len(name.encode("utf-8", "replace")) <= _MAX_NAME_BYTES
