"""Keep the values of a recipe's variables, and the secrets of its addresses, out of documents and errors."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from builder.domain.addresses import mask_values, public_address, redact_urls
from builder.errors import BuilderError, Fault
from builder.recipe.text import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from builder.domain.addresses import Variables

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+|[a-z][a-z0-9_+.-]*::\S+")


def used_variables(value: Any) -> Variables:
    """Return the variables that a value of a recipe names, with their values in the environment."""
    names = sorted(set(_names(value)))
    return tuple((name, os.environ[name]) for name in names if os.environ.get(name))


def public_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe as written, without the query strings and user information of its addresses.

    Only the paths of sources and the options of stages have addresses. A title or a description may quote a
    URL with its query.
    """
    public = dict(document)
    public["sources"] = [_public_source(entry) for entry in document["sources"]]
    if "stages" in document:
        public["stages"] = public_addresses(document["stages"])
    return public


@contextmanager
def hidden_variables(variables: Variables) -> Iterator[None]:
    """Replace the values of variables in every error by their names."""
    with _edited_faults(lambda text: mask_values(text, variables)):
        yield


@contextmanager
def redacted_urls() -> Iterator[None]:
    """Remove the query strings and user information of URLs from every error."""
    with _edited_faults(redact_urls):
        yield


@contextmanager
def _edited_faults(edit: Callable[[str], str]) -> Iterator[None]:
    try:
        yield
    except BuilderError as error:
        faults = [
            Fault(where=edit(str(one.where)), what=edit(str(one.what)), advice=edit(str(one.advice)))
            for one in error.faults
        ]
        if faults == list(error.faults):
            raise
        edited = type(error)(*faults)
        edited.__dict__.update({name: one for name, one in vars(error).items() if name != "faults"})
        raise edited from None


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from VARIABLE.findall(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _public_source(entry: Any) -> Any:
    ((kind, options),) = entry.items()
    if not isinstance(options, dict) or not isinstance(options.get("path"), str):
        return entry
    return {kind: {**options, "path": public_addresses(options["path"])}}


def public_addresses(value: Any) -> Any:
    """Return a value without the query strings and user information of the addresses in it."""
    if isinstance(value, dict):
        return {key: public_addresses(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [public_addresses(inner) for inner in value]
    return public_address(value) if isinstance(value, str) and _ADDRESS.fullmatch(value) else value
