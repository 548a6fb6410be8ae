"""The version; the build reads it from this file without importing keyrng."""

__version__ = "0.2.0.dev0"
