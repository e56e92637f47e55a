"""``builder build``: a new version of a corpus."""

from __future__ import annotations

import click
from click.core import ParameterSource

from builder.cli.options import Share, Size, VersionNumber, json_option

_READS_INPUTS = ("max_memory", "max_rejected", "limit", "spool", "batch_rows", "full", "prune", "rehash")
"""Options that say how inputs are read; ``--compact`` reads none."""


@click.command(
    "build",
    epilog="Example: builder build recipe.yaml --workers 2 --set stages.dedup_near.threshold=0.7",
)
@click.argument("recipe", type=click.Path())
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: one for each core.")
@click.option(
    "--max-memory",
    type=Size(),
    help="Memory of all workers together, such as 2GB. Default: 60 % of the machine's.",
)
@click.option(
    "--engine", type=click.Choice(["local"]), default="local", show_default=True, help="Where it runs."
)
@click.option(
    "--version", "number", type=VersionNumber(), help="A number for the version, not below the computed one."
)
@click.option(
    "--max-rejected",
    type=Share(),
    help="Write no version (exit status 3) if a larger share, such as 0.05 or 5%, is rejected or failed.",
)
@click.option("--limit", type=click.IntRange(1), help="Read this many records only, to try a recipe.")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override one value of the recipe, such as stages.dedup_near.threshold=0.7; may be repeated.",
)
@click.option(
    "--spool", type=click.Path(file_okay=False), help="Folder for unfinished work. Default: in the corpus."
)
@click.option(
    "--schemas",
    type=click.Path(file_okay=False),
    multiple=True,
    help="Folder in which references of the contract are looked up as well; may be repeated.",
)
@click.option("--full", is_flag=True, help="Build everything anew, not only what is new.")
@click.option("--prune", is_flag=True, help="Remove the rows of inputs that are no longer there.")
@click.option("--rehash", is_flag=True, help="Hash every input, however untouched it looks.")
@click.option("--compact", is_flag=True, help="Read nothing; cut the shards of the newest version anew.")
@click.option(
    "--batch-rows", type=click.IntRange(1), help="Rows that are worked on at a time, at most; changes no row."
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
    number: str | None,
    max_rejected: float | None,
    limit: int | None,
    settings: tuple[str, ...],
    spool: str | None,
    schemas: tuple[str, ...],
    batch_rows: int | None,
    full: bool,
    prune: bool,
    rehash: bool,
    compact: bool,
    as_json: bool,
) -> None:
    """Build a new version of a corpus from RECIPE.

    Prints what became of the records, by stage and reason, and where ledger and dataset are. A build that was
    stopped goes on where it was when the same command is given again.

    On a corpus that has a version, only inputs that are new are read, and what comes of them is added to it;
    if nothing is new, nothing is written. If the recipe has changed in what rows depend on, everything is
    built anew.
    """
    if compact:
        _refuse_ignored(ctx)
    from builder.pipeline.preload import preload

    preload(workers)
    from builder.operations.build import build
    from builder.recipe import Recipe
    from builder.report.build import print_build
    from builder.report.progress import say, say_if_compiling, show_progress

    loaded = Recipe.load(recipe, settings=settings, schemas=schemas)
    if compact:
        from builder.operations.compact import compact as compact_newest

        with show_progress() as advance:
            result = compact_newest(loaded, version=number, workers=workers, advance=advance)
        print_build(result, as_json=as_json)
        return
    say_if_compiling()
    with show_progress() as advance:
        result = build(
            loaded,
            workers=workers,
            max_memory=max_memory,
            engine=engine,
            version=number,
            max_rejected=max_rejected,
            limit=limit,
            spool=spool,
            batch_rows=batch_rows,
            full=full,
            prune=prune,
            rehash=rehash,
            advance=advance,
            notice=say,
        )
    print_build(result, as_json=as_json)


def _refuse_ignored(ctx: click.Context) -> None:
    """Refuse options that would have no effect beside ``--compact``."""
    given = [name for name in _READS_INPUTS if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(f"{names} cannot be combined with --compact, which reads no input", ctx)
