"""``make bench``: run ours and the others in turn, and write benchmarks/RESULTS.md and growth.svg.

    python -m benchmarks [FILE] [--only NAME]... [--rounds N] [--folder DIR] [--sizes 100000,1000000]

FILE is JSONL or Parquet with ``url`` and ``text``; without one, documentation packages are the corpus.
With ``--only`` the page is printed and not written: what is written is of one run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson
import pyarrow.parquet as pq

from benchmarks import results
from benchmarks.bench import ROOT, Bench
from benchmarks.compare import (
    builds,
    cleaning,
    datatrove,
    dedup,
    estimates,
    kernels,
    languages,
    main_text,
    own_stages,
    scale,
    signals,
    start,
)
from benchmarks.corpus import make_corpus

COMPARISONS = {
    "start": start.measure,
    "kernels": kernels.measure,
    "languages": languages.measure,
    "signals": signals.measure,
    "own-stages": own_stages.measure,
    "main-text": main_text.measure,
    "cleaning": cleaning.measure,
    "builds": builds.measure,
    "estimates": estimates.measure,
    "dedup": dedup.measure,
    "datatrove": datatrove.measure,
}


def main() -> None:
    """Measure and write."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    packages: tuple[str, ...] = ()
    if options.file is None:
        corpus = make_corpus(options.folder / "corpus")
        pages, archive, packages = corpus.pages, corpus.archive, corpus.packages
    else:
        pages, archive = _as_lines(options.file, options.folder), None
    bench = Bench(pages=pages, archive=archive, folder=options.folder, rounds=options.rounds)
    rows, points = [], []
    for name, measure in COMPARISONS.items():
        if not options.only or name in options.only:
            rows += _told(measure(bench))
            _keep(options, bench, rows, points, packages)
    if not options.only or "scale" in options.only:
        found, points = scale.measure(bench, tuple(map(int, options.sizes.split(","))))
        rows += _told(found)
    _keep(options, bench, rows, points, packages)
    print(results.page(bench, rows, points, packages))


def _keep(options, bench, rows, points, packages):  # type: ignore[no-untyped-def]
    if not options.only:
        results.write(bench, rows, points, packages)


def _told(rows):  # type: ignore[no-untyped-def]
    for row in rows:
        print(f"{row.what} against {row.against}: {row.ratio:.2f} ({row.aim})", file=sys.stderr)
    return rows


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against other tools.")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--only", action="append", choices=[*COMPARISONS, "scale"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=lambda text: Path(text).resolve(), default=ROOT / ".benchmarks")
    parser.add_argument("--sizes", default=",".join(map(str, scale.SIZES)))
    return parser.parse_args()


def _as_lines(file: Path, folder: Path) -> Path:
    """Return lines of JSON with ``url`` and ``text``, whatever was given."""
    if file.suffix != ".parquet":
        return file.resolve()
    path = folder / f"{file.stem}.jsonl"
    with path.open("wb") as out:
        for batch in pq.ParquetFile(file).iter_batches():
            names = batch.schema.names
            for n, row in enumerate(batch.to_pylist()):
                url = row.get("url") or f"https://example.org/{n}"
                out.write(
                    orjson.dumps({"url": url, "text": row["text" if "text" in names else names[0]]}) + b"\n"
                )
    return path


if __name__ == "__main__":
    main()
