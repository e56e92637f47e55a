"""The reason codes that the build itself writes into the ledger."""

BUILD_REASONS = {
    "keeper_rejected": (
        "The record was merged into a document that a later stage rejected, so nothing stands for it."
    ),
    "taken_down": "The page was taken down, or merged into one that was; `message` has the reason given.",
    "tombstone": "The page, its domain, its text, or one nearly the same was taken down before it came.",
    "source_gone": "The input that the page came from is no longer there, and the build was to --prune.",
}
