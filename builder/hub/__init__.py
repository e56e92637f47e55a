"""The Hugging Face Hub, and nothing else: check, publish, fetch and load a version."""

from builder.hub.fetch import fetch
from builder.hub.guard import check_version
from builder.hub.load import load
from builder.hub.publish import publish
from builder.hub.result import FetchResult, PublishResult

__all__ = ["FetchResult", "PublishResult", "check_version", "fetch", "load", "publish"]
