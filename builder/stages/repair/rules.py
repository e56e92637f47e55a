"""Repair one line, and list the characters that a repair can change.

The repairs and their order are those of ``ftfy.fix_text`` with the options for curly quotes, character width
and Latin ligatures off. As in ftfy, each line is repaired independently. This module has its own loop over
the repairs, so that it can report which repairs changed a line, and so that it can refuse to normalise long
runs of combining marks, which takes quadratic time.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.text import screen
from builder.stages.repair.work import CALL_STEPS, Work, within_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

BLANKS = "\t \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Characters that are removed at the end of a line."""

MAX_LINE_CHARS = 1_000_000
"""Longer lines are repaired in parts of this many characters (``max_decode_length`` of ftfy)."""

CACHED_LINES = 1 << 14
"""Maximum number of lines in the cache of repairs; the least recently used lines leave it first."""

MAX_CACHED_CHARS = 2_000
"""Longer lines are not cached: they rarely occur again and take much memory."""

DECODED_BYTES = 1 << 20
"""Bytes of a line that are decoded at a time. A long line as one string can take four times its size."""

SOFT_HYPHEN = "\xad"
_VERTICAL_TAB = "\x0b"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


class TooManyMarksError(ValueError):
    """A run of combining marks is so long that the text cannot be normalised in reasonable time."""

    reason = "too_many_marks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The repairs that are off by default."""

    uncurl_quotes: bool
    fix_character_width: bool
    fix_latin_ligatures: bool


def fix_line(line: str, *, is_html: bool, options: Options, work: Work) -> tuple[str, frozenset[str]]:
    """Repair one line with its line end; return it with the names of the repairs that changed it.

    A long line is repaired in parts. From the first part with a ``<`` on, the text counts as HTML, and its
    entities are not changed. A vertical tab becomes a space before the repairs of ftfy, which would join the
    words around it. Soft hyphens are removed after them, because mojibake contains the same character; what
    is left is repaired again.

    Args:
        is_html: whether the entities of the line are not decoded.
        work: counts the steps of the document.

    Raises:
        TooManyMarksError: if it has more than ``MAX_MARKS`` combining marks in a row.
        TooMuchRepairError: if the document takes more than ``MAX_STEPS`` steps.
    """
    changes: set[str] = set()
    parts = []
    for start in range(0, len(line), MAX_LINE_CHARS):
        part = line[start : start + MAX_LINE_CHARS]
        is_html = is_html or "<" in part
        fix = _fix_cached if len(part) <= MAX_CACHED_CHARS else _fix_part
        spaced = part.replace(_VERTICAL_TAB, " ")
        fixed, changed, n_steps = fix(spaced, unescape=not is_html and "&" in part, options=options)
        work.spend(n_steps)
        while SOFT_HYPHEN in fixed:
            changes |= changed | {"control_chars"}
            fixed = fixed.replace(SOFT_HYPHEN, "")
            fixed, changed, n_steps = fix(fixed, unescape=not is_html and "&" in fixed, options=options)
            work.spend(n_steps)
        parts.append(fixed)
        changes |= changed | ({"control_chars"} if spaced != part else set())
    fixed = "".join(parts)
    normal = unicodedata.normalize("NFC", fixed)  # each part has at most MAX_MARKS marks in a row
    if normal != fixed:
        changes.add("nfc")
    plain = _CONTROLS.sub("", normal.replace("\f", "\n"))
    if plain != normal:
        changes.add("control_chars")
    return plain, frozenset(changes)


def fix_bytes(
    line: memoryview, *, is_html: bool, options: Options, work: Work
) -> tuple[bytes, frozenset[str]]:
    """Repair one line of any length, given as UTF-8; see ``fix_line``."""
    changes: frozenset[str] = frozenset()
    pieces = []
    for text in _pieces(line):
        fixed, changed = fix_line(text, is_html=is_html, options=options, work=work)
        pieces.append(fixed.encode())
        changes |= changed
        is_html = is_html or "<" in text
    return b"".join(pieces), changes


