"""Laws of finding tags without an HTML parser."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from builder.domain.html_tags import tags

MARKS = ["<", ">", "</", "<!--", "-->", "<!x", " ", "=", "/", '"', "'", "\n", "a"]
TAGS = ["<a", "<Meta", "<script", "</script>", "<title>", "<meta a=b>", "a=b", 'a="<meta>"', "a='>'", "a= >"]
PIECES = st.sampled_from([*MARKS, *TAGS])


class Everything:
    """A container that contains every name."""

    def __contains__(self, _: Any) -> bool:
        return True


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=14).map("".join), st.booleans())
@example('<a a="<meta>"><meta a=b>', True)
@example("<script a= ><meta a>", True)
@example("<a a= /><meta a>", True)
def test_unwanted_tags_do_not_affect_wanted_ones(page: str, raw_text: bool) -> None:
    """Unwanted tags are skipped by another pattern, which must end at the same place."""
    every = list(tags(page.encode(), wanted=Everything(), raw_text=raw_text))
    some = list(tags(page.encode(), wanted=(b"meta",), raw_text=raw_text))
    assert some == [tag for tag in every if tag[0] == b"meta"]
