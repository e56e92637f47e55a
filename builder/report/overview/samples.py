"""Show records that were dropped, next to what was measured and to what represents them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.blocks import TextSpan, disclosure, facts, side_by_side, text_block
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import count_text
from builder.charts.page import PagePart
from builder.domain.excerpt import common_prefix

if TYPE_CHECKING:
    from builder.operations.overview.facts import CleanedDocument, DroppedGroup, DroppedRecord, Overview, Pair

_VALUE_CHARS = 200
_SNAP_BYTES = 120
"""A removed part is shown at the end of a line, if one is that near."""


def dropped_part(view: Overview, *, n: int, chars: int) -> PagePart | None:
    """Return samples of dropped records for each reason; None in a public report and without one."""
    if view.private is None or not view.private.dropped:
        return None
    return PagePart(
        key="dropped",
        title="Records that were not kept",
        look_for="documents that you would have kept: then the limit of their reason is too strict.",
        content=tuple(_group(one, n=n, chars=chars) for one in view.private.dropped),
    )


def record_block(record: DroppedRecord, *, chars: int) -> Inner:
    """Return one dropped record with its facts and the start of its text."""
    text: Inner = element("p", {"class": "note"}, "Its text is not kept in the audit.")
    if record.text is not None:
        shown, left_out = cut(record.text, chars, record.text_chars)
        text = text_block(shown, left_out=left_out)
    return element("article", {"class": f"sample s-{record.outcome}"}, facts(record_facts_of(record)), text)


def record_facts_of(record: DroppedRecord) -> list[tuple[str, Inner | None]]:
    """Return the facts of a record: where it came from, the measured value, and the limit."""

    def short(text: str | None) -> Inner | None:
        return None if text is None else foreign(text[:_VALUE_CHARS])

    return [
        ("record", element("code", None, foreign(record.record_id[:_VALUE_CHARS]))),
        ("url", short(record.url)),
        ("place", short(record.pointer or None)),
        ("value", short(record.value)),
        ("limit", short(record.limit)),
        ("similarity", None if record.similarity is None else f"{record.similarity:.3f}"),
        ("message", short(record.message)),
    ]


def pair_block(pair: Pair, *, chars: int) -> Inner:
    """Return a merged record and its keeper side by side, with their differences marked."""
    texts = pair.record.text or "", pair.keeper_text
    start = _first_difference(*texts, chars=chars)
    left, left_out = cut(texts[0][start:], chars, None)
    right, right_out = cut(texts[1][start:], chars, None)
    if start:
        left, right = f"… {left}", f"… {right}"
    keeper_url = foreign(pair.keeper_url) if pair.keeper_url else element("code", None, pair.keeper_id)
    heading = (
        element("span", None, "merged: ", foreign(pair.record.url or pair.record.record_id)),
        element("span", None, "kept: ", keeper_url),
    )
    return element(
        "article",
        {"class": "sample s-merged"},
        facts([one for one in record_facts_of(pair.record) if one[0] != "url"]),
        side_by_side((heading[0], left), (heading[1], right), is_cut=bool(left_out or right_out)),
    )


def cleaned_block(document: CleanedDocument, *, chars: int) -> Inner:
    """Return a published document with the removed parts struck out near their places."""
    text, spans, left_out = _with_removed(document, chars)
    row = document.row
    kinds = ", ".join(dict.fromkeys(one.kind for one in document.removed))
    return element(
        "article",
        {"class": "sample s-kept"},
        facts(
            [
                ("id", element("code", None, row.id)),
                ("url", None if row.url is None else foreign(row.url)),
                ("removed", foreign(kinds)),
            ]
        ),
        text_block(text, removed=spans, left_out=left_out),
    )


def cut(text: str, chars: int, text_chars: int | None) -> tuple[str, int]:
    """Return the start of a text, and how many characters of the whole text are left out."""
    shown = text[:chars]
    return shown, max(0, (text_chars or len(text)) - len(shown))


def _first_difference(left: str, right: str, *, chars: int) -> int:
    """Return where to begin to show two texts, so that their first difference is to be seen."""
    same = common_prefix(left, right)
    if same <= chars * 2 // 3:
        return 0
    start = same - chars // 3
    return left.rfind(" ", start - _VALUE_CHARS, start) + 1 or start


def _group(group: DroppedGroup, *, n: int, chars: int) -> Inner:
    samples = [record_block(one, chars=chars) for one in group.samples[:n]]
    if not samples:
        samples = [element("p", {"class": "note"}, "No text of these records is in the audit.")]
    name = f"{group.outcome}: {group.stage} / {group.reason}"
    return element(
        "div", None, element("h3", None, foreign(name)), disclosure("Records", *samples, count=group.records)
    )


def _with_removed(document: CleanedDocument, chars: int) -> tuple[str, list[TextSpan], int]:
    """Return the text with the removed parts put back, and where they are.

    ``start`` counts bytes of the text that came to the stage. A later stage may have changed the text, so a
    part is put at the end of the line that is nearest.
    """
    kept = document.row.text.encode()
    pieces: list[str] = []
    spans: list[TextSpan] = []
    length = at = gone = 0
    for one in document.removed:
        text = one.text or f"[{count_text(one.text_chars)} characters]"
        end = _line_end(kept, max(at, min(len(kept), one.start - gone)))
        before = kept[at:end].decode(errors="replace")
        at = end
        gone += len(text.encode()) + 1
        before += "\n" if before and not before.endswith("\n") else ""
        pieces += [before, text, "\n"]
        length += len(before)
        spans.append(TextSpan(start=length, end=length + len(text)))
        length += len(text) + 1
    pieces.append(kept[at:].decode(errors="replace"))
    whole = "".join(pieces)
    shown = [TextSpan(start=s.start, end=min(s.end, chars)) for s in spans if s.start < chars]
    return whole[:chars], shown, max(0, len(whole) - chars)


def _line_end(text: bytes, at: int) -> int:
    """Return the nearest place after a line feed, or the place itself if none is near."""
    if at in (0, len(text)):
        return at
    before, after = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1
    near = [one for one in (before, after) if one and abs(one - at) <= _SNAP_BYTES]
    if near:
        return min(near, key=lambda one: abs(one - at))
    while at and text[at] & 0xC0 == 0x80:  # inside a character
        at -= 1
    return at
