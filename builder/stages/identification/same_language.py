"""Compare language tags of different systems."""

from __future__ import annotations

_ALIASES = {
    "fil": "tl",
    "in": "id",
    "iw": "he",
    "ji": "yi",
    "jw": "jv",
    "mo": "ro",
    "nb": "no",
    "nn": "no",
    "bs": "sh",
    "cmn": "zh",
    "hr": "sh",
    "sr": "sh",
    "arb": "ar",
    "ckb": "ku",
    "pes": "fa",
    "zsm": "ms",
}
"""Tags that systems use for one language or for neighbours that they confuse: Norwegian, Serbo-Croatian."""


def base_language(tag: str) -> str:
    """Return the language of a tag, without region and script, and with one name for each language.

    >>> base_language("zh-Hant"), base_language("iw"), base_language("en_GB")
    ('zh', 'he', 'en')
    """
    primary = tag.strip().lower().replace("_", "-").partition("-")[0]
    return _ALIASES.get(primary, primary)
