"""Slow twin of ``builder.kernels.html.features``: what is said of each block, by name, in plain Python."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reference_markup import Block, Element, Reader, hash_of, lower

from builder.kernels.html import feature_names, letters

if TYPE_CHECKING:
    from collections.abc import Iterator

SAME = {"dialog": "aside", "label": "button", "th": "td", "menu": "ul", "dt": "li", "dd": "li"}
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
IN_WORDS = (letters.LETTER, letters.CAPITAL, letters.DIGIT)


def code(number: int) -> int:
    """Return the logarithm with eight steps for each doubling."""
    if number < 16:
        return number
    exponent = number.bit_length() - 1
    return min((exponent - 2) * 8 + (number - 2**exponent) * 8 // 2**exponent, 255)


def share(part: int, whole: int) -> int:
    """Return a share in 1/200."""
    return min(part * 200 // whole, 200) if whole > 0 else 0


def signed(number: int) -> int:
    """Return 128 and the code of a number with its sign, the part above 16 halved."""
    size = code(abs(number))
    size = size if size < 16 else min(16 + (size - 16) // 2, 127)
    return 128 + size if number >= 0 else 128 - size


def characters(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Return the category and the bytes of each character; a byte that begins none is one of its own."""
    at = 0
    while at < len(text):
        lead = text[at]
        length = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        if at + length > len(text):
            length = 1
        piece = text[at : at + length]
        point = lead & (0xFF if length == 1 else 0x7F >> length)
        for byte in piece[1:]:
            point = point * 64 + byte % 64
        if length == 1 and lead >= 0x80:
            point = 0xFFFD
        yield category(point), piece
        at += length


def category(point: int) -> int:
    """Return the category of a code point."""
    if point >= 0x10000:
        return letters.IDEOGRAPH if 0x20000 <= point < 0x40000 else letters.LETTER
    return int(letters.CATEGORIES[point])


def words(text: bytes) -> list[bytes]:
    """Return the words of a text, with ASCII in lower case."""
    found = [b""]
    for kind, piece in characters(text):
        if kind in IN_WORDS:
            found[-1] += lower(piece)
        elif found[-1]:
            found.append(b"")
    return [word for word in found if word]


class Facts:
    """What is counted in one block."""

    def __init__(self, block: Block, title: set[bytes]) -> None:
        text = bytes(block.text)
        pieces = list(characters(text))
        count: Counter[int] = Counter()
        seen: list[int] = []
        self.words = self.capital_words = 0
        before = None
        for place, (kind, piece) in enumerate(pieces):
            if kind == letters.STOP and len(piece) == 1 and piece[0] < 128 and place + 1 < len(pieces):
                following, after = pieces[place + 1]
                if after[0] < 128 and following not in (letters.WHITE, letters.CLOSING):
                    kind = letters.OTHER_SIGN
            if kind in IN_WORDS and before not in IN_WORDS:
                self.words += 1
                self.capital_words += kind == letters.CAPITAL
            count[kind] += 1
            before = kind
            if kind != letters.WHITE:
                seen.append(kind)
        self.count = count
        self.chars = len(pieces)
        self.words += (count[letters.IDEOGRAPH] + 1) // 2
        self.high = sum(piece[0] >= 0x80 for _, piece in pieces)
        self.title_words = sum(word in title for word in words(text))
        self.first = seen[0] if seen else 15
        self.last = next((kind for kind in reversed(seen) if kind != letters.CLOSING), 15)
        self.linked = share(block.linked, len(text))
        if len(text) == 0:
            self.linked = 0
        self.key = b"".join(lower(p) for k, p in pieces if k in IN_WORDS or k == letters.IDEOGRAPH)
        self.linked_chars = self.chars * self.linked // 200


class Sums:
    """What is summed over the blocks within an element, or over blocks that are alike."""

    def __init__(self) -> None:
        self.chars = self.linked = self.good = self.blocks = 0
        self.first = None

    def add(self, facts: Facts, place: int, good: bool) -> None:
        """Add one block."""
        self.chars += facts.chars
        self.linked += facts.linked_chars
        self.good += facts.chars if good else 0
        self.blocks += 1
        self.first = place if self.first is None else self.first


def distances(element: Element) -> dict[str, int]:
    """Return how many levels above an element the nearest of each group and structure is; 31 is none."""
    groups = [name for name in feature_names.DISTANCES if name.startswith("group_")]
    found: dict[str, int] = {}
    for levels, node in enumerate(element.above()):
        if node.parent is None:
            break
        names = {groups[group] for group in node.words}
        names.add(f"in_{SAME.get(node.name, node.name)}")
        names |= {"in_invisible"} if node.invisible else set()
        names |= {"in_ariahidden"} if node.aria_hidden else set()
        for name in names:
            found.setdefault(name, min(levels, 31))
    return {name: found.get(name, 31) for name in feature_names.DISTANCES}


