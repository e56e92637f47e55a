"""The reason codes that the build itself writes into the ledger."""

BUILD_REASONS = {
    "keeper_rejected": (
        "The record was merged into a document that a later stage rejected, so nothing stands for it."
    ),
}
