"""Slow twins of the kernels of quality, in plain Python, written from the rules."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import groupby

from builder.kernels.quality.characters import (
    CLASSES,
    CLOSERS,
    IS_ALONE,
    IS_BULLET,
    IS_LETTER,
    IS_LOWER,
    IS_NUMBER,
    IS_PICTURE,
    IS_SPACE,
    IS_TERMINAL,
    IS_UPPER,
    SHIFT,
    characters,
)

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
COUNTED = (
    "likes shares comments retweets reposts quotes bookmarks upvotes downvotes downloads views followers"
)


def entry(char):
    table, code = characters(), ord(char)
    return int(table.leaves[int(table.blocks[code // 128]) * 128 + code % 128])


def has(char, flag):
    return bool(entry(char) & flag)


def lower(text):
    """Return the text with each code point replaced by its lower case, if that is one code point."""
    return "".join(chr(ord(char) + (entry(char) >> SHIFT)) for char in text)


def word_class(char, *, plain=False):
    name = CLASSES[entry(char) & 31]
    return "Other" if name == "Katakana" and not plain else name


def breaks_before(text, i, *, plain=False):
    """Return whether a word boundary is in front of ``text[i]``, by the rules of UAX 29 in their order."""
    newlines, marks = ("CR", "LF", "Newline"), ("Extend", "Format", "ZWJ")
    letters = ("ALetter", "Hebrew_Letter")
    kinds = [word_class(char, plain=plain) for char in text]
    left, right = kinds[i - 1], kinds[i]
    if left == "CR" and right == "LF":
        return False
    if left in newlines or right in newlines:
        return True
    if left == "ZWJ" and has(text[i], IS_PICTURE):
        return False
    if left == right == "WSegSpace":
        return False
    if right in marks:
        return False

    def before(at):
        """Return the place of the nearest character to the left that marks attach to."""
        at -= 1
        while at > 0 and kinds[at] in marks and kinds[at - 1] not in newlines:
            at -= 1
        return at

    def after(at):
        at += 1
        while at < len(kinds) and kinds[at] in marks:
            at += 1
        return kinds[at] if at < len(kinds) else ""

    here = before(i)
    left = kinds[here]
    left2 = kinds[before(here)] if here > 0 else ""
    if here > 0 and kinds[here - 1] in newlines:
        left2 = ""
    right2 = after(i)
    mid_letter = ("MidLetter", "MidNumLet", "Single_Quote")
    mid_number = ("MidNum", "MidNumLet", "Single_Quote")
    core = (*letters, "Numeric", "ExtendNumLet")
    joins = (
        (left in core and right in core),
        left in letters and right in mid_letter and right2 in letters,
        left2 in letters and left in mid_letter and right in letters,
        left == "Hebrew_Letter" and right == "Single_Quote",
        left == "Hebrew_Letter" and right == "Double_Quote" and right2 == "Hebrew_Letter",
        left2 == "Hebrew_Letter" and left == "Double_Quote" and right == "Hebrew_Letter",
        left2 == "Numeric" and left in mid_number and right == "Numeric",
        left == "Numeric" and right in mid_number and right2 == "Numeric",
        left == right == "Katakana",
        left == "Katakana" and right == "ExtendNumLet",
        left == "ExtendNumLet" and right == "Katakana",
    )
    if any(joins):
        return False
    if left == right == "Regional_Indicator":
        count, at = 1, here
        while at > 0 and kinds[before(at)] == "Regional_Indicator" and kinds[at - 1] not in newlines:
            # a pictograph or another character between them would end the run
            at = before(at)
            count += 1
        return count % 2 == 0
    return True


def pieces(text, *, plain=False):
    cuts = [i for i in range(1, len(text)) if breaks_before(text, i, plain=plain)]
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if b > a]


def words_of(text):
    """Return the words of a text by the rule ``words-1``."""
    return [piece for piece in pieces(text) if any(has(char, IS_LETTER | IS_NUMBER) for char in piece)]


def strip(line):
    while line and has(line[0], IS_SPACE):
        line = line[1:]
    while line and has(line[-1], IS_SPACE):
        line = line[:-1]
    return line


def ends_with_ellipsis(line):
    return line.endswith(("...", "…", ". . ."))


def ends_a_sentence(line):
    return ends_with_ellipsis(line) or (
        bool(bare := line.rstrip(CLOSERS)) and (has(bare[-1], IS_TERMINAL) or bare[-1] == "…")
    )


def sentences(line):
    """Count sentences in one line; ``3.5`` does not end one, ``。`` ends one without a blank."""
    count, open_ = 0, False
    for i, char in enumerate(line):
        if has(char, IS_LETTER | IS_NUMBER):
            open_ = True
        elif open_ and has(char, IS_TERMINAL):
            rest = line[i + 1 :]
            while rest and (has(rest[0], IS_TERMINAL) or rest[0] in CLOSERS or rest[0] == "…"):
                rest = rest[1:]
            if ord(char) >= 0x80 or not rest or has(rest[0], IS_SPACE):
                count, open_ = count + 1, False
        elif open_ and char == "…":
            rest = line[i + 1 :]
            while rest and (has(rest[0], IS_TERMINAL) or rest[0] in CLOSERS or rest[0] == "…"):
                rest = rest[1:]
            if not rest or has(rest[0], IS_SPACE):
                count, open_ = count + 1, False
    return count + open_


def is_counter(line):
    def signs(text):
        return not any(has(char, IS_LETTER | IS_NUMBER) for char in text)

    for match in re.finditer(r"[0-9][0-9.,]*[KMBkmb]? *([A-Za-z]+)", line):
        found = re.match("|".join(COUNTED.split()), match.group(1).lower())
        head = line[: match.start()]
        if not head[-1:].isdecimal() and found and signs(head):
            return signs(line[match.start(1) + found.end() :])
    return False


def duplicates(items, sizes):
    """Return later copies and all copies, and their sizes."""
    counts, seen = Counter(items), set()
    later = all_ = later_chars = all_chars = 0
    for item, size in zip(items, sizes, strict=True):
        if counts[item] > 1:
            all_, all_chars = all_ + 1, all_chars + size
        if item in seen:
            later, later_chars = later + 1, later_chars + size
        seen.add(item)
    return later, all_, later_chars, all_chars


def runs(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def covered(words, n, wanted):
    """Return the characters of all words in the runs that begin at the ``wanted`` places."""
    places = {i + k for i in wanted for k in range(n)}
    return sum(len(words[i]) for i in places)


def top(words, n):
    grams = runs([lower(word) for word in words], n)
    counts = Counter(grams)
    most = max(counts.values(), default=0)
    if most < 2:
        return 0
    sizes = {}
    for i, gram in enumerate(grams):
        if counts[gram] == most:
            sizes.setdefault(gram, sum(map(len, words[i : i + n])))
    longest = max(sizes.values())
    best = next(gram for gram, size in sizes.items() if size == longest)
    return covered(words, n, [i for i, gram in enumerate(grams) if gram == best])


def repeated(words, n, *, first):
    grams = runs([lower(word) for word in words], n)
    counts, seen, wanted = Counter(grams), set(), []
    for i, gram in enumerate(grams):
        if counts[gram] > 1 and (first or gram in seen):
            wanted.append(i)
        seen.add(gram)
    return covered(words, n, wanted)


def ratio(over, under):
    return round(over / under, 6) + 0.0 if under else None


def signals_of(text):
    """Return all signals of a text."""
    words = words_of(text)
    lowered = [lower(word) for word in words]
    chars, n = sum(map(len, words)), len(words)
    raw = [strip(line) for line in text.split("\n")]
    lines = [line for line in raw if line]
    paragraphs = [tuple(group) for full, group in groupby(raw, bool) if full]
    line_chars = sum(map(len, lines))
    dup = duplicates(lines, list(map(len, lines)))
    dup_para = duplicates(paragraphs, [sum(map(len, one)) for one in paragraphs])
    line_words = [words_of(line) for line in lines]
    ellipses = text.count("…") + sum(len(run) // 3 for run in re.findall(r"\.+", text))
    shouted = [sum(has(char, IS_UPPER) for char in line) * 2 > len(line) for line in lines]
    digits = [all(has(char, IS_NUMBER) for char in line) for line in lines]
    counters = [is_counter(line) for line in lines]
    counts = Counter(lowered)
    longest = max((len(run) for run in re.split("|".join(_spaces()), text)), default=0)

    def share(condition):
        return ratio(sum(map(bool, map(condition, lines))), len(lines))

    ruled = sum(
        len(found)
        for found, *drops in zip(line_words, shouted, digits, counters, strict=True)
        if any(drops) or len(found) < 2
    )
    return {
        "characters": len(text),
        "lines": len(lines),
        "paragraphs": len(paragraphs),
        "sentences": sum(map(sentences, text.split("\n"))),
        "words": n,
        "stop_words": len({one for one in lowered if one in STOP_WORDS}),
        "mean_word_length": ratio(chars, n),
        "hash_ratio": ratio(text.count("#"), n),
        "ellipsis_ratio": ratio(ellipses, n),
        "alpha_words": ratio(sum(any(has(c, IS_LETTER) for c in word) for word in words), n),
        "symbol_ratio": ratio(text.count("#") + ellipses, n),
        "bullet_lines": share(lambda line: has(line[0], IS_BULLET)),
        "ellipsis_lines": share(ends_with_ellipsis),
        "dup_line_frac": ratio(dup[0], len(lines)),
        "dup_line_frac_all": ratio(dup[1], len(lines)),
        "dup_para_frac": ratio(dup_para[0], len(paragraphs)),
        "dup_para_frac_all": ratio(dup_para[1], len(paragraphs)),
        "dup_line_char_frac": ratio(dup[2], line_chars),
        "dup_para_char_frac": ratio(dup_para[2], line_chars),
        "dup_line_char_frac_all": ratio(dup[3], line_chars),
        "dup_para_char_frac_all": ratio(dup_para[3], line_chars),
        **{f"top_{k}gram": ratio(top(words, k), chars) for k in (2, 3, 4)},
        **{f"dup_{k}gram": ratio(repeated(words, k, first=False), chars) for k in range(5, 11)},
        **{f"dup_{k}gram_all": ratio(repeated(words, k, first=True), chars) for k in range(5, 11)},
        "longest_word": longest,
        "curly_brackets": text.count("{") + text.count("}"),
        "lorem_ipsum": _ascii_lower(text).count("lorem ipsum"),
        "javascript_lines": sum("javascript" in _ascii_lower(line) for line in lines),
        "policy_lines": sum(any(one in _ascii_lower(line) for one in POLICIES) for line in lines),
        "sentence_lines": share(lambda line: line[-1] in '.?!"' and not ends_with_ellipsis(line)),
        "few_word_lines": ratio(sum(len(found) < 5 for found in line_words), len(lines)),
        "line_punct": share(ends_a_sentence),
        "short_lines": share(lambda line: len(line) <= 30),
        "char_dup": ratio(dup[2], line_chars),
        "newline_ratio": ratio(text.count("\n"), n),
        "upper_lines": ratio(sum(shouted), len(lines)),
        "digit_lines": ratio(sum(digits), len(lines)),
        "counter_lines": ratio(sum(counters), len(lines)),
        "line_rule_words": ratio(ruled, n),
        "all_caps_words": ratio(
            sum(any(has(c, IS_UPPER) for c in w) and not any(has(c, IS_LOWER) for c in w) for w in words), n
        ),
        "stop_word_ratio": ratio(sum(one in STOP_WORDS for one in lowered), n),
        "unique_words": ratio(len(counts), n),
        "script_share": ratio(sum(has(word[0], IS_ALONE) for word in words), n),
        "word_entropy": round(math.log(n) - sum(c * math.log(c) for c in counts.values()) / n, 6) + 0.0
        if n
        else None,
        "curly_ratio": ratio(text.count("{") + text.count("}"), len(text)),
        "lorem_ratio": ratio(_ascii_lower(text).count("lorem ipsum"), len(text)),
        "letter_ratio": ratio(sum(has(char, IS_LETTER) for char in text), len(text)),
        "ascii_letters": ratio(
            sum(has(char, IS_LETTER) for char in text if char.isascii()),
            sum(has(char, IS_LETTER) for char in text),
        ),
        "upper_ratio": ratio(sum(has(char, IS_UPPER) for char in text), len(text)),
        "digit_ratio": ratio(sum(has(char, IS_NUMBER) for char in text), len(text)),
    }


def _ascii_lower(text):
    return "".join(char.lower() if char.isascii() else char for char in text)


def _spaces():
    return [re.escape(chr(code)) for code in range(0x3001) if has(chr(code), IS_SPACE)]
