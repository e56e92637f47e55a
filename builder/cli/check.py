"""``builder check``: check a recipe before a build, or a version before publication."""

from __future__ import annotations

import click

from builder.cli.options import allow_code_option, json_option, schemas_option, settings_option


@click.command("check", epilog="Example: builder check recipe.yaml && builder check out/southern-news@1.0.0")
@click.argument("target", metavar="RECIPE|FOLDER[@V]")
@settings_option
@schemas_option
@allow_code_option
@json_option
def check_command(
    target: str, *, settings: tuple[str, ...], schemas: tuple[str, ...], allow_code: bool, as_json: bool
) -> int:
    """Check a recipe before you build it, or a version before you publish it.

    For a RECIPE, check the contract, the stages with their columns, and the inputs. Build a sample, spread
    evenly over up to 20 parts of the inputs, in the folder for temporary files. Print what a build would do
    with it: outcomes by stage and reason, and contract faults by rule and place. Estimate time, memory and
    disk of a build. Warn of what has no effect or loses data: a property that is not published, HTML that no
    stage extracts, a stage before the one that it needs, an unknown keyword or format of the contract, a
    rename, status or content type that matches nothing, and a loss of over 5 %. Exit status 1 if a build
    would keep nothing.

    For a version (FOLDER is a corpus; default: its newest version), check that every shard opens, has the
    columns of the manifest and has rows. Check that the card names all shards, and that load_dataset returns
    as many rows as the manifest counts. What the Hub's viewer cannot show is a warning. Exit status 4 if a
    fault is found.
    """
    from builder.corpus.address import is_corpus_address

    if not is_corpus_address(target):
        return _check_recipe(
            target, settings=settings, schemas=schemas, allow_code=allow_code, as_json=as_json
        )
    if settings or schemas or allow_code:
        what = "--set, --schemas and --allow-code apply to a recipe, but the target is a folder"
        raise click.UsageError(what)
    from builder.hub.guard import check_version
    from builder.report.check import print_version_check

    return print_version_check(check_version(target), as_json=as_json)


def _check_recipe(
    target: str, *, settings: tuple[str, ...], schemas: tuple[str, ...], allow_code: bool, as_json: bool
) -> int:
    from builder.pipeline.preload import preload

    preload(1)
    from builder.operations.check import check
    from builder.recipe import Recipe
    from builder.report.check import print_check
    from builder.report.progress import show_progress

    recipe = Recipe.load(target, settings=settings, schemas=schemas, allow_code=allow_code)
    with show_progress(compiles=True, only_bars=True) as advance:
        found = check(recipe, advance=advance)
    return print_check(found, as_json=as_json)
