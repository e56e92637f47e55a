"""``plugin check``: the laws of stages, and rows to try them on."""

from builder.operations.plugin.check import LawVerdict, PluginCheck, check_plugin

__all__ = ["LawVerdict", "PluginCheck", "check_plugin"]
