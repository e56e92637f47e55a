"""Slow twin of ``builder.kernels.html.parse``: pages to blocks, in plain Python, from the rules of HTML.

Elements are objects, tags are found with regular expressions, and a muted element is undone by keeping a copy
of the block as it was.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from builder.kernels.html import layout, vocabulary

WHITE = b" \t\n\f\r"
KIND = {name: int(vocabulary.TAG_KINDS[tag]) for name, tag in vocabulary.TAGS.items()}
RAW = [name for name, kind in KIND.items() if kind & vocabulary.RAW_TEXT]
READINGS = ("rt", "rp", "rtc")
TABLE_PARTS = ("tr", "table", "tbody", "thead", "tfoot", "caption")

_ATTRIBUTE = re.compile(
    rb"(?:[ \t\n\f\r/])*([^ \t\n\f\r/>][^ \t\n\f\r/>=]*)(?:[ \t\n\f\r]*(=)[ \t\n\f\r]*"
    rb"(?:\"([^\"]*)(\"?)|'([^']*)('?)|([^ \t\n\f\r>\"'][^ \t\n\f\r>]*)?))?",
    re.DOTALL,
)
_REFERENCE = re.compile(rb"&#[xX]([0-9A-Fa-f]+);?|&#([0-9]+);?|&([0-9A-Za-z]{1,32})")


@dataclass(eq=False)
class Element:
    """A block element."""

    name: str
    tag: int
    parent: Element | None
    depth: int
    hidden: bool = False
    pre: bool = False
    invisible: bool = False
    aria_hidden: bool = False
    words: set[int] = field(default_factory=set)
    shape: int = 0

    def above(self) -> list[Element]:
        """Return the element and all that it is in, from the inside."""
        found: list[Element] = []
        node: Element | None = self
        while node is not None:
            found.append(node)
            node = node.parent
        return found


@dataclass
class Block:
    """The open run of text, or one that has ended."""

    text: bytearray = field(default_factory=bytearray)
    white: bool = True
    line: int = -1
    link: int = -1
    bold: int = -1
    linked: int = 0
    links: int = 0
    bolded: int = 0
    element: Element | None = None
    words: set[int] = field(default_factory=set)
    images: int = 0


@dataclass
class Tag:
    """A start tag: its name, what its attributes say."""

    name: str
    kind: int
    self_closed: bool
    hidden: bool = False
    invisible: bool = False
    aria_hidden: bool = False
    href: bool = False
    shadow: bool = False
    xhtml: bool = False
    words: set[int] = field(default_factory=set)
    shape: int = 0


def hash_of(data: bytes, start: int = vocabulary.BASIS) -> int:
    """Return the FNV-1a hash of some bytes."""
    for byte in data:
        start = ((start ^ byte) * vocabulary.PRIME) % 2**64
    return start


def lower(data: bytes) -> bytes:
    """Return bytes with the capitals of ASCII as small letters."""
    return bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in data)


GROUP_OF = {
    word.encode(): group for group, words in enumerate(vocabulary.WORD_GROUPS) for word in words.split()
}


def words_of(value: bytes) -> list[bytes]:
    """Return the words of a class, id or role; a capital after a small letter begins one."""
    return [lower(word) for word in re.findall(rb"[A-Z]+[a-z]*|[a-z]+", value[:512])]


class Reader:
    """Reads one page."""

    def __init__(self, page: bytes) -> None:
        self.page = page
        self.root = Element("", 0, None, 0)
        self.elements = [self.root]
        self.node = self.root
        self.blocks: list[Block] = []
        self.block = Block()
        self.in_link = False
        self.bolds = 0
        self.over = 0
        self.muted: tuple[str, str] | None = None
        self.muted_same = self.muted_blocks = 0
        self.kept: tuple[bytes, bool] = (b"", True)
        self.xhtml = self.math = 0
        self.title: bytes | None = None
        at = 0
        while at < len(page):
            at = self.markup(at) if page[at] == 0x3C else self.text(at)
        self.unmute()
        self.end_block()

    # text

    def text(self, at: int) -> int:
        """Write the text up to the next ``<``."""
        end = self.page.find(b"<", at)
        end = len(self.page) if end < 0 else end
        while at < end:
            byte = self.page[at]
            if byte == 0x26:
                at, text = reference(self.page, at)
            elif (
                self.page[at : at + 2] in (b"\xc2\xa0", b"\xc2\xad")
                or self.page[at : at + 3] == b"\xef\xbb\xbf"
            ):
                text = self.page[at : at + 2] if byte == 0xC2 else self.page[at : at + 3]
                at += len(text)
            elif byte == 0x0D and self.node.pre:
                text = b"" if self.page[at + 1 : at + 2] == b"\n" else b"\n"
                at += 1
                self.block.text += text
                self.block.white = False
                continue
            else:
                text = self.page[at : at + 1]
                at += 1
            self.write(text)
        return at

    def write(self, text: bytes) -> None:
        """Write one character."""
        if text in (b"", b"\0", b"\xc2\xad", b"\xef\xbb\xbf"):
            return
        if text in (b"\xc2\xa0", *(bytes([one]) for one in WHITE)):
            if self.node.pre:
                self.block.text += b" " if text == b"\xc2\xa0" else text
                self.block.white = False
            elif not self.block.white:
                self.block.text += b" "
                self.block.white = True
            return
        self.block.text += text
        self.block.white = False

    # blocks

    def end_block(self) -> None:
        """End the open block; the next one has the same open link and bold text."""
        block = self.block
        block.text = block.text.rstrip(WHITE)
        following = Block()
        if block.text and not self.node.hidden:
            self.count_link()
            if block.bold >= 0:
                block.bolded += max(len(block.text) - block.bold, 0)
            full = bytes(block.text)
            rest = full.lstrip(WHITE)
            indented = full[: len(full) - len(rest)].rpartition(b"\n")[2] + rest
            block.text = bytearray(indented)
            block.element = self.node
            self.blocks.append(block)
        else:
            following.words, following.images = block.words, block.images
        following.link = 0 if block.link >= 0 else -1
        following.bold = 0 if block.bold >= 0 else -1
        self.block = following

    def count_link(self) -> None:
        """Count the text of the open link."""
        if self.block.link >= 0:
            self.block.linked += max(len(self.block.text) - self.block.link, 0)

    def end_link(self) -> None:
        """End the open link."""
        self.count_link()
        self.block.link = -1

    def break_line(self) -> None:
        """A line ends; at the second time without text between, the block ends."""
        block = self.block
        block.text = block.text.rstrip(WHITE)
        if not block.text:
            return
        if block.line == len(block.text):
            self.end_block()
            return
        block.line = len(block.text)
        block.text += b"\n"
        block.white = True

    # markup

    def markup(self, at: int) -> int:
        """Read what a ``<`` begins."""
        page = self.page
        following = page[at + 1 : at + 2]
        if following.isalpha() and following.isascii():
            return self.tag(at, False)
        if following == b"/":
            if page[at + 2 : at + 3].isalpha() and page[at + 2] < 128:
                return self.tag(at, True)
            if at + 2 >= len(page):
                self.block.text += b"<"
                self.block.white = False
                return at + 1
            return self.after(b">", at + 2)
        if following in (b"!", b"?") and following:
            return self.declaration(at)
        self.block.text += b"<"
        self.block.white = False
        return at + 1

    def after(self, what: bytes, at: int) -> int:
        """Return the position after the next such bytes, or the end."""
        found = self.page.find(what, at)
        return len(self.page) if found < 0 else found + len(what)

    def declaration(self, at: int) -> int:
        """Skip a comment, doctype or instruction; read CDATA."""
        page = self.page
        if page.startswith(b"<!--", at):
            found = re.compile(rb"<!--(?:-?>|.*?--!?>)", re.DOTALL).match(page, at)
            return found.end() if found else len(page)
        if (self.xhtml or self.math) and page.startswith(b"<![CDATA[", at):
            end = page.find(b"]]>", at)
            for byte in page[at + 9 : end if end >= 0 else len(page)]:
                white = byte in WHITE
                if byte and not (white and self.block.white):
                    self.block.text += b" " if white else bytes([byte])
                    self.block.white = white
            return end + 3 if end >= 0 else len(page)
        if page.startswith(b"<?xml", at):
            self.xhtml = 2
        end = self.after(b">", at + 2)
        closed = page.find(b">", at + 2) >= 0
        if page[at + 1] == 0x21 and not self.xhtml:
            stop = min(end if closed else end + 1, at + 200)
            if b"XHTML" in page[at : stop - 1]:
                self.xhtml = 1
        return end

    def tag(self, at: int, is_end: bool) -> int:
        """Read a tag; one without an end ends the page."""
        start = at + (2 if is_end else 1)
        name = re.compile(rb"[^ \t\n\f\r/>]+").match(self.page, start)
        assert name
        tag, behind = self.attributes(lower(name[0]), name.end())
        if behind is None:
            return len(self.page)
        return self.end_tag(tag, behind) if is_end else self.start_tag(tag, behind)

    def attributes(self, name: bytes, at: int) -> tuple[Tag, int | None]:
        """Read the attributes of a tag."""
        text = name.decode("latin-1")
        tag = Tag(text, kind_of(text), False, shape=hash_of(name))
        page = self.page
        while at < len(page):
            if page[at] == 0x3E:
                tag.self_closed = page[at - 1] == 0x2F
                return tag, at + 1
            if page[at] in b" \t\n\f\r/":
                at += 1
                continue
            found = _ATTRIBUTE.match(page, at)
            assert found
            if found[2] is None:
                at = found.end()
                while at < len(page) and page[at] in WHITE:
                    at += 1
                use(tag, lower(found[1]), b"")
                continue
            if (found[3] is not None and not found[4]) or (found[5] is not None and not found[6]):
                value = found[3] if found[3] is not None else found[5]
                use(tag, lower(found[1]), value)
                return tag, None
            at = found.end()
            value = (
                found[3] if found[3] is not None else found[5] if found[5] is not None else found[7] or b""
            )
            use(tag, lower(found[1]), value)
            if found[3] is None and found[5] is None and page[at : at + 1] == b">":
                return tag, at + 1
        return tag, None

    def start_tag(self, tag: Tag, at: int) -> int:
        """Read a start tag."""
        self.xhtml = max(self.xhtml, int(tag.xhtml))
        if self.muted and self.start_muted(tag):
            if tag.kind & vocabulary.RAW_TEXT and self.muted and self.muted[0] != "svg":
                return self.raw_end(tag.name, at)
            return at
        if tag.kind & vocabulary.RAW_TEXT:
            if tag.self_closed and self.xhtml:
                return at
            end = self.raw_end(tag.name, at)
            if tag.name == "title" and self.title is None:
                self.title = self.page[at:end]
            return end
        if tag.kind & vocabulary.MUTED and not (tag.name == "template" and tag.shadow):
            if not tag.self_closed or (tag.name != "svg" and not self.xhtml):
                self.mute(tag.name)
        elif tag.kind & vocabulary.BLOCK_TAG:
            self.open(tag)
            if tag.self_closed and self.xhtml == 2:
                self.close(tag.name)
            elif tag.name == "pre" and self.page[at : at + 1] == b"\n":
                return at + 1
        else:
            self.inline(tag)
        return at

    def raw_end(self, name: str, at: int) -> int:
        """Return where an element without markup ends."""
        page = self.page
        close = re.compile(rb"</" + name.encode() + rb"(?=[ \t\n\f\r/>])", re.IGNORECASE)
        if name != "script":
            found = close.search(page, at)
            return found.start() if found else len(page)
        pieces = re.compile(rb"<!--|-->|</?script(?=[ \t\n\f\r/>])", re.IGNORECASE)
        state = "plain"
        while found := pieces.search(page, at):
            piece = found[0].lower()
            at = found.end()
            if piece == b"<!--":
                state = "comment" if state == "plain" else state
                at -= 2
            elif piece == b"-->":
                state = "plain"
            elif piece == b"<script":
                state = "script" if state == "comment" else state
            elif state == "script":
                state = "comment"
            else:
                return found.start()
        return len(page)

    def inline(self, tag: Tag) -> None:
        """Read a start tag that begins no block."""
        block = self.block
        if tag.name == "br":
            self.break_line()
        elif tag.name == "hr":
            self.end_block()
        elif tag.name == "a":
            self.end_link()
            if tag.href:
                block.link = len(block.text)
                block.links += 1
        elif tag.name in ("b", "strong"):
            if not self.bolds:
                block.bold = len(block.text)
            self.bolds += 1
        elif tag.name == "img":
            block.images += 1
        elif tag.name == "math" and not tag.self_closed:
            self.math += 1
        if tag.name in ("a", "span"):
            self.block.words |= tag.words
        if (tag.hidden and not tag.kind & vocabulary.VOID) or tag.name in READINGS:
            self.mute(tag.name)

    def end_tag(self, tag: Tag, at: int) -> int:
        """Read an end tag."""
        name = tag.name
        if self.muted and self.end_muted(name):
            return at
        if tag.kind & vocabulary.BLOCK_TAG:
            self.close(name)
        elif name == "a":
            self.end_link()
        elif name in ("b", "strong"):
            self.bolds = max(self.bolds - 1, 0)
            if not self.bolds and self.block.bold >= 0:
                self.block.bolded += max(len(self.block.text) - self.block.bold, 0)
                self.block.bold = -1
        elif name == "br":
            self.break_line()
        elif name == "math":
            self.math = max(self.math - 1, 0)
        return at

    # muted elements

    def mute(self, name: str) -> None:
        """Begin an element whose text is not read."""
        kind = "ruby" if name in READINGS else name if name in ("svg", "select") else "plain"
        self.muted = (kind, name)
        self.muted_same, self.muted_blocks = 1, 0
        self.kept = (bytes(self.block.text), self.block.white)

    def unmute(self) -> None:
        """End it."""
        if self.muted:
            self.muted = None
            self.block.text, self.block.white = bytearray(self.kept[0]), self.kept[1]

    def start_muted(self, tag: Tag) -> bool:
        """Return whether a start tag belongs to the muted element."""
        assert self.muted
        kind, name = self.muted
        if kind == "ruby":
            if tag.name not in READINGS and (tag.name in ("rb", "ruby") or tag.kind & vocabulary.BLOCK_TAG):
                self.unmute()
                return False
            return True
        if kind == "select" and tag.name in ("input", "textarea", "select", "td", "th", *TABLE_PARTS):
            self.unmute()
            return tag.name == "select"
        if kind == "svg":
            if tag.kind & vocabulary.BREAKOUT and not self.muted_blocks:
                self.unmute()
                return False
            if tag.self_closed:
                return True
        if tag.name == name:
            self.muted_same += 1
        elif counts_within(tag) and (kind != "svg" or tag.name == "foreignobject" or self.muted_blocks):
            self.muted_blocks += 1
        return True

    def end_muted(self, name: str) -> bool:
        """Return whether an end tag belongs to the muted element."""
        assert self.muted
        kind, own = self.muted
        tag = Tag(name, kind_of(name), False)
        if kind == "ruby":
            if name in (*READINGS, "ruby", "rb") or tag.kind & vocabulary.BLOCK_TAG:
                self.unmute()
                return name in READINGS
            return True
        if name == own:
            self.muted_same -= 1
            if not self.muted_same:
                self.unmute()
            return True
        if not counts_within(tag):
            return True
        if self.muted_blocks:
            self.muted_blocks -= 1
            return True
        if name == "foreignobject":
            return True
        self.unmute()
        return False

    # elements

    def open(self, tag: Tag) -> None:
        """Open a block element, after the ends that it implies."""
        self.end_block()
        if not self.over:
            self.imply_ends(tag)
        if self.node.depth == layout.MAX_NODE_DEPTH:
            self.over += 1
            return
        node = Element(
            tag.name,
            tag_of(tag.name),
            self.node,
            self.node.depth + 1,
            hidden=tag.hidden or self.node.hidden,
            pre=tag.name in ("pre", "plaintext", "listing", "xmp") or self.node.pre,
            invisible=tag.invisible,
            aria_hidden=tag.aria_hidden,
            words=tag.words,
            shape=tag.shape,
        )
        self.elements.append(node)
        self.node = node

    def close_to(self, node: Element) -> None:
        """Close an element and all within it."""
        assert node.parent
        self.node = node.parent
        self.block.bold = -1
        self.bolds = 0

    def within_reach(self) -> list[Element]:
        """Return the open elements that a tag can close."""
        return self.node.above()[: layout.MAX_CLIMB]

    def close(self, name: str) -> None:
        """Read the end tag of a block element."""
        if name in ("body", "html"):
            self.end_block()
            return
        if self.over:
            self.end_block()
            self.over -= 1
            return
        for node in self.within_reach():
            if node is self.root:
                break
            if node.name == name or kind_of(name) & kind_of(node.name) & vocabulary.HEADING:
                self.end_block()
                self.close_to(node)
                return
            in_table = name in ("td", "th", *TABLE_PARTS)
            if node.name == "table" or (node.name in ("td", "th", "caption") and not in_table):
                break
            if name == "p" and node.name == "button":
                break
        if name == "p":
            self.end_block()

    def imply_ends(self, tag: Tag) -> None:
        """Close what the start of an element ends."""
        if tag.name == "li":
            self.close_item(("li",))
        elif tag.name in ("dt", "dd"):
            self.close_item(("dt", "dd"))
        elif tag.name in ("td", "th", *TABLE_PARTS):
            self.close_table_part(tag.name)
        if tag.kind & vocabulary.CLOSES_P:
            self.close_in_scope("p")
        elif tag.name == "button":
            self.close_in_scope("button")
        if tag.kind & kind_of(self.node.name) & vocabulary.HEADING:
            self.close_to(self.node)

    def close_item(self, names: tuple[str, ...]) -> None:
        """Close the open item of the nearest list."""
        for node in self.within_reach():
            if node.name in names:
                self.close_to(node)
                return
            if node is self.root or kind_of(node.name) & vocabulary.SPECIAL:
                return

    def close_table_part(self, name: str) -> None:
        """Close the open cell, row or group of the nearest table."""
        if name == "table":
            return
        if name in ("td", "th"):
            ends, stops = ("td", "th", "caption"), ("tr", "tbody", "thead", "tfoot")
        elif name == "tr":
            ends, stops = ("td", "th", "caption", "tr"), ("tbody", "thead", "tfoot")
        else:
            ends, stops = ("td", "th", "caption", "tr", "tbody", "thead", "tfoot"), ()
        last = None
        reach = self.within_reach()
        for node in reach:
            if node is self.root:
                return
            if node.name == "table" or node.name in stops:
                break
            if node.name in ends:
                last = node
        else:
            if reach[-1].parent is self.root:
                return
        if last is not None:
            self.close_to(last)

    def close_in_scope(self, name: str) -> None:
        """Close an open element that no table, cell or button is within."""
        for node in self.within_reach():
            if node.name == name:
                self.close_to(node)
                return
            if node is self.root or kind_of(node.name) & vocabulary.SCOPE:
                return


def kind_of(name: str) -> int:
    """Return what an element does to text."""
    return KIND.get(name, int(vocabulary.TAG_KINDS[vocabulary.CUSTOM]) if "-" in name else 0)


def tag_of(name: str) -> int:
    """Return the number of an element's tag."""
    return vocabulary.TAGS.get(name, vocabulary.CUSTOM if "-" in name else vocabulary.UNKNOWN)


