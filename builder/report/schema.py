"""Print the schemas that come with the package."""

from __future__ import annotations

from builder.assets import schemas_folder
from builder.errors import BuilderError, Fault
from builder.registry import nearest
from builder.report.json_text import print_json
from builder.report.printer import print_lines, print_text

_SUFFIX = ".schema.json"


def print_schema(name: str) -> None:
    """Print one schema.

    Raises:
        BuilderError: if no schema has this name.
    """
    path = schemas_folder() / (name + _SUFFIX)
    if not path.is_file():
        raise BuilderError(Fault(where=name, what="no such schema", advice=nearest(name, schema_names())))
    print_text(path.read_text(encoding="utf-8"))


def print_schema_names(*, as_json: bool) -> None:
    """Print the names of all schemas."""
    if as_json:
        print_json({"schemas": schema_names()})
    else:
        print_lines(schema_names())


def schema_names() -> list[str]:
    """Return the names of all schemas."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in schemas_folder().glob("*" + _SUFFIX))