def _pieces(line: memoryview) -> Iterator[str]:
    """Decode a line in pieces. Cut at the end of a part, before a character that combines with nothing.

    ASCII letters and digits are such characters. A control character or an entity is not: its repair can
    remove it and leave a combining mark at the start of the piece.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, cut = "", MAX_LINE_CHARS
    for at in range(0, len(line), DECODED_BYTES):
        text += decoder.decode(line[at : at + DECODED_BYTES], final=at + DECODED_BYTES >= len(line))
        while cut < len(text):
            if text[cut].isascii() and text[cut].isalnum():
                yield text[:cut]
                text, cut = text[cut:], 0
            cut += MAX_LINE_CHARS
    yield text


@lru_cache(maxsize=CACHED_LINES)
def _fix_cached(line: str, *, unescape: bool, options: Options) -> tuple[str, frozenset[str], int]:
    """Repair a line and cache the result: some lines occur on all pages of a site."""
    return _fix_part(line, unescape=unescape, options=options)


def _fix_part(line: str, *, unescape: bool, options: Options) -> tuple[str, frozenset[str], int]:
    """Apply all repairs until none changes the line; return it, the repairs, and the steps that they took."""
    changes: set[str] = set()
    repairs = _repairs(options)
    n_steps = 0
    while True:
        before, n_rounds = line, 1
        for name, repair in repairs:
            if name == "entities" and (not unescape or "&" not in line):
                continue
            if repair is _fix_encoding:
                fixed, n_more = _fix_encoding(line)
                n_rounds += n_more
            else:
                fixed = repair(line)
            if fixed != line:
                changes.add(name)
                line = fixed
        n_steps = within_limit(n_steps + n_rounds * (len(before) + CALL_STEPS))
        if line == before:
            return line, frozenset(changes), n_steps


def _fix_encoding(line: str) -> tuple[str, int]:
    """Repair mojibake; return the line, and the rounds that it took."""
    import ftfy

    fixed, plan = ftfy.fix_encoding_and_explain(line)
    return fixed, 1 + sum(action in ("decode", "apply") for action, _ in plan or ())


@cache
def _repairs(options: Options) -> tuple[tuple[str, Callable[[str], Any]], ...]:
    """Return the repairs in the order of ftfy, each with the name under which its changes are counted."""
    from ftfy import fixes

    return (
        ("entities", fixes.unescape_html),
        ("mojibake_fixed", _fix_encoding),
        ("mojibake_fixed", fixes.fix_c1_controls),
        *([("ligatures", fixes.fix_latin_ligatures)] if options.fix_latin_ligatures else []),
        *([("width", fixes.fix_character_width)] if options.fix_character_width else []),
        *([("quotes", fixes.uncurl_quotes)] if options.uncurl_quotes else []),
        ("line_ends", fixes.fix_line_breaks),
        ("surrogates", fixes.fix_surrogates),
        ("control_chars", fixes.remove_terminal_escapes),
        ("control_chars", fixes.remove_control_chars),
        ("nfc", _nfc),
    )


def _nfc(text: str) -> str:
    if text.isascii():
        return text
    if len(text) > screen.MAX_MARKS and _mark_run().search(text):
        raise TooManyMarksError
    return unicodedata.normalize("NFC", text)


@cache
def _mark_run() -> re.Pattern[str]:
    marks = "".join(filter(unicodedata.combining, map(chr, range(screen.TABLE_SIZE))))
    return re.compile(f"[{re.escape(marks)}]{{{screen.MAX_MARKS + 1}}}")


@cache
def tables(options: Options) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the arguments ``classes``, ``leads`` and ``trails`` of ``screen.screen``."""
    classes = np.zeros(screen.TABLE_SIZE, dtype=np.uint16)
    for chars, kind in (
        (BLANKS, screen.BLANK),
        ("&", screen.MARKUP),
        ("\r\x85\u2028\u2029\f", screen.LINE),
        (map(chr, range(0x80, 0xA0)), screen.C1),
        (_removed(), screen.CONTROL),
        (_clues(), screen.CLUE),
        ("\u0152\u0153\xc2\xc3", screen.LONE_CLUE),
        (_optional(options), screen.OPTION),
        (_decoded(b"\xc2\xc3\xc5\xce\xd0\xd9"), screen.BEFORE_SPACE),
        (_decoded(b"\xc2\xc3"), screen.BEFORE_ASK),
    ):
        classes[[ord(char) for char in chars]] |= kind
    _mark_normal(classes)
    return classes, *_byte_roles()


