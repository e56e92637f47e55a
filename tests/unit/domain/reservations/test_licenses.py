"""Normal forms of licences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.reservations.licenses import license_of_text, license_of_url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "cc-by-4.0"),
        ("http://www.creativecommons.org/licenses/by/4.0", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/deed.de", "cc-by-nc-sa-4.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/de/legalcode", "cc-by-sa-3.0-de"),
        ("https://creativecommons.org/licenses/by/2.0/de/", "cc-by-2.0-de"),
        ("https://creativecommons.org/licenses/by/2.5/scotland/", "cc-by-2.5"),
        ("https://creativecommons.org/licenses/by/3.0/igo/", "cc-by-3.0-igo"),
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", "cc-by-nc-nd-1.0"),
        ("//creativecommons.org/licenses/by/", "cc-by"),
        ("creativecommons.org/licenses/BY/4.0/", "cc-by-4.0"),
        ("https://creativecommons.org/licences/by/4.0/", "cc-by-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/deed.en", "pdm-1.0"),
        ("http://creativecommons.org/licenses/publicdomain/", "cc-pd"),
        ("https://creativecommons.org/publicdomain/certification/1.0/us/", "cc-pd"),
        ("https://creativecommons.org/about/", None),
        ("https://creativecommons.org/licenses/", None),
        ("https://creativecommons.org/licenses/xx/4.0/", None),
        ("https://notcreativecommons.org/licenses/by/4.0/", None),
        ("https://a.example/?u=https://creativecommons.org/licenses/by/4.0/", None),
        ("https://www.gnu.org/licenses/fdl-1.3.html", "gfdl-1.3"),
        ("https://www.gnu.org/copyleft/fdl.html", "gfdl"),
        ("https://opensource.org/licenses/MIT", "mit"),
        ("http://www.apache.org/licenses/LICENSE-2.0", "apache-2.0"),
        (
            "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "ogl-uk-3.0",
        ),
        ("", None),
    ],
)
def test_a_url_has_a_normal_form(url: str, name: str | None) -> None:
    """Old hosts, deeds, ports, and the public domain."""
    assert license_of_url(url) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc-by-nc-sa 3.0", "cc-by-nc-sa-3.0"),
        ("© Ann, CC BY-SA 4.0.", "cc-by-sa-4.0"),
        ("CC0", "cc0-1.0"),
        ("Licensed under https://creativecommons.org/licenses/by/4.0/ by Ann", "cc-by-4.0"),
        ("© 2020 Ann. All rights reserved.", None),
        ("account by 4.0", None),
        ("cc bye", None),
    ],
)
def test_a_text_names_a_licence_by_its_sign(text: str, name: str | None) -> None:
    """Words that only look like a sign are none."""
    assert license_of_text(text) == name


@given(st.text())
def test_any_text_has_a_result(text: str) -> None:
    """A licence or none; its normal form is in lower case."""
    for found in (license_of_url(text), license_of_text(text)):
        assert found is None or found == found.lower()
