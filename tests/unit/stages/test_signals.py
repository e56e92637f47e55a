"""``signals``: which columns it writes, and which recipes are refused."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from builder.errors import RecipeError
from builder.stages.quality.measuring import measure_signals
from builder.stages.quality.signals import SIGNALS
from builder.stages.signals import Signals


def test_named_signals_become_columns(pages: Any, resources: Any, guard: Any) -> None:
    """Counts are integers, ratios are floats, and a null text has null signals."""
    batch = pages(text=["The sea. The sea.", "!", None])
    stage = Signals(columns=["words", "mean_word_length"])
    schema = stage.bind(batch.schema, resources)
    kept = stage.apply(batch, resources=resources, guard=guard).kept
    assert kept.schema.equals(schema)
    assert kept["words"].to_pylist() == [4, 0, None]
    assert kept["mean_word_length"].to_pylist() == [3.0, None, None]
    assert stage.measures == ("words", "mean_word_length")


def test_all_signals_can_be_written(pages: Any, resources: Any, guard: Any) -> None:
    """`[all]` names every signal."""
    batch = pages(text=["a b"])
    kept = Signals(columns=["all"]).apply(batch, resources=resources, guard=guard).kept
    assert kept.schema.names[2:] == list(SIGNALS)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["word"], "did you mean 'words'"),
        (["words", "words"], "exists already"),
    ],
)
def test_a_wrong_signal_is_an_error_of_the_recipe(columns: list[str], message: str, resources: Any) -> None:
    """The fault is found before a record is read."""
    with pytest.raises(RecipeError, match=message):
        Signals(columns=columns).bind(pa.schema([("text", pa.string())]), resources)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1_000_000,
        "x" * 50_000_000,
        "\u0301" * 1_000_000,
        "a." + "\u0301" * 1_000_000,
        "." * 3_000_000,
        "\n" * 1_000_000,
        "中" * 500_000,
        "1,1,1,1," * 300_000,
        "a\n" * 500_000,
        "[1" * 500_000,
        "u" * 500_000,
    ],
    ids=lambda text: f"{text[:3]!r} x {len(text)}",
)
def test_a_text_of_one_kind_is_measured_in_linear_time(text: str) -> None:
    """Repeats, marks and looks ahead do not add up to quadratic work; this test would take hours."""
    columns = measure_signals(pa.array([text]), list(SIGNALS))
    assert columns["characters"][0].as_py() == len(text)
    assert columns["words"][0].as_py() <= len(text)


def test_no_result_depends_on_the_seed_or_on_other_documents() -> None:
    """The seed only moves keys in hash tables; the arrays of a document are those of the one before."""
    from builder.domain.text_buffers import text_buffers
    from builder.kernels.quality.characters import characters
    from builder.kernels.quality.measure import measure_batch
    from builder.stages.quality.measuring import word_hashes
    from builder.stages.quality.signals import STOP_WORDS

    texts = ["a b c a b c a b c " * n + "the end\nthe end\n\n" * n for n in (1, 5, 4000, 2)]
    stops = word_hashes(STOP_WORDS)
    rows = []
    for seed in (0, 1, 2**64 - 1):
        data, offsets = text_buffers(pa.array(texts))
        rows.append(measure_batch(data, offsets, table=characters(), stop_words=stops, seed=seed)[0])
    alone = [
        measure_batch(*text_buffers(pa.array([one])), table=characters(), stop_words=stops)[0][0]
        for one in texts
    ]
    for found in (*rows[1:], alone):
        assert (rows[0] == found).all()
