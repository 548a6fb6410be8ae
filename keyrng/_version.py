"""The version, in one place; read by the build without importing anything.

Must not import anything.
"""

__version__ = "0.1.0"
