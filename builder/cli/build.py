"""``builder build``: build a new version of a corpus."""

from __future__ import annotations

import click
from click.core import ParameterSource

from builder.cli.options import (
    Share,
    VersionNumber,
    allow_code_option,
    json_option,
    max_memory_option,
    schemas_option,
    settings_option,
    workers_option,
)

_READS_INPUTS = (
    *("max_memory", "max_rejected", "max_nulled", "limit", "dry_run"),
    *("spool", "batch_rows", "full", "prune", "rehash", "accept_libraries"),
)
"""Options that control how inputs are read; ``--compact`` reads no input."""


@click.command(
    "build",
    epilog="Example: builder build recipe.yaml --workers 2 --set stages.dedup_near.threshold=0.7",
)
@click.argument("recipe", type=click.Path())
@workers_option
@max_memory_option
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where the build runs: on this machine, or on a Ray cluster (needs builder[ray]).",
)
@click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="Ray cluster to use. Default: RAY_ADDRESS, else a cluster on this machine for this build.",
)
@click.option(
    "--version",
    "number",
    type=VersionNumber(),
    help="Version number to use. It must not be lower than the computed number.",
)
@click.option(
    "--max-rejected",
    type=Share(),
    help="Write no version (exit status 3) if more of the records, such as 0.05 or 5%, are rejected or fail.",
)
@click.option(
    "--max-nulled",
    type=Share(),
    help="Write no version (exit status 3) if bad values of one column are made null in more of the records.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Try the recipe on this many records, as a first version. Writes no version.",
)
@click.option(
    "--dry-run", is_flag=True, help="Do everything that a build does, report it, and write no version."
)
@settings_option
@click.option(
    "--spool",
    type=click.Path(file_okay=False),
    help="Folder for unfinished work. Default: a folder inside the corpus.",
)
@click.option(
    "--break-lock", is_flag=True, help="Take the lock from a builder on another machine that is lost."
)
@schemas_option
@allow_code_option
@click.option("--full", is_flag=True, help="Read all inputs again, not only new ones.")
@click.option("--prune", is_flag=True, help="Remove the rows of inputs that no longer exist.")
@click.option("--rehash", is_flag=True, help="Hash every input, even if it looks unchanged.")
@click.option(
    "--accept-libraries",
    is_flag=True,
    help="Add to the newest version even if other versions of the libraries made its rows.",
)
@click.option(
    "--compact", is_flag=True, help="Merge the small shards of the newest version. No input is read."
)
@click.option(
    "--batch-rows",
    type=click.IntRange(1),
    help="Maximum number of rows in a batch. The result does not depend on it.",
)
@json_option
@click.pass_context
def build_command(
    ctx: click.Context,
    recipe: str,
    *,
    workers: int | None,
    max_memory: int | None,
    engine: str,
    ray_address: str | None,
    number: str | None,
    max_rejected: float | None,
    max_nulled: float | None,
    limit: int | None,
    dry_run: bool,
    settings: tuple[str, ...],
    spool: str | None,
    break_lock: bool,
    schemas: tuple[str, ...],
    allow_code: bool,
    batch_rows: int | None,
    full: bool,
    prune: bool,
    rehash: bool,
    accept_libraries: bool,
    compact: bool,
    as_json: bool,
) -> int:
    """Build a new version of a corpus from RECIPE.

    Prints the outcome of all records by stage and reason, contract faults by rule and place, and the paths of
    the ledger and the dataset. A build that keeps nothing, or loses more than --max-rejected, prints the same
    and writes no version. If a build is interrupted, run the same command again to resume it.

    If the corpus already has a version, the build reads only new inputs and adds their rows. If nothing is
    new, it writes nothing. If the recipe, a rule of builder or the version of a library has changed in a way
    that affects rows, the build prints the reason and reads all inputs again.

    --limit and --dry-run are trials: they work in a folder that they remove, and print the same report. The
    corpus stays as it is.
    """
    if full and accept_libraries:
        raise click.UsageError("--full and --accept-libraries exclude each other", ctx)
    if compact:
        _refuse_ignored(ctx)
    from builder.pipeline.preload import preload

    preload(workers)
    from builder.errors import NothingKeptError, TooManyNulledError, TooManyRejectedError
    from builder.operations.build import build
    from builder.recipe import Recipe
    from builder.report.build import print_build, print_stopped
    from builder.report.progress import say, show_build_progress, show_progress

    loaded = Recipe.load(recipe, settings=settings, schemas=schemas, allow_code=allow_code)
    if compact:
        from builder.operations.compact import compact as compact_newest

        with show_progress() as advance:
            result = compact_newest(loaded, version=number, workers=workers, advance=advance)
        print_build(result, asked=number, as_json=as_json)
        return 0
    try:
        with show_build_progress() as advance:
            result = build(
                loaded,
                workers=workers,
                max_memory=max_memory,
                engine=engine,
                ray_address=ray_address,
                version=number,
                max_rejected=max_rejected,
                max_nulled=max_nulled,
                limit=limit,
                dry_run=dry_run,
                spool=spool,
                break_lock=break_lock,
                batch_rows=batch_rows,
                full=full,
                prune=prune,
                rehash=rehash,
                accept_libraries=accept_libraries,
                advance=advance,
                notice=say,
            )
    except (NothingKeptError, TooManyNulledError, TooManyRejectedError) as stopped:
        return print_stopped(stopped, as_json=as_json)
    print_build(result, asked=number, as_json=as_json)
    return 0


def _refuse_ignored(ctx: click.Context) -> None:
    """Refuse options that would have no effect with ``--compact``."""
    given = [name for name in _READS_INPUTS if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(f"{names} cannot be combined with --compact, which reads no input", ctx)
