"""Elements that matter for text, what each one does, and the words that say what a container is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

PRIME = 0x100000001B3
BASIS = 0xCBF29CE484222325
"""FNV-1a with 64 bits: names of elements and attributes, and words, are compared by their hash."""

BLOCK_TAG, VOID, RAW_TEXT, MUTED, CLOSES_P, HEADING, CELL_TAG, SPECIAL, BREAKOUT, SCOPE = (
    1 << i for i in range(10)
)
"""What an element does to text.

``BLOCK_TAG`` begins and ends a run of text. ``RAW_TEXT`` has no markup within, and its text is not read.
``MUTED`` has markup, and its text is not read. ``CLOSES_P`` ends an open paragraph. ``SPECIAL`` stops the
search for an open list item, ``SCOPE`` the search for an open paragraph. ``BREAKOUT`` ends SVG.
"""

_KINDS: Mapping[int, str] = {
    BLOCK_TAG: (
        "address article aside blockquote body button caption center dd details dialog dir div dl dt "
        "fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup html label "
        "legend li listing "
        "main menu nav noscript ol optgroup p plaintext pre search section summary table tbody td tfoot th "
        "thead tr ul xmp"
    ),
    VOID: (
        "area base basefont bgsound br col embed hr image img input keygen link meta param source track wbr"
    ),
    RAW_TEXT: "iframe noembed noframes script style textarea title",
    MUTED: "audio canvas datalist object select svg template video",
    CLOSES_P: (
        "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure "
        "footer form h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search "
        "section summary table ul xmp"
    ),
    HEADING: "h1 h2 h3 h4 h5 h6",
    CELL_TAG: "td th",
    SPECIAL: (
        "article aside blockquote body button caption center details dir dl fieldset figcaption figure "
        "footer form h1 h2 h3 h4 h5 h6 header hgroup html listing main menu nav noscript ol plaintext "
        "pre search "
        "section summary table tbody td tfoot th thead tr ul xmp"
    ),
    BREAKOUT: (
        "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li "
        "listing menu meta nobr ol p pre ruby s small span strike strong sub sup table tt u ul var"
    ),
    SCOPE: "button caption html table td th",
}

_INLINE = (
    "a abbr b cite code del em font foreignobject head i ins kbd mark math q rb rp rt rtc ruby s samp small "
    "span time u"
)

CUSTOM, UNKNOWN, ROOT = 1, 2, 0
"""Tags without a name of their own: an element with a hyphen in its name, any other one, and the page."""

NAMES = tuple(sorted({name for names in (*_KINDS.values(), _INLINE) for name in names.split()}))
TAGS: Mapping[str, int] = {name: place for place, name in enumerate(NAMES, 3)}
N_TAGS = len(TAGS) + 3

WORD_GROUPS: tuple[str, ...] = (
    "content contents contentarea maincontent bodycontent contentbody",
    "article articlebody story storybody post posts entry blog blogpost news hentry single",
    "text copy prose richtext rte wysiwyg markdown paragraph description desc formatted body",
    "main primary center central",
    "nav navigation navbar navi menu menus submenu subnav megamenu dropdown hamburger topnav sitenav sidenav",
    "header head masthead topbar top banner hero",
    "footer foot bottom colophon copyright legal imprint",
    "sidebar aside side rail secondary widget widgets left right",
    "share sharing social socials facebook twitter whatsapp pinterest linkedin follow icons",
    "related recommended recommendations similar popular trending latest more next prev previous teasers",
    "comment comments disqus respond reply replies discussion commentlist",
    "ad ads advert advertisement advertising sponsor sponsored adsense promo promotion promoted",
    "cookie cookies consent gdpr modal popup overlay lightbox notice alert privacy toast notification",
    "breadcrumb breadcrumbs crumb crumbs",
    "meta info byline author authors date time published posted timestamp",
    "tag tags category categories cat label labels keywords topics",
    "newsletter subscribe subscription signup sign login register email donate donation paywall membership",
    "search form input filter filters sort facet facets",
    "pagination pager paging paginate page pages",
    "caption image images img photo gallery media figure thumbnail thumb slideshow carousel player video",
    "title headline heading subtitle tagline",
    "list item items listing results result",
    "card cards grid tile tiles product products collection catalog",
    "message messages postbody thread topic forum quote signature",
    "user username profile avatar member poster rank bio about contributor",
    "price cart buy add checkout basket shipping rating review reviews stars variant sku stock",
    "docs doc documentation code highlight section api sphinx document",
    "hidden hide sr screen visually invisible collapsed visuallyhidden skip",
    "button buttons btn cta link links action actions tools toolbar print",
    "faq accordion tab tabs panel question answer",
    "toc outline index",
    "wrapper container row col column columns layout wrap lang language locale logo brand site",
)
"""Words in class, id and role that are used in the same way; each group has one bit."""

N_GROUPS = len(WORD_GROUPS)
COMMENT_GROUP = 10


def name_hash(name: str) -> int:
    """Return the FNV-1a hash of a name in lower case."""
    value = BASIS
    for byte in name.encode():
        value = ((value ^ byte) * PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


def hash_table(values: Mapping[str, int], *, slots: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return an open hash table of names, and the value of each slot."""
    keys, found = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
    for name, value in values.items():
        key = name_hash(name)
        slot = key % slots
        while keys[slot]:
            slot = (slot + 1) % slots
        keys[slot], found[slot] = key, value
    return keys, found


def _kinds() -> NDArray[np.int64]:
    kinds = np.zeros(N_TAGS, np.int64)
    for kind, names in _KINDS.items():
        for name in names.split():
            kinds[TAGS[name]] |= kind
    kinds[CUSTOM] = BLOCK_TAG | SPECIAL
    return kinds


TAG_KINDS = _kinds()
_IS_TABLE_PART = np.zeros(N_TAGS, np.bool_)
for _name in ("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"):
    _IS_TABLE_PART[TAGS[_name]] = True
_TAG_KEYS, _TAG_VALUES = hash_table(TAGS, slots=1024)
_GROUP_KEYS, _GROUP_VALUES = hash_table(
    {word: group for group, words in enumerate(WORD_GROUPS) for word in words.split()}, slots=2048
)


@kernel
def element_tag(name: Any, has_hyphen: Any) -> Any:
    """Return the tag of an element name's hash; ``CUSTOM`` or ``UNKNOWN`` if it is not listed."""
    slot = np.int64(name & np.uint64(1023))
    while _TAG_KEYS[slot] != 0:
        if _TAG_KEYS[slot] == name:
            return _TAG_VALUES[slot]
        slot = (slot + 1) & 1023
    return np.int64(CUSTOM) if has_hyphen else np.int64(UNKNOWN)


@kernel
def is_table_part(tag: Any) -> Any:
    """Return whether an element is a table, or belongs to the structure of one."""
    return _IS_TABLE_PART[tag]


@kernel
def group_bit(word: Any) -> Any:
    """Return the bit of the group that a word belongs to, by the word's hash; 0 if it belongs to none."""
    slot = np.int64(word & np.uint64(2047))
    while _GROUP_KEYS[slot] != 0:
        if _GROUP_KEYS[slot] == word:
            return np.int64(1) << _GROUP_VALUES[slot]
        slot = (slot + 1) & 2047
    return np.int64(0)
