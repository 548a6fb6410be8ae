"""The subcommands of ``python -m keyrng``.

Must not be imported by anything but ``python -m keyrng``.
"""
