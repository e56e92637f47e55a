"""Reference implementation of ``builder.kernels.html.scan``: plain Python with regular expressions."""

from __future__ import annotations

import re
from collections import Counter

from builder.kernels.html.scan import (
    BREAKS_OUT,
    MAX_NAMES,
    NOT_COUNTED,
    OPTIONS,
    RAW_TEXT_ELEMENTS,
    ROOTS,
    RUBY_PARTS,
)

SPACE = rb"[ \t\n\f\r]"
NAME = re.compile(rb"[^ \t\n\f\r/>]*")
FOREIGN = {b"svg", b"math"}
ATTRIBUTE = re.compile(
    rb"(?:[ \t\n\f\r/]+)|(?P<name>[^ \t\n\f\r/>][^ \t\n\f\r/>=]*)[ \t\n\f\r]*"
    rb"(?P<value>=[ \t\n\f\r]*"
    rb"(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|(?P<bare>[^ \t\n\f\r>\"'][^ \t\n\f\r>]*)|))?"
)
COMMENT = re.compile(rb"!--(?:-?>|.*?--!?>|.*\Z)", re.DOTALL)
BOGUS = re.compile(rb"[^>]*(?:>|\Z)")
NOT_COUNTED_NAMES = {name.encode() for name in NOT_COUNTED.split()}
PARENTS = {name.encode(): b"ruby" for name in RUBY_PARTS.split()} | {
    name.encode(): b"select" for name in OPTIONS.split()
}
RAW_NAMES = {name.encode() for name in RAW_TEXT_ELEMENTS.split()}
BREAKS_OUT_NAMES = {name.encode() for name in BREAKS_OUT.split()}


def measure_page(page: bytes) -> tuple[int, int]:
    """Return the depth and the largest number of attributes in one tag."""
    unanswered: Counter[bytes] = Counter()
    seen: set[bytes] = set()
    now = deepest = widest = in_root = position = 0
    foreign = False
    while (position := page.find(b"<", position)) >= 0:
        position += 1
        if page[position : position + 1] in (b"!", b"?"):
            comment = COMMENT.match(page, position) or BOGUS.match(page, position)
            assert comment is not None
            position = comment.end()
            continue
        closing = page[position : position + 1] == b"/"
        position += closing
        if not re.match(rb"[A-Za-z]", page[position : position + 1]):
            if closing and position < len(page):
                bogus = BOGUS.match(page, position)
                assert bogus is not None
                position = bogus.end()
            continue
        found = NAME.match(page, position)
        assert found is not None
        name = found[0].lower()
        n_attributes, self_closed, position = attributes(page, found.end())
        in_root += n_attributes if name.decode("latin-1") in ROOTS.split() else 0
        widest = max(widest, n_attributes, in_root)
        if closing:
            foreign = foreign and name not in FOREIGN
            if unanswered[name] > 0:
                unanswered[name] -= 1
                now -= 1
            continue
        foreign = foreign and name not in BREAKS_OUT_NAMES
        if not foreign and name in RAW_NAMES:
            end = re.compile(rb"</" + name + rb"(?=[ \t\n\f\r/>])", re.IGNORECASE).search(page, position)
            position = end.start() if end else len(page)
            continue
        is_part = name in PARENTS and unanswered[PARENTS[name]] > 0
        if is_part or name in NOT_COUNTED_NAMES or (self_closed and (foreign or name in FOREIGN)):
            continue
        foreign = foreign or name in FOREIGN
        now += 1
        deepest = max(deepest, now)
        if name in seen or len(seen) < MAX_NAMES:
            seen.add(name)
            unanswered[name] += 1
    return deepest, widest


def attributes(page: bytes, position: int) -> tuple[int, bool, int]:
    """Return the number of a tag's attributes, whether it closes itself, and where it ends."""
    count = 0
    bare = False
    while position < len(page) and page[position : position + 1] != b">":
        found = ATTRIBUTE.match(page, position)
        assert found is not None
        count += found["name"] is not None
        bare = found["bare"] is not None
        position = found.end()
    if position >= len(page):
        return count, False, position
    return count, page[position - 1 : position] == b"/" and not bare, position + 1
