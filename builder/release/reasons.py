"""The reason codes that the build itself writes to the ledger."""

BUILD_REASONS = {
    "keeper_rejected": (
        "The record was merged into a document that a later stage rejected, so no document represents it."
    ),
    "taken_down": "The page, or the page that it was merged into, was taken down. `message` has the reason.",
    "tombstone": "The URL, the domain or the text of the page, or nearly its text, was taken down before.",
    "source_gone": "The input with the page no longer exists, and the build ran with `--prune`.",
}
