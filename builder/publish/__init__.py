"""The Hub, and nothing else: check a version, publish one, fetch one, load one."""

from builder.publish.fetch import fetch
from builder.publish.guard import check_version
from builder.publish.load import load
from builder.publish.publish import publish
from builder.publish.result import FetchResult, PublishResult

__all__ = ["FetchResult", "PublishResult", "check_version", "fetch", "load", "publish"]
