"""Pair the public form of an input's address with the form that is opened."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from builder.domain.addresses import Variables, mask_values, public_address, redact

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CHAIN = re.compile(r"([a-z][a-z0-9_+.-]*)::")


class Address(str):
    """An address whose text is its public form; only ``opened`` contains its secrets.

    Whatever prints, stores or serializes the address as text shows the public form. Two addresses are equal
    if they open the same file.

    >>> str(Address("https://h.example/a.jsonl?token=secret"))
    'https://h.example/a.jsonl'

    Attributes:
        opened: the address with its query string, user information and values of variables.
        variables: the variables whose values ``opened`` contains.
        redirect_hosts: the other hosts that HTTP redirects may lead to; ``*`` for any.
    """

    opened: str
    variables: Variables
    redirect_hosts: tuple[str, ...]

    def __new__(
        cls, opened: str, *, variables: Variables = (), redirect_hosts: tuple[str, ...] = ()
    ) -> Address:
        """Create an address from the form that is opened."""
        self = super().__new__(cls, public_address(mask_values(opened, variables)))
        self.opened, self.variables, self.redirect_hosts = opened, variables, redirect_hosts
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the attributes in a pickle."""
        return _restore, (self.opened, self.variables, self.redirect_hosts)

    def __eq__(self, other: object) -> bool:
        """Compare the forms that are opened."""
        return isinstance(other, str) and self.opened == opened_form(other)

    def __ne__(self, other: object) -> bool:
        """Return whether the other address opens something else."""
        return not self == other

    __hash__ = str.__hash__

    def beside(self, opened: str) -> Address:
        """Return another address that was found by this one; it has the same variables and redirects."""
        return Address(opened, variables=self.variables, redirect_hosts=self.redirect_hosts)

    def redact(self, text: str) -> str:
        """Remove the secrets of this address from a message."""
        return redact(text, address=self.opened, variables=self.variables)


def _restore(opened: str, variables: Variables, redirect_hosts: tuple[str, ...]) -> Address:
    return Address(opened, variables=variables, redirect_hosts=redirect_hosts)


def opened_form(address: str) -> str:
    """Return the form of an address that is opened, with its secrets."""
    return address.opened if isinstance(address, Address) else str(address)


def as_address(address: str, *, redirect_hosts: tuple[str, ...] = ()) -> Address:
    """Return an address with its public form."""
    if isinstance(address, Address) and not redirect_hosts:
        return address
    variables = address.variables if isinstance(address, Address) else ()
    return Address(opened_form(address), variables=variables, redirect_hosts=redirect_hosts)


def is_local(address: str) -> bool:
    """Return whether an address is a path on this machine, with or without the prefix ``file://``.

    A path that exists is local even if it begins like a chain of fsspec (``zip::notes.txt``).
    """
    opened = opened_form(address)
    if opened.startswith("/"):
        return True
    if opened.startswith("file://"):
        return "::" not in opened or Path(local_path(opened)).exists()
    if _SCHEME.match(opened):
        return False
    chain = _CHAIN.match(opened)
    return chain is None or chain[1] not in _protocols() or Path(opened).exists()


def local_path(address: str) -> str:
    """Return the path of a local address."""
    return opened_form(address).removeprefix("file://")


@cache
def _protocols() -> frozenset[str]:
    from fsspec import available_protocols

    return frozenset(available_protocols())
