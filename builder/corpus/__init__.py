"""The folder of versions; it moves whole files."""

from builder.corpus.folder import Corpus, split_address
from builder.corpus.staging import Staging
from builder.corpus.verify import verify_files

__all__ = ["Corpus", "Staging", "split_address", "verify_files"]
