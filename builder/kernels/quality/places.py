"""Where the kernels of signals write each count; this module can be imported without the compiler."""

from __future__ import annotations

SHORT_CHARS = 30

(CHARS, NEWLINES, HASHES, ELLIPSES, CURLY, LOREM, SENTENCES, LETTERS, N_DIGITS, UPPERS, LONGEST, LINE_COUNT,
 PARAGRAPHS, ASCII_LETTERS) = range(14)  # fmt: skip
"""What is counted in a document, by place in the array ``counts``."""

N_COUNTS = 14

MIN_LINE_WORDS = 5
"""C4 drops lines with fewer words."""

(WORDS, WORD_CHARS, ALPHA_WORDS, N_STOP_WORDS, STOP_WORDS_SEEN, SHOUTED_WORDS, ALONE_WORDS, UNIQUE_WORDS,
 LINE_CHARS, N_BULLETED, N_ELLIPSIS_END, N_TERMINAL_END, N_C4_END, N_SHORT, N_JAVASCRIPT, N_POLICY,
 N_LONG_WORD, N_SHOUTED, N_DIGITS_ONLY, N_COUNTER, N_FEW_WORDS, RULED_WORDS, DUP_LINES, DUP_LINES_ALL,
 DUP_LINE_CHARS, DUP_LINE_CHARS_ALL, DUP_PARAS, DUP_PARAS_ALL, DUP_PARA_CHARS, DUP_PARA_CHARS_ALL,
 ) = range(N_COUNTS, N_COUNTS + 30)  # fmt: skip
"""Places in the row of a document, behind those above."""

TOP = N_COUNTS + 30
"""The first of five values for the most frequent run of 2, 3 and 4 words each, see ``TOP_VALUES``."""

TOP_VALUES = ("covered", "times_longest", "times_earliest", "count", "first_run")
"""Code points covered by the run; code points times copies if the longest or the earliest wins a tie; copies;
code points of the first run of the text."""

DUP = TOP + 15
"""The first of five values for runs of 5 to 10 words each, see ``DUP_VALUES``."""

DUP_VALUES = ("later", "all", "skipped", "summed", "total")
"""Code points in later copies, in all copies, in later copies if reading skips each copy, summed over runs
with copies, and summed over all runs."""

N_VALUES = DUP + 6 * len(DUP_VALUES)

OF_LINES, OF_REPEATS, OF_SYSTEMS = 1, 2, 4
"""Parts of the work, as flags: values of lines; values of copies and of repeated runs; the further values of
repeated runs that only other systems use. Words are always measured. What is not asked for is 0."""

ALL_PARTS = OF_LINES | OF_REPEATS | OF_SYSTEMS
