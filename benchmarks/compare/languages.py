"""The kernel of ``language`` and fasttext-predict, with the same model on the same texts."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench import Bench, ours, theirs
from benchmarks.environments import own
from benchmarks.measure import Measured, compare, in_turn
from builder.stages.identification.find_model import find_model

SIZES = (500, 2000)
MAX_BYTES, LEAST_BYTES = 40_000_000, 12_000_000
"""Small inputs are repeated, because a measurement of some milliseconds is one of the machine."""


def measure(bench: Bench) -> list[Measured]:
    """Measure texts of 500 and 2,000 characters; and the sentences, if there are any."""
    sentences = _sentences()
    pages = [orjson.loads(line)["text"] for line in bench.pages.read_bytes().splitlines()]
    sources = sentences or [text for text in pages if text]
    inputs = {f"{size:,} characters": _cut(sources, size) for size in SIZES}
    if sentences:
        inputs["sentences"] = [line for one in sentences for line in one.splitlines() if line]
    kind = "75 languages" if sentences else "the pages"
    return [_row(bench, f"{what} of {kind}", texts) for what, texts in inputs.items()]


def _sentences() -> list[str]:
    """Return the sentences of each language, one a line; none without the folder of real data."""
    folder = Path(os.environ.get("BUILDER_TEST_DATA", "")) / "lingua-sentences"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]


def _cut(sources: list[str], size: int) -> list[str]:
    texts, n_bytes = [], 0
    for whole in sources:
        one_line = " ".join(whole.split())
        found = [one_line[at : at + size] for at in range(0, max(len(one_line) - size, 0) + 1, size)]
        texts += found
        n_bytes += sum(map(len, found))
        if n_bytes > MAX_BYTES:
            break
    return texts


def _row(bench: Bench, what: str, texts: list[str]) -> Measured:
    source = bench.folder / "languages.parquet"
    n_bytes = sum(len(text.encode()) for text in texts)
    texts = texts * -(-LEAST_BYTES // n_bytes)
    pq.write_table(pa.table({"text": texts}), source)
    output, other = bench.folder / "languages-ours.json", bench.folder / "languages-theirs.json"
    model, _ = find_model(None, None)
    pairs = in_turn(
        lambda: ours("languages", source, output),
        lambda: theirs(own(), "fasttext_languages.py", model, source, other),
        rounds=bench.rounds,
    )
    mine, theirs_found = orjson.loads(output.read_bytes()), orjson.loads(other.read_bytes())
    equal = sum(a[0] == b[0] for a, b in zip(mine, theirs_found, strict=True))
    apart = max(abs(a[1] - b[1]) for a, b in zip(mine, theirs_found, strict=True))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    best = min(run.cpu_seconds for run, _ in pairs)
    note = (
        f"{equal:,} of {len(texts):,} labels equal, scores within {apart:.1g}; ours {megabytes / best:.1f} "
        "MB/s of CPU at best, with scripts; inside the processes, one core"
    )
    return compare(
        pairs,
        what=f"`language`, {what}",
        against="fasttext-predict, one text a call",
        aim="5.7 times (20 MB/s against 3.5), equal labels",
        at_least=5.7,
        note=note,
    )
