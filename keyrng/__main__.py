"""``python -m keyrng``: a demo with checks, and the subcommands ``selftest``, ``info`` and ``bits``."""

from __future__ import annotations

import argparse
import sys

from keyrng._cli import demo, info, selftest, stream
from keyrng.debug import end_check_of_run


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; return 0 if all checks pass."""
    parser = argparse.ArgumentParser(
        prog="python -m keyrng", description="Random numbers from explicit, splittable keys."
    )
    commands = parser.add_subparsers(dest="command", metavar="[selftest | info | bits]")
    commands.add_parser("selftest", help="known answers, digests and laws, on every path of this machine")
    commands.add_parser("info", help="versions and executors, and how to install missing ones")
    bits = commands.add_parser("bits", help="raw little-endian words on standard output, for statistical test programs")
    stream.add_arguments(bits)
    given = parser.parse_args(arguments)
    if given.command == "selftest":
        return selftest.run()
    if given.command == "info":
        return info.run()
    if given.command == "bits":
        return stream.run(given)
    return demo.run()


if __name__ == "__main__":
    end_check_of_run()
    sys.exit(main())
