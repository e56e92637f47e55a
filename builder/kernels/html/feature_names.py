"""The features of a block, in the order in which the kernel writes them; the model knows them by place."""

from __future__ import annotations

from builder.kernels.html.vocabulary import WORD_GROUPS

STRUCTURES = [
    "nav",
    "header",
    "footer",
    "aside",
    "main",
    "article",
    "form",
    "table",
    "ul",
    "ol",
    "section",
    "figure",
    "blockquote",
    "pre",
    "dl",
    "details",
    "button",
    "li",
    "td",
    "noscript",
    "invisible",
    "ariahidden",
]
"""Elements whose distance above a block is a feature. ``dialog`` counts as ``aside``, ``label`` as
``button``, ``th`` as ``td``, ``menu`` as ``ul``, ``dt`` and ``dd`` as ``li``."""

DISTANCES = [
    *(f"group_{words.split()[0]}" for words in WORD_GROUPS),
    *(f"in_{name}" for name in STRUCTURES),
]
N_DISTANCES = len(DISTANCES)
N_ANCESTORS = 5
NEIGHBOURS = (-1, 1, -2, 2, -3, 3)
WINDOWS = (4, 10)

OWN = [
    "chars",
    "words",
    "linked",
    "links",
    "bold",
    "word_length",
    "capitals",
    "digits",
    "commas",
    "stops",
    "others",
    "capital_words",
    "last",
    "first",
    "high",
    "separators",
    "copyrights",
    "ats",
    "images",
    "ideographs",
]
PLACE_FEATURES = [
    "tag",
    "parent_tag",
    "grandparent_tag",
    "depth",
    "position",
    "position_chars",
    "page_blocks",
    "page_chars",
    "page_linked",
    "page_p",
    "page_good",
    "title_words",
    "title_share",
    "h1_blocks",
    "h1_chars",
    "copies",
]
ALIKE = [
    "shape_blocks",
    "shape_chars",
    "shape_linked",
    "path_blocks",
    "path_chars",
    "path_linked",
    "tags_blocks",
    "tags_chars",
    "good_before",
    "good_after",
    "core_90",
    "core_70",
    "core_50",
    "core_35",
]
FLOW = ["heading_tag", "heading_blocks", "heading_chars", "heading_since", "text_after", "linked_after"]
ENDS = ["good_first", "good_last", "siblings", "sibling_place", "same_as_before"]
PAGE = ["page_short", "page_long", "page_n_long", "page_stops", "page_links", "page_digits"]

FEATURES = (
    *OWN,
    *PLACE_FEATURES,
    *ALIKE,
    *(f"above_{n}_{what}" for n in range(N_ANCESTORS) for what in ("good", "linked", "blocks", "mean")),
    *DISTANCES,
    *FLOW,
    *(f"next_{n}_{what}" for n in NEIGHBOURS for what in ("chars", "linked", "tag", "shape")),
    *(f"window_{n}_{what}" for n in WINDOWS for what in ("chars", "linked")),
    *ENDS,
    *(f"page_{name}" for name in DISTANCES),
    *PAGE,
)
N_FEATURES = len(FEATURES)
