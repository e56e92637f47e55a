"""Pages that no writer meant: good pages with pieces cut, put in and changed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = [
    piece.encode().decode("unicode_escape").encode("latin-1")
    for piece in [
        r"<p>",
        r"</p>",
        r"<table><tr><td>",
        r"</table>",
        r"<li>",
        r"</li>",
        r"<ul>",
        r"</ul>",
        r"<ol>",
        r"<a\x20href=x>",
        r"</a>",
        r"<b>",
        r"</b>",
        r"<svg>",
        r"</svg>",
        r"<br>",
        r"<hr>",
        r"<pre>\n",
        r"</pre>",
        r"<ruby>",
        r"<rt>",
        r"<rb>",
        r"</ruby>",
        r"<span\x20hidden>",
        r"</span>",
        r"<h1>",
        r"</h2>",
        r"&amp;",
        r"&nbsp",
        r"&#x80;",
        r"&#0;",
        r"&notit;",
        r"&NotEqualTilde;",
        r"<!--",
        r"-->",
        r"--!>",
        r"<!-->",
        r"<script>",
        r"</script>",
        r"<select>",
        r"<option>",
        r"<input>",
        r"<div\x20hidden>",
        r"</div>",
        r"<button>",
        r"<dd>",
        r"<dt>",
        r"</dl>",
        r"\"",
        r"'",
        r">",
        r"<",
        r"/",
        r"=",
        r"\r\n",
        r"\r",
        r"\0",
        r"\xc2\xad",
        r"\xc2\xa0",
        r"\xef\xbb\xbf",
        r"\xe3\x80\x82",
        r"\xe4\xb8\xad",
        r"<template\x20shadowrootmode=open>",
        r"<template>",
        r"</template>",
        r"<title>",
        r"</title>",
        r"<?xml?>",
        r"<!DOCTYPE\x20XHTML>",
        r"<math>",
        r"</math>",
        r"<![CDATA[x]]>",
        r"<x-y\x20class='navBar2\x20comment'>",
        r"</x-y>",
        r"<footer>",
        r"<nav\x20id=menu>",
        r"</nav>",
        r"<div\x20style='display:\x20none'\x20aria-hidden=TRUE>",
        r"<foreignObject>",
        r"<caption>",
        r"<tr>",
        r"<th>",
        r"<video>",
        r"</video>",
        r"<p\x20hidden=until-found>",
        r"<script/>",
        r"<br/>",
        r"</br>",
        r"</p/",
        r"<xmp>",
        r"<noscript>",
        r"word",
        r"a.",
        r"B,\x20c!",
        r"\xff",
        r"]]>",
        r"©",
    ]
    if piece.isascii()
]

BASES = [
    b"""<!DOCTYPE html><html lang="en"><head><title>The lamp of the harbour | Gazette</title><meta
charset="utf-8">
<link rel="stylesheet" href="a.css"><script>if (a < b) { document.write("<p>no</p>"); }</script></head>
<body class="single-post page2"><header id="mastHead"><nav role="navigation"><ul
class="menu"><li><a href="/">Home
</a><li class="menuItem"><a href="/news">News &amp; views</a></ul></nav></header><main><article
class="post entry">
<h1>The lamp of the harbour</h1><p class="byline">By <b>Ann Bell</b>, <time>2 May
2019</time></p><p>There was a keeper
of a lighthouse, and he trimmed the lamps each evening, before the ships came in from the sea;
nobody asked why.</p>
<p>In winter, the ice came as far as the pier.<br>Then he lit a <a href="fire.html">second
fire</a>, and a third.
<br><br>When the company sent men to take the lamp away, the whole village stood on the stairs, 40
people and a dog!
<ul><li>oil, 3 barrels<li>wick<ul><li>spare wick</ul><li>a cloth</ul><pre>
  lamp on
    lamp off
</pre><blockquote>The light is not mine, he said. It belongs to whoever is out there tonight.</blockquote>
<table><caption>Ships</caption><tr><th>Name<th>Year<tr><td>Ida<td>1873<tr><td>Olga<td>1881</table></article>
<section id="comments" class="comment-list"><h3>2 comments</h3><div class="comment"><p>My
grandfather was on that
ship, and he told the story each winter.</p></div></section><aside class="related widget"><h2>Read
more</h2><a
href="/1">The pier</a> | <a href="/2">The ice</a></aside></main><footer><p>&copy; 2019 Gazette &middot; <a
href="/legal">Legal</a></p></footer></body></html>""",
    "<html><body><div class=forum><h1>Как чинить лампу?</h1><div class=message><p>Здравствуйте! У "
    "меня сломалась "
    "лампа, и я не знаю, что делать дальше: свет горит, но очень слабо.</p><span "
    "class=user-name>Олег</span></div>"
    "<div class=message><p>我们每天晚上都点灯，因为船要回来。没有人问为什么。"
    "这是一个很长的句子，用来测试。</p></div><dl><dt>lamp"
    "<dd>a thing that gives light<dt>wick<dd>a <ruby>灯<rp>(<rt>dēng<rp>)</ruby> "
    "part</dl><details><summary>More"
    "</summary><svg viewBox='0 0 1 1'><title>icon</title><path d='M0'/><text>no</text></svg>text</details>"
    "<div hidden>not here</div><form><label>Name<input "
    "name=a></label><select><option>one<option>two</select>"
    "<textarea>no</textarea><button>Send</button></form><img "
    "src=a><math><mi>x</mi><mo>=</mo><mn>1</mn></math>"
    "<noscript>Please switch on scripts.</noscript></div>".encode(),
]


def mutated(
    seed: int, n_pages: int, *, bases: list[bytes] | None = None, max_bytes: int = 4096
) -> Iterator[bytes]:
    """Yield pages of at most 4 KB, the same ones for the same seed."""
    rng = random.Random(seed)
    for _ in range(n_pages):
        base = rng.choice(bases or BASES)
        start = rng.randrange(len(base))
        page = bytearray(base[start : start + rng.randrange(3000)])
        for _ in range(rng.randrange(30)):
            place = rng.randrange(len(page) + 1)
            way = rng.randrange(4)
            if way == 0:
                page[place:place] = rng.choice(PIECES)
            elif way == 1:
                del page[place : place + rng.randrange(20)]
            elif way == 2 and place < len(page):
                page[place] = rng.randrange(256)
            else:
                words = (b"", b"word", b" ", b"More text, and more.")
                page[place:place] = b"".join(
                    rng.choice(PIECES) + rng.choice(words) for _ in range(rng.randrange(8))
                )
        yield bytes(page[:max_bytes])
