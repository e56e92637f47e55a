"""``builder verify``: hash everything again and compare."""

from __future__ import annotations

import click

from builder.cli.options import json_option


@click.command("verify", epilog="Example: builder verify out/southern-news@1.0.0")
@click.argument("corpus", metavar="FOLDER[@V]")
@json_option
def verify_command(corpus: str, *, as_json: bool) -> int:
    """Hash everything in a corpus again and name what was changed, is missing, or was added.

    Exit status 4 if there is a fault.
    """
    from builder.operations.verify import verify
    from builder.report.verify import print_verify

    return print_verify(verify(corpus), as_json=as_json)