def counts_within(tag: Tag) -> bool:
    """Return whether an element within a muted one has an end tag of its own."""
    return bool(tag.kind & vocabulary.BLOCK_TAG) or tag.name == "foreignobject"


def use(tag: Tag, name: bytes, value: bytes) -> None:
    """Read one attribute."""
    if name in (b"class", b"id", b"role", b"itemprop"):
        for word in words_of(value):
            if word in GROUP_OF:
                tag.words.add(GROUP_OF[word])
            if name == b"class":
                tag.shape = ((tag.shape ^ hash_of(word)) * vocabulary.PRIME) % 2**64
    tag.href = tag.href or name == b"href"
    tag.hidden = tag.hidden or (name == b"hidden" and lower(value) != b"until-found")
    tag.aria_hidden = tag.aria_hidden or (name == b"aria-hidden" and lower(value) == b"true")
    if name == b"style":
        first = re.search(rb"display(?:[ \t\n\f\r:])*(none)?", lower(value))
        tag.invisible = tag.invisible or bool(first and first[1])
    tag.shadow = tag.shadow or name == b"shadowrootmode"
    tag.xhtml = tag.xhtml or (name == b"xmlns" and b"xhtml" in lower(value)[:64])


def reference(page: bytes, at: int) -> tuple[int, bytes]:
    """Return the position after a character reference, and its text; of an ``&``, that itself."""
    found = _REFERENCE.match(page, at)
    if found is None:
        return at + 1, b"&"
    if found[3] is None:
        number = int(found[1], 16) if found[1] else int(found[2])
        text = html.unescape(f"&#{number};") if 128 <= number < 160 else ""
        if not text:
            whole = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
            text = chr(number) if whole else "\ufffd"
        return found.end(), text.encode()
    name = found[3].decode()
    if page[found.end() : found.end() + 1] == b";" and name + ";" in html.entities.html5:
        return found.end() + 1, html.entities.html5[name + ";"].encode()
    for length in range(min(len(name), 6), 0, -1):
        if name[:length] in html.entities.html5:
            return at + 1 + length, html.entities.html5[name[:length]].encode()
    return at + 1, b"&"
