"""The presets of other systems decide as the functions of these systems, document by document.

The decisions were recorded once, with the functions of the systems themselves.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builder.stages.quality.datatrove import measure_fineweb, measure_gopher
from builder.stages.quality.dialects import DIALECTS
from builder.stages.quality.presets import PRESETS
from builder.stages.quality.rules import Condition, read_rules

pytestmark = [pytest.mark.corpora]

REPEATS = ("dup_", "top_")


def lines(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    whole = gzip.decompress(data) if path.suffix == ".gz" else data
    return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture(scope="module")
def verdicts(corpora: Path) -> tuple[list[dict[str, Any]], pa.Array]:
    """The recorded decisions, and the texts in their order."""
    texts = [one["text"] for one in lines(corpora / "dclm-quality" / "labels.jsonl")]
    texts += [
        one["html-text"] for one in lines(corpora / "aeb-plaintext" / "pages.jsonl") if one.get("html-text")
    ]
    texts += [one["text"] for path in sorted((corpora / "dolma-cc").glob("*.json*")) for one in lines(path)]
    for path in sorted((corpora / "wcxb" / "ground-truth").glob("*.json")):
        gold = json.loads(path.read_bytes())
        texts.append(gold.get("main_content") or gold.get("ground_truth", {}).get("main_content") or "")
    by_digest = {hashlib.sha256(text.encode()).hexdigest()[:16]: text for text in texts}
    rows = lines(corpora / "quality-verdicts.jsonl")[1:]
    return rows, pa.array([by_digest[row["sha256"]] for row in rows], pa.large_string())


def first_fired(preset: str, texts: pa.Array) -> tuple[list[str], int]:
    """Return the first rule on repetition that fires for each text, and how many the other rules reject."""
    conditions, faults = read_rules(PRESETS[preset].rules)
    assert not faults
    values = DIALECTS[str(PRESETS[preset].dialect)].measure(texts)
    repeats = [one for one in conditions if isinstance(one, Condition) and one.name.startswith(REPEATS)]
    others = [one.fires(values) for one in conditions if one not in repeats]
    fired = [one.fires(values) for one in repeats]
    first = [
        next((one.name for one, rows in zip(repeats, fired, strict=True) if rows[i]), "")
        for i in range(len(texts))
    ]
    return first, int(np.any(others, axis=0).sum()) if others else 0


@pytest.mark.parametrize(
    ("preset", "column", "n_repeats", "n_quality"),
    [
        ("gopher-dclm", "dclm", 77, 29),
        ("gopher-dolma-v2", "dolma2", 61, 27),
        ("redpajama-signals", "rp", 65, 0),
    ],
)
def test_a_preset_decides_as_its_system(
    preset: str, column: str, n_repeats: int, n_quality: int, verdicts: Any
) -> None:
    """Also the first rule that fires is the same; for quality only the numbers were recorded."""
    rows, texts = verdicts
    first, n_others = first_fired(preset, texts)
    names = {"dup_line_frac": "dup_line", "dup_para_frac": "dup_para"}
    names |= {"dup_line_char_frac": "dup_line_char", "dup_para_char_frac": "dup_para_char"}
    found = [names.get(one, one.replace("_", "").replace("gram", "")) for one in first]
    assert found == [row[column] for row in rows]
    assert sum(map(bool, found)) == n_repeats
    assert n_others == n_quality


DATATROVE = {
    "duplicated_{}_n_grams": ("dup_{}gram_above", range(5, 11)),
    "top_{}_gram": ("top_{}gram_above", range(2, 5)),
}
NAMES = {
    "gopher_below_alpha_threshold": "alpha_words_below",
    "gopher_short_doc": "words_below",
    "gopher_enough_stop_words": "stop_words_below",
    "gopher_too_many_end_ellipsis": "ellipsis_lines_above",
    "line_punct_ratio": "line_punct_below",
    "char_dup_ratio": "char_dup_above",
    "short_line_ratio": "short_lines_above",
    **{f"{one}": f"{one}_above" for one in ("dup_line_frac", "dup_para_frac", "dup_line_char_frac")},
    **{theirs.format(n): ours.format(n) for theirs, (ours, ns) in DATATROVE.items() for n in ns},
}


def test_datatrove_decides_the_same(verdicts: Any) -> None:
    """Also the first rule that fires is the same, on repetition, on quality and for FineWeb's own rules."""
    pytest.importorskip("spacy", reason="the words of datatrove come from the extra `spacy`")
    rows, texts = verdicts
    values = {**measure_gopher(texts), **measure_fineweb(texts)}
    rules = {name: rule for name, rule in PRESETS["fineweb"].rules.items() if name in values}
    fired = {one.code: one.fires(values) for one in read_rules(rules)[0] if isinstance(one, Condition)}
    repeats = [code for code in fired if code.startswith(REPEATS)]
    own = [code for code in fired if code.startswith(("line_punct", "short_lines", "char_dup", "newline"))]
    quality = [code for code in fired if code not in (*repeats, *own)]
    for column, codes, n_removed in (("dt_rep", repeats, 51), ("dt_q", quality, 116), ("dt_fw", own, 145)):
        found = [next((code for code in codes if fired[code][i]), "") for i in range(len(texts))]
        assert found == [NAMES.get(row[column], row[column]) for row in rows]
        assert sum(map(bool, found)) == n_removed
