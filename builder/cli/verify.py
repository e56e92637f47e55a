"""``builder verify``: hash all files of a corpus and report what was changed."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("verify", epilog="Example: builder verify out/southern-news@1.0.0")
@click.argument("corpus", metavar="FOLDER[@V]")
@json_option
def verify_command(corpus: str, *, as_json: bool) -> int:
    """Hash all files of a corpus and list those that were changed, are missing, or were added.

    Exit status 4 if a fault is found.
    """
    from builder.operations.verify import verify
    from builder.report.verify import print_verify

    return print_verify(verify(corpus), as_json=as_json)
