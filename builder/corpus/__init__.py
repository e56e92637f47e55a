"""The corpus folder: versions, seals, locks and commits. This package moves whole files and reads no rows."""

from builder.corpus.address import split_address
from builder.corpus.folder import Corpus
from builder.corpus.names import FETCHED
from builder.corpus.purge import FreshShard, VersionPurge, purge_rows
from builder.corpus.purged import Purged
from builder.corpus.staging import Staging
from builder.corpus.sweep import Garbage, sweep
from builder.corpus.verify import verify_files
from builder.corpus.withdraw import Freed, drop_version, mark

__all__ = [
    "FETCHED",
    "Corpus",
    "Freed",
    "FreshShard",
    "Garbage",
    "Purged",
    "Staging",
    "VersionPurge",
    "drop_version",
    "mark",
    "purge_rows",
    "split_address",
    "sweep",
    "verify_files",
]
