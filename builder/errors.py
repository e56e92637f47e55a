"""The tree of errors. Do not add one without drawing it here.

    BuilderError            said to a person in lines: what is wrong, where, what to do; exit status 1
    ├── RecipeError         the recipe, or what it points at, cannot be built from
    ├── ContractError       a schema is not one, cannot be resolved, or has no Arrow mapping
    ├── SourceError         an input that was there is out of reach for good
    ├── CorpusError         the corpus folder is not what it should be
    │   ├── VersionError    a version is missing, taken, or numbered too low
    │   ├── LockedError     another builder works on this corpus
    │   └── TamperedError   bytes on disk are not those that were sealed
    ├── AccountError        the ledger's sums do not match what the readers counted
    ├── NothingKeptError    a build that would publish no row
    ├── TooManyRejectedError  more rejected or failed than --max-rejected allows; exit status 3
    └── HubError            the Hub is out of reach, refuses, or does not have what was asked for
        └── PublishError    a version is not fit to be published, or the Hub holds something else

Bad data is none of these: it is a row of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, where it stands, and what to do about it.

    >>> print(Fault(where="stages[2].dedup_near.treshold", what="unknown key", advice="threshold?"))
    stages[2].dedup_near.treshold: unknown key (threshold?)
    """

    where: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" ({self.advice})" if self.advice else "")


class BuilderError(Exception):
    """Anything that a person can mend; carries every fault that was found, not the first only.

    >>> str(BuilderError("no such folder: pages/"))
    'no such folder: pages/'
    """

    exit_status = 1

    def __init__(self, *faults: Fault | str) -> None:
        self.faults = tuple(Fault(where="", what=f) if isinstance(f, str) else f for f in faults)
        super().__init__(*self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class RecipeError(BuilderError):
    """The recipe, or what it points at, cannot be built from."""


class ContractError(BuilderError):
    """A schema is not one, cannot be resolved, or has no Arrow mapping."""


class SourceError(BuilderError):
    """An input that was there when the build began is out of reach for good."""


class CorpusError(BuilderError):
    """The corpus folder is not what it should be."""


class VersionError(CorpusError):
    """A version is missing, taken already, or numbered lower than its content asks for."""


class LockedError(CorpusError):
    """Another builder works on this corpus."""


class TamperedError(CorpusError):
    """Bytes on disk are not those that were sealed."""


class AccountError(BuilderError):
    """The ledger's sums do not match what the readers counted: a bug, never bad data."""


class NothingKeptError(BuilderError):
    """A build that would publish no row writes no version."""


class TooManyRejectedError(BuilderError):
    """More records were rejected or failed than ``--max-rejected`` allows."""

    exit_status = 3


class HubError(BuilderError):
    """The Hub is out of reach, refuses, or does not have what was asked for."""


class PublishError(HubError):
    """A version is not fit to be published, or the Hub holds something else than was sent."""