def describe(page: bytes) -> tuple[Reader, list[dict[str, int]]]:
    """Return the features of each block by name."""
    reader = Reader(page)
    blocks = reader.blocks
    title_list = words(reader.title or b"")[:48]
    facts = [Facts(block, set(title_list)) for block in blocks]
    nodes = [block.element for block in blocks]
    near = {id(node): distances(node) for node in reader.elements}
    n = len(blocks)
    good = [
        f.chars >= 60 and f.linked < 70 and near[id(v)]["in_nav"] == 31 and near[id(v)]["in_footer"] == 31
        for f, v in zip(facts, nodes, strict=True)
    ]
    sums = {id(node): Sums() for node in reader.elements}
    for place, node in enumerate(nodes):
        for above in node.above():
            sums[id(above)].add(facts[place], place, good[place])
    total = sums[id(reader.root)]
    cores = [core(reader, sums, percent) for percent in (90, 70, 50, 35)]
    before = [sum(f.chars for f in facts[:i]) for i in range(n + 1)]
    before_linked = [sum(f.linked_chars for f in facts[:i]) for i in range(n + 1)]
    alike: dict[tuple[str, object], Sums] = {}
    keys = []
    for place, node in enumerate(nodes):
        chain = [*node.above(), reader.root, reader.root][:3]
        own = {
            "shape": node.shape,
            "path": tuple(one.shape for one in chain),
            "tags": tuple(one.tag for one in node.above()),
            "text": hash_of(facts[place].key),
        }
        keys.append(own)
        for item in own.items():
            alike.setdefault(item, Sums()).add(facts[place], place, False)
    title_at = next((i for i, v in enumerate(nodes) if v.name == "h1"), None)
    goods = [i for i in range(n) if good[i]]
    whole = whole_page(facts, nodes, near, total)
    rows = []
    for i, (f, node, block) in enumerate(zip(facts, nodes, blocks, strict=True)):
        w = max(f.words, 1)
        above = [*node.above(), *[reader.root] * 5]
        c = f.count
        row = {
            "chars": code(f.chars),
            "words": code(f.words),
            "linked": f.linked,
            "links": min(block.links, 255),
            "bold": share(block.bolded, len(block.text)),
            "word_length": min(f.chars * 8 // w, 255),
            "capitals": share(c[letters.CAPITAL], f.chars),
            "digits": share(c[letters.DIGIT], f.chars),
            "commas": min(c[letters.COMMA] * 64 // w, 255),
            "stops": code(c[letters.STOP]),
            "others": share(c[letters.OTHER_SIGN], f.chars),
            "capital_words": share(f.capital_words, w),
            "last": f.last,
            "first": f.first,
            "high": share(f.high, f.chars),
            "separators": min(c[letters.SEPARATING], 255),
            "copyrights": min(c[letters.COPYRIGHT], 255),
            "ats": min(c[letters.AT_SIGN], 255),
            "images": min(block.images, 255),
            "ideographs": share(c[letters.IDEOGRAPH], f.chars),
            "tag": node.tag,
            "parent_tag": above[1].tag,
            "grandparent_tag": above[2].tag,
            "depth": node.depth,
            "position": share(i, n),
            "position_chars": share(before[i], total.chars),
            "page_blocks": code(n),
            "page_chars": code(total.chars),
            "page_linked": share(total.linked, total.chars),
            "page_p": share(
                sum(g.chars for g, v in zip(facts, nodes, strict=True) if v.name == "p"), total.chars
            ),
            "page_good": share(total.good, total.chars),
            "title_words": share(f.title_words, f.words),
            "title_share": share(f.title_words, len(title_list)),
            "h1_blocks": 0 if title_at is None else signed(i - title_at),
            "h1_chars": 0 if title_at is None else signed(before[i] - before[title_at]),
            "copies": code(alike["text", keys[i]["text"]].blocks),
            "good_before": min([255, *(i - g for g in goods if g < i)]),
            "good_after": min([255, *(g - i for g in goods if g > i)]),
            "siblings": code(sums[id(above[1])].blocks),
            "sibling_place": share(i - sums[id(above[1])].first, sums[id(above[1])].blocks),
            "good_first": signed(i - goods[0]) if goods else 0,
            "good_last": signed(goods[-1] - i) if goods else 0,
        }
        for kind in ("shape", "path", "tags"):
            same = alike[kind, keys[i][kind]]
            row[f"{kind}_blocks"], row[f"{kind}_chars"] = code(same.blocks), code(same.chars)
            if kind != "tags":
                row[f"{kind}_linked"] = share(same.linked, same.chars)
        for percent, one in zip((90, 70, 50, 35), cores, strict=True):
            row[f"core_{percent}"] = 128 + max(min(levels_from(one, node), 100), -100)
        for level in range(5):
            s = sums[id(above[level])]
            row[f"above_{level}_good"] = share(s.good, total.good)
            row[f"above_{level}_linked"] = share(s.linked, s.chars)
            row[f"above_{level}_blocks"] = code(s.blocks)
            row[f"above_{level}_mean"] = code(s.chars // s.blocks)
        for name, levels in near[id(node)].items():
            own = feature_names.DISTANCES.index(name) in block.words
            row[name] = 0 if own else levels + 1
        row |= flow(i, facts, nodes, before)
        for step in feature_names.NEIGHBOURS:
            there = 0 <= i + step < n
            row[f"next_{step}_chars"] = code(facts[i + step].chars) if there else 0
            row[f"next_{step}_linked"] = facts[i + step].linked + 1 if there else 0
            row[f"next_{step}_tag"] = nodes[i + step].tag if there else 0
            row[f"next_{step}_shape"] = (2 if nodes[i + step].shape == node.shape else 1) if there else 0
        for reach in feature_names.WINDOWS:
            a, b = max(0, i - reach), min(n, i + reach + 1)
            row[f"window_{reach}_chars"] = code(before[b] - before[a])
            row[f"window_{reach}_linked"] = share(before_linked[b] - before_linked[a], before[b] - before[a])
        last = nodes[i - 1] if i else None
        row["same_as_before"] = int(
            last is not None and parent_of(last) is parent_of(node) and last.name == node.name
        )
        rows.append(row | whole)
    return reader, rows


def parent_of(node: Element) -> Element:
    """Return the element that one is in; the page is in itself."""
    return node.parent or node


def core(reader: Reader, sums: dict[int, Sums], percent: int) -> Element:
    """Return the deepest element with so much of the good text, the last of several."""
    total = sums[id(reader.root)].good
    if not total:
        return reader.root
    enough = [v for v in reader.elements if sums[id(v)].good * 100 >= total * percent]
    deepest = max(v.depth for v in enough)
    return [v for v in enough if v.depth == deepest][-1]


def levels_from(core: Element, node: Element) -> int:
    """Return the levels below a core; outside, minus the levels from the core up to what holds both."""
    around = node.above()
    if core in around:
        return node.depth - core.depth
    return -next(levels for levels, above in enumerate(core.above()) if above in around)


def flow(i: int, facts: list[Facts], nodes: list[Element], before: list[int]) -> dict[str, int]:
    """Describe the last heading, and the next block that is not one."""
    row = dict.fromkeys(feature_names.FLOW, 0)
    heading = next((j for j in range(i - 1, -1, -1) if nodes[j].name in HEADINGS), None)
    if heading is not None:
        row["heading_tag"] = nodes[heading].tag
        row["heading_blocks"] = min(i - heading, 255)
        row["heading_chars"] = code(facts[heading].chars)
        row["heading_since"] = code(before[i] - before[heading + 1])
    following = next((j for j in range(i + 1, len(nodes)) if nodes[j].name not in HEADINGS), None)
    if following is not None:
        row["text_after"] = code(facts[following].chars)
        row["linked_after"] = facts[following].linked + 1
    return row


def whole_page(
    facts: list[Facts], nodes: list[Element], near: dict[int, dict[str, int]], total: Sums
) -> dict[str, int]:
    """Describe the page."""
    n_words = sum(f.words for f in facts)
    row = {}
    for name in near[next(iter(near))]:
        inside = sum(f.words for f, v in zip(facts, nodes, strict=True) if near[id(v)][name] < 6)
        row[f"page_{name}"] = share(inside, n_words)
    n = len(facts)
    row["page_short"] = share(sum(f.words for f in facts if f.words < 5), n_words)
    row["page_long"] = share(sum(f.words for f in facts if f.words >= 40), n_words)
    row["page_n_long"] = code(sum(f.words >= 40 for f in facts))
    row["page_stops"] = share(sum(f.count[letters.STOP] > 0 for f in facts), n)
    row["page_links"] = share(sum(f.linked > 160 for f in facts), n)
    row["page_digits"] = share(sum(f.count[letters.DIGIT] for f in facts), total.chars)
    return row
