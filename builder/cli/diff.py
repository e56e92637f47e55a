"""``builder diff``: what changed between two versions."""

from __future__ import annotations

import click

from builder.cli.options import VersionNumber, json_option


@click.command("diff", epilog="Example: builder diff out/southern-news 1.0.0 1.1.0")
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("a", type=VersionNumber())
@click.argument("b", type=VersionNumber())
@click.option("--rows", "all_rows", is_flag=True, help="List every row, not only the first of each kind.")
@json_option
def diff_command(folder: str, a: str, b: str, *, all_rows: bool, as_json: bool) -> None:
    """Tell what changed from version A to version B of the corpus in FOLDER, row by row.

    Rows are known by their id. A row was removed, added, moved to another split, or changed in some columns;
    a row that stayed is reordered if it stands behind one that it stood before. Why rows were removed is
    looked up in the ledgers of the versions that lead from A to B. With --rows each row is printed as soon as
    it is known, and the counts come last.
    """
    from builder.operations.diff import diff
    from builder.report.diff import DiffPrinter
    from builder.report.progress import show_progress

    printer = DiffPrinter(as_json=as_json, all_rows=all_rows)
    with show_progress() as advance:
        found = diff(folder, a, b, on_row=printer.row if all_rows else None, advance=advance)
    printer.end(found)
