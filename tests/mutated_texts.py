"""Texts that no writer meant: pieces of pages, put together at random, and changed."""

from __future__ import annotations

import random

TITLES = ["", "The tide turns twice", "潮は日に二度変わる", "Menu News"]

_LINES = [
    "Home",
    "News",
    "Menu | News | About",
    "About Us",
    "The tide turns twice",
    "The “tide” turns – twice",
    "The tide turns twice | The Gazette",
    "Share",
    "Reply",
    "5 Replies",
    "$5 $10 $25 $50",
    "Give 10 € or 20 €",
    "Jane Doe",
    "3 days ago",
    "© 2024 The Gazette. All rights reserved.",
    "The old ferry left the harbour at six in the morning, with twelve passengers and two crates of apples.",
    "Nobody on board knew that the engine had been repaired. She had found the fault in an hour. It was old.",
    "We use small files to remember you, and so do our partners. Read more about it.",
    "I walk by the sea,",
    "the sea walks by me;",
    "- an item of a list",
    "a\tb\tc",
    "1\t2\t3",
    "def tide(hour): return {hour: 2};",
    "x = tide(6);",
    "潮は日に二度変わる。乗客は十二人、りんごの箱が二つ積まれていた。",
    "ホーム",
    "500円 1,000円",
    "Привет, мир. Паром ушёл из гавани в шесть часов утра, и никто не знал, когда он вернётся.",
    "“Yes,” she said.",
    "word " * 150,
    "Home News Sport Weather About Us Contact Search Menu Login The ferry left at six. " * 9,
]
_JOINTS = ["\n", "\n", "\n\n", "\n\n", "\n  ", " ", "\r\n", "\n\n\n", "\t"]
_CHARS = ["", "", "\n", " ", ".", ",", "|", "潮", "é", "$", "9", "A", "(", "\u0301", "😀", "\ufffd"]


def mutated_text(draw: random.Random) -> str:
    """Return a text of some lines, with a few characters changed."""
    text = "".join(draw.choice(_LINES) + draw.choice(_JOINTS) for _ in range(draw.randint(0, 40)))
    if draw.random() < 0.3:
        text = text.replace("\n", " ")
    for _ in range(draw.randint(0, 6)):
        at = draw.randint(0, len(text))
        text = text[:at] + draw.choice(_CHARS) + text[at + draw.randint(0, 3) :]
    return text
