"""Names of repositories, versions and tags on the Hub."""

from __future__ import annotations

import pytest

from builder.errors import HubError, VersionError
from builder.hub.address import check_repo, split_repo, version_of


@pytest.mark.parametrize("name", ["harbour/tides", "a/b", "Harbour-9/tides_2.1"])
def test_a_valid_repository_name_is_returned_unchanged(name: str) -> None:
    """The form is USER/NAME with letters, digits and - . _"""
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
def test_an_invalid_repository_name_is_refused(name: str) -> None:
    """It is refused before any request, because it could lead to another place."""
    with pytest.raises(HubError, match="is not a repository name"):
        check_repo(name)


def test_only_a_tag_of_the_exact_form_is_a_version() -> None:
    """Other tags of the repository must not count as versions."""
    assert split_repo("a/b@1.10.0") == ("a/b", "1.10.0")
    assert split_repo("a/b") == ("a/b", None)
    with pytest.raises(VersionError):
        split_repo("a/b@v1.0.0")
    assert [version_of(tag) for tag in ("1.0.0", "v1.0", "v01.0.0", "v1.0.0-rc")] == [None] * 4
