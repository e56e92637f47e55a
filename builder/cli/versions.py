"""``builder versions``: list the versions of a corpus."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("versions", epilog="Example: builder versions out/southern-news")
@click.argument("folder", type=click.Path(file_okay=False))
@json_option
def versions_command(folder: str, *, as_json: bool) -> None:
    """List the versions of the corpus in FOLDER, newest first."""
    from builder.corpus import Corpus
    from builder.report.versions import print_versions

    print_versions(Corpus(folder), as_json=as_json)
