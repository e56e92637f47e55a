"""Parse the name of a repository on the Hub, and of a version in it."""

from __future__ import annotations

import re

from builder.domain.version import Version
from builder.errors import Fault, HubError, VersionError

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_MAX_NAME = 96
_TAG = re.compile(r"v(\d+\.\d+\.\d+)", re.ASCII)


def check_repo(name: str) -> str:
    """Return the name of a repository unchanged, if it is valid.

    Raises:
        HubError: if it does not have the form ``USER/NAME``.
    """
    parts = name.split("/")
    wrong = "--" in name or ".." in name or name.endswith((".git", "-", ".")) or len(parts[-1]) > _MAX_NAME
    if not _REPO.fullmatch(name) or wrong:
        what, advice = f"{name!r} is not a repository name", "write it as USER/NAME"
        raise HubError(Fault(where="", what=what, advice=advice))
    return name


def split_repo(address: str) -> tuple[str, str | None]:
    """Split ``USER/NAME@VERSION`` into repository and version.

    >>> split_repo("harbour/gazette@1.2.0")
    ('harbour/gazette', '1.2.0')

    Raises:
        HubError: if the repository name is invalid.
        VersionError: if the part after ``@`` is not a version number.
    """
    name, at, version = address.partition("@")
    return check_repo(name), str(Version.parse(version)) if at else None


def tag_of(version: str) -> str:
    """Return the tag of a version.

    >>> tag_of("1.2.0")
    'v1.2.0'
    """
    return f"v{version}"


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names, or None.

    >>> str(version_of("v1.2.0")), version_of("draft")
    ('1.2.0', None)
    """
    match = _TAG.fullmatch(tag)
    try:
        return Version.parse(match[1]) if match else None
    except VersionError:
        return None
