"""The kernel that cleans texts, compared with its slow twin; its steps; checked indexes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import reference_cleaning
from kernel_calls import fewer
from mutated_texts import TITLES, mutated_text

from builder.kernels.html.trees import CERTAIN
from builder.kernels.plain import leaves
from builder.kernels.plain.classes import CLASS_NAMES
from builder.kernels.plain.cutting import MAX_UNITS
from builder.kernels.plain.layout import VOCABULARY_BITS
from builder.stages.cleaning.cleaner import cleaner
from builder.stages.cleaning.model import PLAIN_MODEL_PATH
from builder.stages.cleaning.unit_reader import UnitReader

MODEL = reference_cleaning.load(PLAIN_MODEL_PATH)


def compare(texts: list[str], titles: list[str]) -> None:
    """Check that the texts and the spans of a batch are those of the twin, bit by bit."""
    parts = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, parts)])
    data = np.frombuffer(b"".join(parts) or b" ", np.uint8)
    cleaned = cleaner().clean(data, np.stack([ends[:-1], ends[1:]], 1), [title.encode() for title in titles])
    found: list[list[tuple[str, int, str, int]]] = [[] for _ in texts]
    for row, start, end, kind, most in cleaned.spans.tolist():
        found[row].append((CLASS_NAMES[kind], start - ends[row], data[start:end].tobytes().decode(), most))
    whole, offsets = cleaned.text.tobytes(), cleaned.offsets.tolist()
    for row, (text, title) in enumerate(zip(texts, titles, strict=True)):
        expected, spans = reference_cleaning.clean(text, title, MODEL)
        assert found[row] == spans, text
        assert whole[offsets[row] : offsets[row + 1]].decode() == expected, text
        assert cleaned.removed[row] == sum(len(span.encode()) for _, _, span, _ in spans)


@pytest.mark.parametrize("seed", range(4))
def test_cleaned_texts_and_spans_are_those_of_the_slow_twin(seed: int) -> None:
    """Menus, prose, verse, tables, code, comments, titles, and what mutations make of them."""
    draw = random.Random(seed)
    for _ in range(fewer(60, 2)):
        texts = [mutated_text(draw) for _ in range(draw.randint(1, 4))]
        compare(texts, [draw.choice(TITLES) for _ in texts])


@pytest.mark.long
@pytest.mark.unmeasured
def test_many_more_mutated_texts_are_cleaned_as_by_the_twin() -> None:
    """20,000 texts of up to 4 KB."""
    draw = random.Random(99)
    for _ in range(5_000):
        texts = [mutated_text(draw)[:4_000] for _ in range(4)]
        compare(texts, [draw.choice(TITLES) for _ in texts])


def test_each_set_of_leaves_has_its_own_lowest_bit() -> None:
    """The product names a power of two by four bits."""
    products = [
        ((1 << bit) * leaves.LOWEST_BIT_FACTOR & leaves.ALL_LEAVES) >> leaves.LOWEST_BIT_SHIFT
        for bit in range(leaves.MAX_LEAVES)
    ]
    assert sorted(products) == list(range(leaves.MAX_LEAVES))


def test_scores_are_probabilities() -> None:
    """A span says how sure the model is, between 0 and 1."""
    draw = random.Random(3)
    data = mutated_text(draw).encode()
    cleaned = cleaner().clean(np.frombuffer(data, np.uint8), np.array([[0, len(data)]]), [b""])
    assert all(0 <= most <= CERTAIN for most in cleaned.spans[:, -1].tolist())


HOSTILE = [
    "a ",
    "a\n",
    "\n",
    "!",
    "- ",
    "A ",
    "A. ",
    "Aa",
    "潮",
    "。",
    "\u0301",
    "\t",
    "A b C d ",
    "1 € ",
    "é\n",
]


@pytest.mark.parametrize("unit", [*HOSTILE, "Menu " * 6 + "the ", "x" * 599 + "\n"])
def test_the_steps_are_linear_in_the_bytes(unit: str) -> None:
    """Steps are counted instead of time: bytes that are looked at, and places of the table of copies."""
    data = np.frombuffer(unit.encode() * (fewer(1_000_000, 2_000) // len(unit.encode())), np.uint8)
    reader = UnitReader(np.zeros(1 << VOCABULARY_BITS, np.int8))
    n, memory = reader.read(data, 0, len(data))
    assert n <= min(len(data), MAX_UNITS + 1)
    assert memory.steps[0] <= 16 * len(data)


@pytest.mark.long
@pytest.mark.unmeasured
@pytest.mark.parametrize("unit", ["a ", "\n", "!", "A b. ", "a\n"])
def test_a_text_of_50_megabytes_needs_bounded_memory(unit: str) -> None:
    """One line, only blank lines, only marks: what follows very many units is one unit."""
    data = np.frombuffer(unit.encode() * (50_000_000 // len(unit)), np.uint8)
    reader = UnitReader(np.zeros(1 << VOCABULARY_BITS, np.int8))
    n, memory = reader.read(data, 0, len(data))
    assert n <= MAX_UNITS + 1
    assert memory.steps[0] <= 16 * len(data)
    assert sum(array.nbytes for array in memory) < 400_000_000


@pytest.mark.long
@pytest.mark.unmeasured
def test_a_hundred_thousand_mutated_texts_stay_within_the_arrays(tmp_path: Path) -> None:
    """Compiled code checks no index, so these run in a process that does."""
    program = Path(__file__).parents[3] / "property" / "programs" / "checked_texts.py"
    folders = [str(Path(__file__).parents[3]), str(Path(__file__).parents[4])]
    checks = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(program), "100000"],
        env={**os.environ, **checks, "PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
