"""Advice for values of a recipe that are almost right: a bare string, a percentage, a missing colon."""

from __future__ import annotations

import difflib
import re
from typing import Any

from builder.card.front_matter import license_ids
from builder.errors import Fault
from builder.registry import source_class, source_kinds, stage_names

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%?\s*")
_CLOSE = 0.85
"""Least similarity of a licence to the id that is suggested for it."""

_EMPTY_WORDS = frozenset(("the", "license", "version", "v", "public", "creative", "commons", "gnu"))
_LANGUAGES = {"english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it"}


def advice_for(place: str, value: Any, rule: str) -> str:
    """Suggest how to write a value of the wrong form; empty without a suggestion.

    Args:
        place: the place in the recipe, such as ``stages[0]``.
        rule: the keyword of the recipe's schema that the value does not meet.

    >>> advice_for("language", "en", "type")
    'write a list: [en]'
    >>> advice_for("stages[1]", "dedup_naer", "type")
    'write it like this: - dedup_near: {}'
    """
    section = place.partition("[")[0].partition(".")[0]
    if place == "language" and isinstance(value, str):
        return f"write a list: [{_language(value) or value}]"
    if section == "language" and isinstance(value, str) and rule == "pattern":
        code = _language(value)
        return f"write {code}" if code else "write an ISO 639 code of two or three letters, such as en"
    if section in _ENTRIES and rule == "type":
        return _entry_advice(section, place, value)
    return _share_advice(value, rule)


def share_of(value: Any) -> float | None:
    """Return the share that a percentage above 1 is meant to be; None if it is not one.

    >>> share_of("98%"), share_of(80), share_of(0.5), share_of("many")
    (0.98, 0.8, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _PERCENT.fullmatch(str(value))
    percent = float(match[1]) if match else 0.0
    is_written_so = isinstance(value, str) and value.strip().endswith("%")
    return round(percent / 100, 10) if percent <= 100 and (percent > 1 or is_written_so) else None


def license_faults(name: Any) -> list[Fault]:
    """Find a licence that is almost an id of the Hub; one that resembles no id is a licence of its own.

    >>> for name in ("cc-by-4", "CC BY 4.0", "GPLv3", "Apache License, Version 2.0", "cc-by", "apche-2.0"):
    ...     print(license_faults(name)[0].advice)
    did you mean 'cc-by-4.0'? for another licence, write other
    did you mean 'cc-by-4.0'? for another licence, write other
    did you mean 'gpl-3.0'? for another licence, write other
    did you mean 'apache-2.0'? for another licence, write other
    did you mean 'cc-by-4.0'? for another licence, write other
    did you mean 'apache-2.0'? for another licence, write other
    >>> license_faults("the-harbour-licence") + license_faults("MIT") + license_faults("CC-BY-4.0")
    []
    """
    if not isinstance(name, str) or name.lower() in (known := license_ids()):
        return []
    words = re.findall(r"[a-z+]+|[0-9.]+", name.lower().replace("licence", "license"))
    plain = "-".join(word for word in words if word not in _EMPTY_WORDS)
    plain = re.sub(r"v-(?=[0-9])", "-", plain)
    newer = sorted(one for one in known if re.fullmatch(re.escape(plain) + r"[-.][0-9.]+", one))
    close = (
        [plain] if plain in known else newer or difflib.get_close_matches(plain, known, n=1, cutoff=_CLOSE)
    )
    if not close:
        return []
    advice = f"did you mean {close[-1]!r}? for another licence, write other"
    return [Fault(where="license", what=f"{name!r} is not a licence id of the Hub", advice=advice)]


def _language(value: str) -> str | None:
    """Return the code of a language that is written as a name, or with a region.

    >>> _language("en-US"), _language("English"), _language("EN")
    ('en', 'en', 'en')
    """
    first = re.split(r"[-_]", value.strip().lower())[0]
    return first if re.fullmatch("[a-z]{2,3}", first) else _LANGUAGES.get(first)


def _share_advice(value: Any, rule: str) -> str:
    share = share_of(value) if rule in ("type", "maximum") else None
    return "" if share is None else f"write a share, not a percentage: {share:g}"


# -- entries of `sources` and `stages` -------------------------------------------------------------


def _entry_advice(section: str, place: str, value: Any) -> str:
    if place == section:
        return _list_advice(section, value)
    if re.fullmatch(r"\w+\[\d+\]", place) and isinstance(value, str):
        return f"write it like this: - {_ENTRIES[section](value)}"
    kind = place.rpartition(".")[2]
    if re.fullmatch(r"\w+\[\d+\]\.\w+", place):
        options = f"path: {value if isinstance(value, str) else 'FILES'}" if section == "sources" else ""
        return f"write its options in braces: - {kind}: {{{options}}}"
    return _share_advice(value, "type")


def _list_advice(section: str, value: Any) -> str:
    if isinstance(value, str):
        return f"write a list of entries, such as - {_ENTRIES[section](value)}"
    first = next(iter(value), "") if isinstance(value, dict) else ""
    return "write a list of entries" + (f", each with a dash: - {first}: ..." if first else "")


def _stage_entry(name: str) -> str:
    close = difflib.get_close_matches(name, stage_names(), n=1)
    return f"{close[0] if close else 'dedup_near'}: {{}}"


def _source_entry(path: str) -> str:
    """Write the entry of a source that reads a path; the end of the path shows the kind.

    >>> _source_entry("feed/*.jsonl.gz"), _source_entry("pages")
    ('jsonl: {path: feed/*.jsonl.gz}', 'html: {path: pages}')
    """
    kinds = [
        kind
        for kind in source_kinds()
        if path.lower().endswith(tuple(getattr(source_class(kind), "suffixes", ())))
    ]
    return f"{kinds[0] if kinds else 'html'}: {{path: {path}}}"


_ENTRIES = {"stages": _stage_entry, "sources": _source_entry}
