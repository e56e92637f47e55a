"""``builder dedup``: remove exact and near duplicates without a recipe."""

from __future__ import annotations

import click

from builder.cli.options import json_option, max_memory_option, workers_option


@click.command("dedup", epilog="Example: builder dedup crawl/*.jsonl --output out/clean --threshold 0.8")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--output", required=True, type=click.Path(file_okay=False), help="Corpus folder to write.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.8,
    show_default=True,
    help="Minimum Jaccard similarity of near-duplicates.",
)
@click.option("--column", default="text", show_default=True, help="Column to compare.")
@workers_option
@max_memory_option
@json_option
def dedup_command(
    files: tuple[str, ...],
    *,
    output: str,
    threshold: float,
    column: str,
    workers: int | None,
    max_memory: int | None,
    as_json: bool,
) -> int:
    """Remove exact duplicates, then near-duplicates, from JSONL, JSON, CSV or Parquet FILEs.

    Writes a corpus with one version. load_dataset opens it. All columns come out with their types. The
    ledger lists what was merged into what.
    """
    from builder.pipeline.preload import preload

    preload(workers)
    from builder.errors import NothingKeptError
    from builder.operations.dedup import dedup
    from builder.report.build import print_build, print_stopped
    from builder.report.progress import show_build_progress

    try:
        with show_build_progress() as advance:
            result = dedup(
                files,
                output=output,
                threshold=threshold,
                column=column,
                workers=workers,
                max_memory=max_memory,
                advance=advance,
            )
    except NothingKeptError as stopped:
        return print_stopped(stopped, as_json=as_json)
    print_build(result, as_json=as_json)
    return 0
