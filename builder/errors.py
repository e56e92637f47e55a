"""The tree of errors. Draw every new error here.

    BuilderError            printed as lines that say what is wrong, where, and what to do; exit status 1
    ├── RecipeError         the recipe, or something it names, cannot be used for a build
    ├── ContractError       a schema is invalid, cannot be resolved, or does not map to Arrow
    ├── SourceError         an input that existed at the start cannot be read any more
    ├── CorpusError         the corpus folder is not in the expected state
    │   ├── VersionError    a version is missing, exists already, or has too low a number
    │   ├── LockedError     another builder is writing to this corpus
    │   └── TamperedError   bytes on disk differ from those that were sealed
    ├── WorkerDiedError     worker processes died again and again, and no page is to blame
    ├── AccountError        the ledger's sums differ from what the readers counted
    ├── NothingKeptError    the build would publish no row
    ├── TooManyRejectedError  more records were rejected or failed than --max-rejected allows; exit status 3
    ├── TooManyNulledError  more cells of a column were made null than --max-nulled allows; exit status 3
    └── HubError            the Hub cannot be reached, refuses a request, or lacks what was requested
        └── PublishError    a version is not fit to be published, or the Hub holds other content

Bad data is not an error: it becomes a row of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, where it is, and what to do about it.

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
    """An error that a person can fix. It carries every fault that was found, not only the first.

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
    """The recipe, or something it names, cannot be used for a build."""


class ContractError(BuilderError):
    """A schema is invalid, cannot be resolved, or does not map to Arrow."""


class SourceError(BuilderError):
    """An input that existed when the build started cannot be read any more."""


class CorpusError(BuilderError):
    """The corpus folder is not in the expected state."""


class VersionError(CorpusError):
    """A version is missing, exists already, or has a lower number than its changes require."""


class LockedError(CorpusError):
    """Another builder is writing to this corpus."""


class TamperedError(CorpusError):
    """Bytes on disk differ from those that were sealed."""


class WorkerDiedError(BuilderError):
    """Worker processes died again and again, and no page is to blame."""


class AccountError(BuilderError):
    """The ledger's sums differ from what the readers counted. This is a bug, never bad data."""


class NothingKeptError(BuilderError):
    """The build would publish no row, so it writes no version.

    ``result`` has the counts of a stopped build (``BuildResult``); it is None for a takedown.
    """

    result: object = None


class TooManyRejectedError(BuilderError):
    """More records were rejected or failed than ``--max-rejected`` allows.

    ``result`` has the counts of the stopped build (``BuildResult``).
    """

    exit_status = 3
    result: object = None


class TooManyNulledError(BuilderError):
    """More cells of a column were made null than ``--max-nulled`` allows.

    ``result`` has the counts of the stopped build (``BuildResult``).
    """

    exit_status = 3
    result: object = None


class HubError(BuilderError):
    """The Hub cannot be reached, refuses a request, or lacks what was requested."""


class PublishError(HubError):
    """A version is not fit to be published, or the Hub holds other content than was uploaded."""
