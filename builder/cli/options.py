"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

MIN_WORKER_BYTES = 256 * 10**6
"""Least memory of all workers together: a worker with its libraries and one batch takes about this much."""

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}


class Size(click.ParamType[int]):
    """A size in bytes, with an optional unit.

    Args:
        least: the smallest size that makes sense.
    """

    name = "SIZE"

    def __init__(self, *, least: int = 0) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read ``2GB``, ``512 MiB`` or plain bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", value)
        if not match or match[2].lower() not in _UNITS:
            self.fail(f"{value!r} is not a size; write for example 2GB, 512MiB or 1000000", param, ctx)
        size = int(float(match[1]) * _UNITS[match[2].lower()])
        if size < self._least:
            meant = f"did you mean {match[1]}GB?" if not match[2] else f"use {self._least // 10**6}MB or more"
            self.fail(f"{value!r} is too little memory; {meant}", param, ctx)
        return size


class VersionNumber(click.ParamType[str]):
    """A version number."""

    name = "X.Y.Z"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read ``1.4.0``."""
        if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", value, re.ASCII):
            advice = _known_version(value, ctx) or "write for example 1.4.0"
            self.fail(f"{value!r} is not a version number; {advice}", param, ctx)
        return str(value)


def _known_version(value: str, ctx: click.Context | None) -> str:
    """Suggest a version of the corpus that the command names; empty without a suggestion."""
    folder = ctx.params.get("folder") if ctx else None
    if not isinstance(folder, str):
        return ""
    from builder.corpus.address import version_near

    return version_near(Path(folder), value)


class Share(click.ParamType[float]):
    """A share between 0 and 1, or a percentage."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read ``0.05`` or ``5%``."""
        if isinstance(value, float):
            return value
        try:
            share = float(value[:-1]) / 100 if value.endswith("%") else float(value)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            is_percent = 1 < share <= 100 and not value.endswith("%")
            example = f"{share / 100:g} or {share:g}%" if is_percent else "0.05 or 5%"
            self.fail(f"{value!r} is not a share between 0 and 1; write for example {example}", param, ctx)
        return share


settings_option = click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override one value of the recipe, such as stages.dedup_near.threshold=0.7. Repeatable.",
)
schemas_option = click.option(
    "--schemas",
    type=click.Path(file_okay=False),
    multiple=True,
    help="Additional folder in which references of the contract are resolved. Repeat to add more.",
)
allow_code_option = click.option(
    "--allow-code",
    is_flag=True,
    help="Allow a recipe that calls functions of its author. Read them first: they run as you.",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1), help="Number of worker processes. Default: one for each core."
)
max_memory_option = click.option(
    "--max-memory",
    type=Size(least=MIN_WORKER_BYTES),
    help="Memory limit of all workers together, such as 2GB. Default: 60 % of the machine's memory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
