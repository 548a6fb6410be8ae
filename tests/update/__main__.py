"""Write everything that follows from the file of a sampler and its row in the tests' table.

usage: python tests/update [--check]

With ``--check`` nothing is written: a line says what is missing, and the exit status is 1.
"""

from __future__ import annotations

import importlib
import sys

# In this order: keyrng is first imported after the names are written.
PARTS = ("names", "docstrings", "children", "reference", "pictures", "values")


def main(arguments: list[str]) -> int:
    """Run the parts; return 1 if a check finds something missing."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    for part in PARTS:
        missing = importlib.import_module(part).update(check=bool(arguments))
        for what in missing:
            print(f"{what}; type: python tests/update" if arguments else what)
        if missing and arguments:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
