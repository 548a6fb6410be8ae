"""``python -m keyrng``: the main job shown and checked; ``selftest``; ``info``; ``bits``.

Must not be imported.
"""

from __future__ import annotations

import argparse
import sys

from keyrng._cli import demo, info, selftest, stream
from keyrng.debug import end_check_of_run


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; the exit status is 0 only if all that was checked holds."""
    parser = argparse.ArgumentParser(
        prog="python -m keyrng", description="Random numbers by explicit, splittable keys."
    )
    commands = parser.add_subparsers(dest="command", metavar="[selftest | info | bits]")
    commands.add_parser("selftest", help="known answers, digests and laws, on every path of this machine")
    commands.add_parser("info", help="versions, the paths there are, and what to type for those that are missing")
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
