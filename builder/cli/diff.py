"""``builder diff``: show what changed between two versions."""

from __future__ import annotations

import click

from builder.cli.options import VersionNumber, json_option


@click.command("diff", epilog="Example: builder diff out/southern-news 1.0.0 1.1.0")
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("a", type=VersionNumber())
@click.argument("b", type=VersionNumber())
@click.option(
    "--rows", "all_rows", is_flag=True, help="List every changed row, not only the first rows of each kind."
)
@json_option
def diff_command(folder: str, a: str, b: str, *, all_rows: bool, as_json: bool) -> None:
    """Show what changed from version A to version B of the corpus in FOLDER, row by row.

    Rows are matched by id. A row is removed, added, moved to another split, or changed in some columns. A row
    that stayed is reordered if it now follows a row that it preceded. The reasons for removed rows come from
    the ledgers of the versions between A and B. With --rows, each row is printed as soon as it is found, and
    the counts are printed last.
    """
    from builder.operations.diff import diff
    from builder.report.diff import DiffPrinter
    from builder.report.progress import show_progress

    printer = DiffPrinter(as_json=as_json, all_rows=all_rows)
    with show_progress() as advance:
        found = diff(folder, a, b, on_row=printer.row if all_rows else None, advance=advance)
    printer.end(found)
