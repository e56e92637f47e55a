"""Compare language tags of different systems."""

from __future__ import annotations

_THREE_LETTERS = (
    "ara:ar bel:be ben:bn bul:bg cat:ca ces:cs cze:cs dan:da deu:de ger:de ell:el gre:el eng:en est:et "
    "eus:eu baq:eu fas:fa per:fa fin:fi fra:fr fre:fr gle:ga glg:gl heb:he hin:hi hrv:hr hun:hu ind:id "
    "isl:is ice:is ita:it jpn:ja kat:ka geo:ka kor:ko lat:la lav:lv lit:lt mkd:mk mac:mk msa:ms may:ms "
    "nld:nl dut:nl nno:nn nob:nb nor:no pol:pl por:pt ron:ro rum:ro rus:ru slk:sk slo:sk slv:sl spa:es "
    "sqi:sq alb:sq srp:sr swe:sv tam:ta tha:th tur:tr ukr:uk urd:ur vie:vi zho:zh chi:zh"
)
"""Codes of ISO 639-2 that pages declare, and those of ISO 639-1 that models use."""

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

    >>> base_language("zh-Hant"), base_language("iw"), base_language("en_GB"), base_language("deu")
    ('zh', 'he', 'en', 'de')
    """
    primary = tag.strip().lower().replace("_", "-").partition("-")[0]
    short = _SHORT.get(primary, primary)
    return _ALIASES.get(short, short)


_SHORT = dict(pair.split(":") for pair in _THREE_LETTERS.split())