def _mark_normal(classes: NDArray[np.uint16]) -> None:
    """Mark characters that normalisation can change: not in NFC, or combining with the one before."""
    for point in range(0x80, screen.TABLE_SIZE - 1):
        char = chr(point)
        if unicodedata.combining(char):
            classes[point] |= screen.MARK | screen.NORMAL
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            classes[min(int(parts[1], 16), screen.TABLE_SIZE - 1)] |= screen.NORMAL
        if parts and not parts[0].startswith("<") and not unicodedata.is_normalized("NFC", char):
            classes[point] |= screen.NORMAL
    classes[0x1160:0x1200] |= screen.NORMAL  # the vowels and final consonants of Hangul
    classes[-1] |= screen.NORMAL


def _removed() -> set[str]:
    """Return the characters that ftfy removes, and those that ``fix_line`` removes."""
    from ftfy.chardata import CONTROL_CHARS

    controls = {chr(point) for point in range(0x20) if chr(point) not in "\t\n\f\r"}
    return {chr(point) for point in CONTROL_CHARS} | controls | {SOFT_HYPHEN}


def _clues() -> set[str]:
    """Return the non-ASCII characters in ftfy's pattern for mojibake, with ranges expanded."""
    from ftfy.badness import BADNESS_RE

    pattern = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), BADNESS_RE.pattern)
    clues = {char for char in pattern if char >= "\x80"}
    for first, last in re.findall(r"([^\x00-\x7f])-([^\x00-\x7f])", pattern):
        clues.update(map(chr, range(ord(first), ord(last) + 1)))
    return clues


def _optional(options: Options) -> set[str]:
    from ftfy.chardata import LIGATURES, WIDTH_MAP

    chars: set[str] = set()
    if options.fix_latin_ligatures:
        chars.update(map(chr, LIGATURES))
    if options.fix_character_width:
        chars.update(map(chr, WIDTH_MAP))
    if options.uncurl_quotes:
        chars.update("\u02bc\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f")
    return chars


def _decoded(byts: bytes) -> set[str]:
    """Return the characters of ``byts`` in all charsets of ftfy."""
    import ftfy.bad_codecs  # noqa: F401 - registers the sloppy charsets
    from ftfy.chardata import CHARMAP_ENCODINGS

    return {char for charset in CHARMAP_ENCODINGS for char in byts.decode(charset)}


def _byte_roles() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return, per character, the charsets of ftfy in which it can start or continue a UTF-8 sequence.

    Returns:
        leads and trails: uint16[TABLE_SIZE], one bit for each charset.
    """
    from ftfy.chardata import CHARMAP_ENCODINGS

    leads = np.zeros(screen.TABLE_SIZE, dtype=np.uint16)
    trails = np.zeros(screen.TABLE_SIZE, dtype=np.uint16)
    for place, charset in enumerate(CHARMAP_ENCODINGS):
        for byte in range(0x80, 0x100):
            roles = leads if byte >= 0xC0 else trails
            roles[ord(bytes([byte]).decode(charset))] |= 1 << place
    trails[0xFFFD] = 0xFFFF  # the replacement character: any byte is possible
    return leads, trails
