"""Find what the headers and the tags of one page say about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from builder.domain.reservations.robot_tags import header_directives, meta_directives
from builder.domain.reservations.rsl import RSL_TYPE, rsl_answer
from builder.domain.reservations.signal import UseAnswer, UseSignal, combine, short
from builder.domain.reservations.tdm import reservation_answer
from builder.domain.reservations.usage import answer_of, parse_signal, parse_usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.reservations.tokens import Tokens

_LINK = re.compile(r"<([^<>]{1,2000})>([^<]{0,2000})")
_MAX_HEADER_CHARS: Final = 16_384


class Tag(NamedTuple):
    """A ``<meta>``, ``<link>`` or ``<script>`` of a page, with the content of a script."""

    name: str
    attributes: Mapping[str, str]
    text: str
    content: str = ""


def page_signals(
    headers: Mapping[str, str], tags: Sequence[Tag], path: str, tokens: Tokens
) -> list[UseSignal]:
    """Return all signals of a page.

    Of the places of TDMRep a later one overrides an earlier one; ``with_tdm_order`` applies that.

    Args:
        headers: names in lower case.
        path: path and query of the page's canonical URL.
    """
    return [*_header_signals(headers, tokens), *_tag_signals(tags, path, tokens)]


def with_tdm_order(signals: Sequence[UseSignal]) -> list[tuple[UseSignal, bool]]:
    """Return each signal with whether it counts: of TDMRep, only the last place of file, header and meta."""
    order = {"tdmrep.json": 0, "header": 1, "meta": 2}
    last = max((order[one.place] for one in signals if _is_tdm(one)), default=-1)
    return [(one, not _is_tdm(one) or order[one.place] == last) for one in signals]


def _is_tdm(signal: UseSignal) -> bool:
    return signal.signal == "tdmrep" and not signal.is_missing


def _header_signals(headers: Mapping[str, str], tokens: Tokens) -> Iterator[UseSignal]:
    def value_of(name: str) -> str:
        return str(headers.get(name) or "")[:_MAX_HEADER_CHARS]

    if value := value_of("x-robots-tag"):
        for directive in dict.fromkeys(header_directives(value, tokens.agents)):
            yield _tag_signal("x_robots", "header", directive, f"X-Robots-Tag: {value}", tokens)
    if value := value_of("content-usage"):
        answer, label = answer_of(parse_usage(value), tokens.usage)
        if label:
            yield _found("content_usage", "header", answer, label, f"Content-Usage: {value}")
    if value := value_of("content-signal"):
        answer, label = answer_of(parse_signal(value), tokens.signals)
        if label:
            yield _found("content_signal", "header", answer, f"{label}={answer}", f"Content-Signal: {value}")
    if value := value_of("tdm-reservation"):
        yield from _tdm_signal(value, "header", f"tdm-reservation: {value}")
    for address, parameters in _LINK.findall(value_of("link")):
        if RSL_TYPE in parameters.lower() and "license" in parameters.lower():
            yield _missing_terms("header", address, f"Link: <{address}>{parameters}")


def _tag_signals(tags: Sequence[Tag], path: str, tokens: Tokens) -> Iterator[UseSignal]:
    for tag in tags:
        if tag.name == "meta":
            name, content = tag.attributes.get("name", "").strip().lower(), tag.attributes.get("content", "")
            if name == "tdm-reservation":
                yield from _tdm_signal(content, "meta", tag.text)
            for directive in dict.fromkeys(meta_directives(name, content, tokens.agents)):
                yield _tag_signal("meta_robots", "meta", directive, tag.text, tokens)
        elif tag.name == "link":
            relations = tag.attributes.get("rel", "").lower().split()
            if "license" in relations and tag.attributes.get("type", "").strip().lower() == RSL_TYPE:
                yield _missing_terms("link", tag.attributes.get("href", ""), tag.text)
        elif tag.name == "script" and tag.attributes.get("type", "").strip().lower() == RSL_TYPE:
            answer = rsl_answer(tag.content, path, tokens.rsl)
            if answer is None:
                yield _missing_terms("script", "unreadable", tag.text + tag.content)
            else:
                yield _found("rsl", "script", *answer, tag.content)


def _tag_signal(signal: str, place: str, directive: str, text: str, tokens: Tokens) -> UseSignal:
    return _found(signal, place, "no" if directive in tokens.tags else "unknown", directive, text)


def _tdm_signal(value: str, place: str, text: str) -> Iterator[UseSignal]:
    answers = [one for one in map(reservation_answer, value.split(",")) if one is not None]
    if answers:
        answer = combine(answers)
        yield _found("tdmrep", place, answer, f"tdm-reservation={1 if answer == 'no' else 0}", text)


def _missing_terms(place: str, address: str, text: str) -> UseSignal:
    return UseSignal(
        signal="rsl", place=place, answer="unknown", token=short(address), text=short(text), is_missing=True
    )


def _found(signal: str, place: str, answer: UseAnswer, token: str, text: str) -> UseSignal:
    return UseSignal(signal=signal, place=place, answer=answer, token=token, text=short(text))
