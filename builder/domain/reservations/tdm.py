"""Read the TDM Reservation Protocol: ``tdmrep.json``, the header and ``<meta name=tdm-reservation>``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from builder.domain.reservations.path_patterns import matches_path, normal_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.domain.reservations.signal import UseAnswer

_ANSWERS: Final[Mapping[str, UseAnswer]] = {"0": "yes", "1": "no"}
_MAX_RULES: Final = 10_000


class TdmRule(NamedTuple):
    """A rule of a site for the paths that a pattern matches."""

    pattern: str
    answer: UseAnswer
    text: str


def reservation_answer(value: Any) -> UseAnswer | None:
    """Return what ``tdm-reservation`` says: 1 reserves, 0 does not, and anything else is not set.

    >>> reservation_answer("1"), reservation_answer(0), reservation_answer(True), reservation_answer("yes")
    ('no', 'yes', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return _ANSWERS.get(str(value).strip())


def parse_tdmrep(body: bytes) -> list[TdmRule] | None:
    """Parse a tdmrep.json; None if it is not a list of rules. Rules without a reservation are left out."""
    try:
        written = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(written, list):
        return None
    rules = []
    for one in written[:_MAX_RULES]:
        location = one.get("location") if isinstance(one, dict) else None
        answer = reservation_answer(one.get("tdm-reservation")) if isinstance(one, dict) else None
        if isinstance(location, str) and answer is not None:
            rules.append(TdmRule(normal_pattern(location), answer, orjson.dumps(one).decode()))
    return rules


def find_rule(rules: list[TdmRule], path: str) -> TdmRule | None:
    """Return the first rule that matches a path."""
    return next((one for one in rules if matches_path(path, one.pattern)), None)
