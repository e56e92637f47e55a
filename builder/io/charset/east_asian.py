"""List the frequent characters of East Asian languages, by the charset that they are used to detect."""

from __future__ import annotations

from functools import cache

_KANA = "".join(map(chr, range(0x3041, 0x30FF)))
FREQUENT = {
    "gb18030": "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学"
    "对可里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面"
    "公同三已老从动两长",
    "big5hkscs": "的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家學"
    "對可裡後小麼心多天而能好都然沒日於起還發成事只作當想看文無開手十用主行方又如前所本見經頭面"
    "公同三已老從動兩長",
    "cp949": "이다는에의을하고가로지사기은한를리대자어서인도시아라수일들나정스으니해과그게있제적보원부여"
    "장전만상동공구우조주관안문성오면비신방했된된경세모소국연것화회었무",
    "euc_jp": _KANA,
    "cp932": _KANA,
}
"""The frequent characters of each language."""


@cache
def frequent(codec: str) -> frozenset[str]:
    """Return the frequent characters of a charset's language as a set.

    >>> "的" in frequent("gb18030")
    True
    """
    return frozenset(FREQUENT[codec])
