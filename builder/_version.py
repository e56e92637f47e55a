"""The version number of this package. No other file contains it."""

__version__ = "0.1.0"
