"""The reason codes that the build itself writes to the ledger."""

BUILD_REASONS = {
    "keeper_rejected": (
        "The record was merged into a document that a later stage rejected, so no document represents it."
    ),
    "taken_down": "The page, or the page that it was merged into, was taken down. `message` has the reason.",
    "tombstone": "The page has a URL, a domain or a text that was taken down before, or nearly the same text.",
    "source_gone": "The input with the page no longer exists, and the build ran with `--prune`.",
}
