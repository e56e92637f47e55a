"""Find the source that reads a file, by the end of its name, or by its first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import Fault, RecipeError
from builder.io.streams.streams import compression_of, read_chunks
from builder.registry import SOURCES, source_class

if TYPE_CHECKING:
    from builder.io.streams.paths import Found

LINES = "jsonl"
_JSON_STARTS = b'{["-0123456789tfn'
"""The first bytes of a JSON value."""


def kind_of_file(found: Found) -> str:
    """Return the kind of source that reads a file.

    A file whose name ends in no known way is read as lines of JSON if it begins like one.

    Raises:
        RecipeError: if no source reads the file.
    """
    name = found.name.lower()
    for kind in SOURCES:
        suffixes = getattr(source_class(kind), "suffixes", ())
        if name.endswith(tuple(suffixes)) and suffixes:
            return kind
    if _begins_like_json(found):
        return LINES
    what = "is not a format that is read: neither its name nor its content is that of a known one"
    raise RecipeError(
        Fault(where=found.path, what=what, advice=f"known are {known_formats()}; convert the file")
    )


def known_formats() -> str:
    """List the ends of file names that are read."""
    found = [source_class(kind) for kind in SOURCES]
    ends = [suffix for one in found for suffix in getattr(one, "suffixes", ())]
    return ", ".join(end for end in ends if end.count(".") == 1)


def _begins_like_json(found: Found) -> bool:
    """Return whether the first bytes are white space and the start of a JSON value, or nothing."""
    for chunk in read_chunks(found.path, codec=compression_of(found.name)):
        if not isinstance(chunk, bytes):
            return True  # a damaged stream is reported record by record
        start = chunk.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start:
            return start[:1] in _JSON_STARTS and b"\0" not in start[:1000]
    return True
