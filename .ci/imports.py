"""Print statistics of the imports between keyrng's packages, and fail if one exceeds its limit.

usage: python .ci/imports.py (requires grimp, a dependency of import-linter; the layers are contracts in pyproject.toml,
checked by lint-imports)

A unit is a package or module directly under keyrng; distributions._shared is a unit too, and __main__ belongs to _cli.
The statistics are the longest chain of imports, the imports within cycles, and the names with an underscore that a
module imports from another unit.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import grimp  # noqa: E402

LONGEST = 12


def unit(module: str) -> str:
    """Return the unit that a module belongs to."""
    parts = module.split(".")
    if parts[1:] == ["__main__"]:
        return "keyrng._cli"
    if parts[1:3] == ["distributions", "_shared"]:
        return ".".join(parts[:3])
    return ".".join(parts[:2])


def imports() -> dict[str, set[str]]:
    """Return the units that each unit imports; imports for type checkers are excluded."""
    graph = grimp.build_graph("keyrng", exclude_type_checking_imports=True)
    found: dict[str, set[str]] = {unit(module): set() for module in graph.modules}
    for module in graph.modules:
        found[unit(module)] |= {unit(other) for other in graph.find_modules_directly_imported_by(module)} - {
            unit(module)
        }
    return found


def longest_chain(units: dict[str, set[str]]) -> list[str]:
    """Return the longest chain of imports; ValueError for a cycle."""
    active: list[str] = []

    @cache
    def chain(name: str) -> tuple[str, ...]:
        if name in active:
            raise ValueError("import cycle: " + " -> ".join([*active[active.index(name) :], name]))
        active.append(name)
        rest = max((chain(other) for other in sorted(units[name])), key=len, default=())
        active.pop()
        return (name, *rest)

    return list(max((chain(name) for name in sorted(units)), key=len))


def private_names() -> list[str]:
    """Return the names with an underscore that modules import from other units."""
    found = []
    for path in sorted((ROOT / "keyrng").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("keyrng"):
                continue
            for alias in node.names:
                source = f"{node.module}.{alias.name}"
                file = ROOT / source.replace(".", "/")
                private = alias.name.startswith("_") and not alias.name.startswith("__")
                is_module = file.is_dir() or file.with_suffix(".py").is_file()
                if private and not is_module and unit(f"{node.module}.") != unit(module):
                    found.append(f"{module} imports {source}")
    return found


def main() -> int:
    """Print the statistics; return 1 if one exceeds its limit."""
    units = imports()
    try:
        chain = longest_chain(units)
    except ValueError as error:
        print(error)
        return 1
    private = private_names()
    arrows = sum(map(len, units.values()))
    print(f"{len(units)} units, {arrows} imports between them, no cycle")
    print(
        f"longest chain: {len(chain)} of at most {LONGEST}:",
        " -> ".join(name.removeprefix("keyrng.") for name in chain),
    )
    print(f"names with an underscore imported from another unit: {len(private)}", *private, sep="\n  ")
    return int(len(chain) > LONGEST or bool(private))


if __name__ == "__main__":
    sys.exit(main())
