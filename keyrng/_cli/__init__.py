"""The subcommands of ``python -m keyrng``."""
