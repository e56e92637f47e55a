"""The built-in extractor: blocks, options, Markdown, comments and facts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from builder.kernels.html.feature_names import FEATURES, N_FEATURES
from builder.kernels.html.trees import CERTAIN, EARLY_TREES, SURE_SCORE, best_cut, score
from builder.stages.extraction.block_reader import BlockReader, block_texts
from builder.stages.extraction.main_text import LIMITS, Extractor
from builder.stages.extraction.marked_facts import marked_facts
from builder.stages.extraction.model import MODEL_PATH, main_text_model

SENTENCE = (
    "There was a keeper of a lighthouse, and he trimmed the lamps each evening before the ships came in."
)


def blocks(html: str) -> list[str]:
    """Return the text of each block of a page."""
    reader = BlockReader()
    return block_texts(reader.parse(html.encode())[1])


def text(html: str, **options: Any) -> str:
    """Return the main text of a page."""
    return Extractor(**options).read(html.encode())[0].text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one<p>two</p>three", ["one", "two", "three"]),
        ("<ul><li>one<li>two<ul><li>three</ul></ul>", ["one", "two", "three"]),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", ["a", "b", "c", "d"]),
        ("<table><tr><td>a<td>b<tr><th>c</table>d", ["a", "b", "c", "d"]),
        ("a<br>b<br><br>c<hr>d", ["a\nb", "c", "d"]),
        ("<pre>\n  x\n\ty\n\n</pre>z", ["  x\n\ty", "z"]),
        ("<b>a</b> <i>b</i>\n c", ["a b c"]),
        ("a &amp;lt; b &lt;p&gt; &notit; &#x80; &#0;", ["a &lt; b <p> ¬it; € \ufffd"]),
        ("co\u00adoperate&shy;d", ["cooperated"]),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp>字<rt>ji</ruby>", ["漢字"]),
        ("On <time datetime=2019>2 May</time>, <q>he</q> said", ["On 2 May, he said"]),
        ("<noscript><p>posts</p></noscript>", ["posts"]),
        ("<template><p>no</template><x-y><template shadowrootmode=open><p>yes</template></x-y>", ["yes"]),
        ("<p hidden>no<p>yes<span hidden>no</span>, too<p hidden=until-found>found", ["yes, too", "found"]),
        ("<span aria-hidden=true>x</span><math><mi>y</mi></math>", ["xy"]),
        (
            "a<svg><title>no</title><text>no</text></svg>b<video>no</video>c<select><option>no</select>",
            ["abc"],
        ),
        ("<svg><g>no<p>yes</p>", ["yes"]),
        (
            "<title>no</title><script>if (a<b) '</p>'</script><style>no</style><textarea><p>no</textarea>yes",
            ["yes"],
        ),
        ("<script><!--<script></script>no--></script>yes", ["yes"]),
        ("<!-- a > b --><!--> yes <!-- no", ["yes"]),
        ("a < b, <3 &", ["a < b, <3 &"]),
        ("<div><p>" * 300 + "deep", ["deep"]),
    ],
)
def test_text_is_what_html_says(html: str, expected: list[str]) -> None:
    """Implied ends, white space, references, elements without text."""
    assert blocks(html) == expected


@pytest.mark.parametrize(
    "head",
    [
        "<title>T</title><script src='a.js'/>",
        "<title/>",
        "<title>T</title></head><body><textarea/>",
        "<title>T</title><style type='text/css'/>",
    ],
)
def test_xhtml_closes_elements_with_a_slash(head: str) -> None:
    """With an XML declaration or the namespace, and only then."""
    page = f"<html><head>{head}<div><p>{SENTENCE}</p></div>"
    assert blocks(page) == []
    assert SENTENCE in blocks("<?xml version='1.0'?>" + page)
    assert SENTENCE in blocks(page.replace("<html>", "<html xmlns='http://www.w3.org/1999/xhtml'>"))


def test_cdata_is_text_in_xhtml() -> None:
    """Its characters are not markup; in HTML it is a comment."""
    page = "<p><![CDATA[a < b &amp; <i>c]]></p>"
    assert blocks("<?xml version='1.0'?>" + page) == ["a < b &amp; <i>c"]
    assert blocks(page) == ["c]]>"]


@pytest.mark.parametrize("levels", [0, 1, 2, 5, 20])
@pytest.mark.parametrize("kind", ["ul", "ol"])
def test_items_of_a_list_are_kept_at_any_depth(levels: int, kind: str) -> None:
    """A list in an article is part of it, however many elements are around it."""
    items = ["trim the wick each evening", "fill the oil before dark", "clean the glass", "write the log"]
    page = (
        "<html><body>"
        + "<div>" * levels
        + f"<main><article><h1>The keeper</h1><p>{SENTENCE}</p><{kind}>"
        + "".join(f"<li>{item}</li>" for item in items)
        + f"</{kind}><p>{SENTENCE}</p></article></main></body></html>"
    )
    found = text(page)
    assert [item for item in items if item not in found] == []


ARTICLE = f"""<html lang=en><head><title>The keeper – "Gazette"</title></head><body><nav>
<a href=/>Home</a></nav><article class=post><h1>The “keeper”</h1><p>{SENTENCE} He wrote of <a
href="/lamps?a=1&amp;b=(2)">lamps *and* oil</a>.</p>
<h2>1. Rules</h2><ol><li>trim the wick<ul><li>with scissors, which must be sharp</ul><li>fill the oil</ol>
<blockquote><p>Nobody asked why he did it.</p><p>Nobody ever will, said the keeper.</p></blockquote>
<pre><code>lamp --on
  * all
