"""Names on the Hub."""

from __future__ import annotations

import pytest

from builder.errors import HubError, VersionError
from builder.hub.address import check_repo, split_repo, version_of


@pytest.mark.parametrize("name", ["harbour/tides", "a/b", "Harbour-9/tides_2.1"])
def test_good_names(name: str) -> None:
    """USER/NAME, with letters, digits and - . _"""
    assert check_repo(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "tides",
        "a/b/c",
        "/b",
        "a/",
        "a/b--c",
        "a/../b",
        "a/b.git",
        "https://x/y",
        "a b/c",
        "a/" + "b" * 97,
        "",
    ],
)
def test_bad_names(name: str) -> None:
    """Whatever could lead elsewhere is refused before a request is made."""
    with pytest.raises(HubError, match="is not a repository name"):
        check_repo(name)


def test_versions_and_tags() -> None:
    """A tag names a version if it has its form to the letter."""
    assert split_repo("a/b@1.10.0") == ("a/b", "1.10.0")
    assert split_repo("a/b") == ("a/b", None)
    with pytest.raises(VersionError):
        split_repo("a/b@v1.0.0")
    assert [version_of(tag) for tag in ("1.0.0", "v1.0", "v01.0.0", "v1.0.0-rc")] == [None] * 4
