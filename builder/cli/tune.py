"""``builder tune``: show what other thresholds would remove, and write chosen ones into the recipe."""

from __future__ import annotations

import click

from builder.cli.options import (
    Share,
    allow_code_option,
    json_option,
    schemas_option,
    settings_option,
    workers_option,
)


@click.command("tune", epilog="Example: builder tune recipe.yaml --labels labels.csv --html tune.html")
@click.argument("recipe", type=click.Path())
@settings_option
@click.option(
    "--labels",
    type=click.Path(dir_okay=False),
    help="File with documents to keep or drop (.jsonl, .csv or .tsv): url, id or record, and label.",
)
@click.option(
    "--signal",
    "signals",
    multiple=True,
    metavar="NAME",
    help="Measure one more signal in filter. Repeatable; `all` for all signals.",
)
@click.option(
    "--max-lost",
    type=Share(),
    default="0.05",
    show_default=True,
    help="With --labels: share of the documents labelled keep that a suggested limit may lose.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    help="Number of records to read, spread evenly over the inputs.",
)
@click.option(
    "--pairs",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Pairs of near duplicates to show for each range of similarities.",
)
@click.option(
    "--documents",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Documents to show on each side of a limit.",
)
@click.option(
    "--html", "-o", "page", type=click.Path(dir_okay=False), metavar="FILE", help="Write an HTML page."
)
@click.option(
    "--write",
    is_flag=True,
    help="Write the values of --set into the recipe, and stop. Comments and all other bytes stay.",
)
@workers_option
@schemas_option
@allow_code_option
@json_option
@click.pass_context
def tune_command(
    ctx: click.Context,
    recipe: str,
    *,
    settings: tuple[str, ...],
    labels: str | None,
    signals: tuple[str, ...],
    max_lost: float,
    sample: int,
    pairs: int,
    documents: int,
    page: str | None,
    write: bool,
    workers: int | None,
    schemas: tuple[str, ...],
    allow_code: bool,
    as_json: bool,
) -> int:
    """Choose thresholds: show what others would remove.

    Runs the stages of RECIPE on a sample and shows, for dedup_near, the similarities from 0.5 to 1, what each
    threshold would merge, and pairs to read. For filter and language, it shows the values of each signal by
    language, what each limit removes alone and together with the others, what other limits would remove, and
    the documents nearest to the limit.

    With --labels, it shows for each limit how many of the labelled documents it finds and loses, with
    intervals, and suggests a limit.

    It writes no version, and the corpus stays as it is. Try a value with --set. Add --write to put it into
    the recipe.
    """
    if write:
        return _write(ctx, recipe, settings=settings, schemas=schemas, allow_code=allow_code, as_json=as_json)
    from builder.pipeline.preload import preload

    preload(workers)
    from builder.operations.tune import tune
    from builder.recipe import Recipe
    from builder.report.progress import show_progress
    from builder.report.tuning.printing import print_tuning

    loaded = Recipe.load(recipe, settings=settings, schemas=schemas, allow_code=allow_code)
    with show_progress(compiles=True) as advance:
        found = tune(
            loaded,
            labels=labels,
            signals=signals,
            max_lost=max_lost,
            sample_records=sample,
            pairs=pairs,
            documents=documents,
            workers=workers,
            advance=advance,
        )
    print_tuning(found, recipe=recipe, page=page, as_json=as_json)
    return 0


def _write(
    ctx: click.Context,
    recipe: str,
    *,
    settings: tuple[str, ...],
    schemas: tuple[str, ...],
    allow_code: bool,
    as_json: bool,
) -> int:
    """Write settings into the recipe if the recipe is valid with them."""
    if not settings:
        what = "--write needs the values to write: --set stages.dedup_near.threshold=0.75"
        raise click.UsageError(what, ctx)
    from builder.operations.tune.write import write_thresholds
    from builder.report.tuning.printing import print_edits

    edits = write_thresholds(recipe, settings=settings, schemas=schemas, allow_code=allow_code)
    print_edits(edits, recipe=recipe, as_json=as_json)
    return 0
