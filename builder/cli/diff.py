"""``builder diff``: show what changed between two versions."""

from __future__ import annotations

import shlex

import click

from builder.cli.options import VersionNumber, json_option


@click.command("diff", epilog="Example: builder diff out/southern-news 1.0.0 1.1.0")
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("a", metavar="A", type=VersionNumber(), required=False)
@click.argument("b", metavar="B", type=VersionNumber(), required=False)
@click.option(
    "--rows", "all_rows", is_flag=True, help="List every changed row, not only the first rows of each kind."
)
@click.option("--html", type=click.Path(dir_okay=False), help="Also write the differences to an HTML page.")
@json_option
@click.pass_context
def diff_command(
    ctx: click.Context,
    folder: str,
    a: str | None,
    b: str | None,
    *,
    all_rows: bool,
    html: str | None,
    as_json: bool,
) -> None:
    """Show what changed from version A to version B of the corpus in FOLDER, row by row.

    Rows are matched by id. A row is removed, added, moved to another split, or changed in some columns. A row
    that stayed is reordered if it now follows a row that it preceded. The reasons for removed rows come from
    the ledgers of the versions between A and B. With --rows, each row is printed as soon as it is found, and
    the counts are printed last. With --html, the counts and the first rows of each kind are also written to a
    page without a script. It shows removed rows, so it is as private as the corpus.
    """
    from builder.operations.diff import diff
    from builder.report.diff import DiffPrinter
    from builder.report.progress import show_progress

    if a is None or b is None:
        raise click.UsageError(_missing_versions(folder, a), ctx)
    printer = DiffPrinter(as_json=as_json, all_rows=all_rows)
    with show_progress() as advance:
        found = diff(folder, a, b, on_row=printer.row if all_rows else None, advance=advance)
    if html is not None:
        from builder.report.overview.write import write_diff

        write_diff(found, html)
    printer.end(found)


def _missing_versions(folder: str, a: str | None) -> str:
    """Say which versions can be compared, with a command to copy."""
    from builder.corpus import Corpus

    versions = Corpus(folder).versions()
    others = [one for one in versions if one != a]
    if len(versions) < 2:
        return f"Give two versions to compare. {folder} has {versions[0] if versions else 'no version'} only."
    pair = (a, others[-1]) if a else versions[-2:]
    return f"Give two versions to compare, for example: builder diff {shlex.quote(folder)} {' '.join(pair)}"