</code></pre><table><tr><th>Ship<th>Year<tr><td>Ida | Olga<td>1873</table><p>{SENTENCE}</p></article>
<section class=comments><p>Ann: my grandfather was on that ship, he told us.</p></section></body></html>"""


def test_markdown_has_headings_lists_quotes_code_tables_and_links() -> None:
    """Characters of markup are escaped once, and not in code."""
    assert (
        text(ARTICLE, markdown=True, links=True)
        == f"""# The “keeper”

{SENTENCE} He wrote of [lamps \\*and\\* oil](/lamps?a=1&b=%282%29).

## 1\\. Rules

1. trim the wick
   - with scissors, which must be sharp
2. fill the oil

> Nobody asked why he did it.
>
> Nobody ever will, said the keeper.

```
lamp --on
  * all
```

| Ship | Year |
| --- | --- |
| Ida \\| Olga | 1873 |

{SENTENCE}"""
    )


def test_plain_text_has_lines_for_items_and_tabs_between_cells() -> None:
    """Paragraphs are apart by a blank line; addresses come after the text of links if asked for."""
    found = text(ARTICLE, links=True)
    assert "- trim the wick\n- with scissors, which must be sharp\n- fill the oil" in found
    assert "lamps *and* oil (/lamps?a=1&b=(2))." in found
    assert "Ship\tYear\nIda | Olga\t1873\n\nThere" in found
    assert "trim the wick\nwith scissors, which must be sharp" in text(ARTICLE, bullets=False)


def test_tables_and_titles_can_be_left_out() -> None:
    """The title counts also if quotes and dashes differ; the rest of the page stays."""
    assert "1873" not in text(ARTICLE, tables=False) and "fill the oil" in text(ARTICLE, tables=False)
    assert "keeper”" not in text(ARTICLE, title=False) and "Rules" in text(ARTICLE, title=False)
    assert "keeper”" in text(ARTICLE)


def test_comments_under_an_article_are_dropped_kept_or_apart() -> None:
    """They are a class of their own."""
    assert "grandfather" not in text(ARTICLE)
    assert "grandfather" in text(ARTICLE, comments="keep")
    found, _ = Extractor(comments="column").read(ARTICLE.encode())
    assert found.comments == "Ann: my grandfather was on that ship, he told us."
    assert "grandfather" not in found.text


@pytest.mark.parametrize(
    ("body", "article", "thread"),
    [
        ("", "", "comments"),
        ("", "post", "commentlist"),
        ("", "", "userComments"),
        ("", "", "disqus_thread"),
        ("single comments-open", "post", "comments"),
        ("", "post no-comments", "comments"),
        ("has-comments", "reply-able", "comment-list"),
    ],
)
def test_comments_are_told_from_an_article_that_says_whether_it_has_any(
    body: str, article: str, thread: str
) -> None:
    """Themes write on ``body`` or ``article`` whether comments are open: no thread is around the article."""
    comments = "".join(f"<li><p>Ann: my grandfather was on ship {n}, he told us.</p></li>" for n in range(4))
    page = (
        f"<html><head><title>The keeper</title></head><body class='{body}'><nav><a href=/>Home</a></nav>"
        f"<main><article class='{article}'><h1>The keeper</h1>{f'<p>{SENTENCE}</p>' * 5}</article>"
        f"<section class='{thread}'><ul>{comments}</ul></section></main></body></html>"
    )
    found, _ = Extractor(comments="column").read(page.encode())
    assert found.text.count(SENTENCE) == 5 and "grandfather" not in found.text
    assert (found.comments or "").count("grandfather") == 4
    assert "grandfather" not in text(page)
    assert text(page, comments="keep").count("grandfather") == 4


def test_the_posts_of_a_forum_are_main_text() -> None:
    """A page whose text is within threads has no article above them."""
    posts = "".join(
        f"<div class='comment post'><p>{SENTENCE} And {n} more lamps.</p></div>" for n in range(6)
    )
    assert text(f"<h1>Lamps?</h1><div class=thread>{posts}</div>").count(SENTENCE) == 6


def test_favour_orders_the_amount_of_text() -> None:
    """Precision keeps the least, recall the most."""
    n_words = [len(text(ARTICLE, favor=favor).split()) for favor in ("precision", "balance", "recall")]
    assert n_words == sorted(n_words)
    assert [LIMITS[favor] for favor in ("recall", "balance", "precision")] == sorted(LIMITS.values())


def test_facts_come_from_the_same_pass() -> None:
    """Title, author, date, language, canonical URL, licence and robots."""
    html = (
        b"<html lang=en_gb><head><title>A &amp; B</title><link rel='canonical' href='https://a.example/b?c&amp;d'>"
        b"<meta name=robots content='noindex, nofollow'><script type='application/ld+json'>"
        b'{"@type": "Article", "datePublished": "2018-10-09"}</script></head><body><a rel="nofollow license" '
        b"href='https://creativecommons.org/licenses/by/4.0/'>CC</a><div itemprop=author><a href=/u><span "
        b"itemprop=name>Ann\n Example</span></a></div><p>text</p></body></html>"
    )
    facts = marked_facts(html, BlockReader().parse(html)[1])
    assert facts.title == "A & B"
    assert facts.author == "Ann Example"
    assert facts.date == dt.date(2018, 10, 9)
    assert facts.language == "en-GB"
    assert facts.canonical_url == "https://a.example/b?c&d"
    assert facts.license_url == "https://creativecommons.org/licenses/by/4.0/"
    assert facts.robots == "noindex, nofollow"


def test_the_model_fits_the_features_and_the_package() -> None:
    """Integers only, under 200 KB, and each leaf leads to itself."""
    trees = main_text_model()
    assert MODEL_PATH.stat().st_size < 200_000
    assert len(FEATURES) == N_FEATURES > int(trees.features.max())
    leaves = trees.left == np.arange(len(trees.left))
    assert (trees.thresholds[leaves] == 255).all() and (trees.values[~leaves] == 0).all()
    assert (np.diff(trees.probabilities.astype(int)) >= 0).all()


def test_scores_equal_a_walk_down_each_tree() -> None:
    """The slow twin follows one row at a time; the number of rows is not a multiple of four."""
    trees = main_text_model()
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 256, (11, N_FEATURES)).astype(np.uint8)
    scores = np.empty(11, np.int32)
    score(rows, 11, trees, scores, np.empty(11, np.int32))
    expected = []
    for row in rows.tolist():
        total = 0
        for tree, root in enumerate(trees.roots.tolist()):
            if tree == EARLY_TREES and abs(total) >= SURE_SCORE:
                break
            node = root
            while trees.left[node] != node:
                node = int(trees.left[node]) + int(row[trees.features[node]] > trees.thresholds[node])
            total += int(trees.values[node])
        expected.append(int(trees.probabilities[(min(max(total, -8191), 8191) + 8191) >> 3]))
    assert scores.tolist() == expected


def test_the_cut_has_the_greatest_expected_f1() -> None:
    """Compared with every possible cut; the limits hold."""
    rng = np.random.default_rng(2)
    for _ in range(50):
        scores = rng.integers(0, CERTAIN + 1, 9).astype(np.int32)
        words = rng.integers(0, 30, 9).astype(np.int64)
        room = np.empty(CERTAIN + 1, np.int64)

        def expected_f1(cut: int, scores: Any = scores, words: Any = words) -> float:
            chosen = scores >= cut
            whole = CERTAIN * words[chosen].sum() + (scores * words).sum()
            return 2 * (scores * words)[chosen].sum() / whole if whole else 0.0

        cut = int(best_cut(scores, words, 9, 0, CERTAIN, room))
        assert expected_f1(cut) == max(map(expected_f1, range(CERTAIN + 1)))
        assert 300 <= int(best_cut(scores, words, 9, 300, 400, room)) <= 400
