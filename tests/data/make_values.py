"""Add golden values to values.json, and to the table of ``python -m keyrng selftest``.

usage: python tests/data/make_values.py [NAME ...]

Only missing values are computed. To replace or remove others, add a row under *Values* in CHANGELOG.md that names the
function, and give their NAME: "gamma" selects all values of gamma, "gamma float32" those of one dtype.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "table"), str(HERE.parents[1])]

from golden import ALGORITHMS, CASES, COUNT, FILE, SEED, digest, values  # noqa: E402
from public_calls import PLAIN_CALLS  # noqa: E402

import keyrng  # noqa: E402
from keyrng._cli.selftest import TABLE, sample  # noqa: E402

CHANGELOG = HERE.parents[1] / "CHANGELOG.md"
SELFTEST = Path(str(TABLE))

Row = dict[str, Any]


def update(names: Sequence[str] = ()) -> list[str]:
    """Compute what is missing or named, write both files, and return the names of the entries that changed.

    ValueError if a function whose values change or go is not under *Values* in CHANGELOG.md.
    """
    old = stored()
    makers = {**values(), **selftest_values()}
    new = {name: old[name] if name in old and not _named(name, names) else make() for name, make in makers.items()}
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    _refuse([name for name in changed if name in old], names)
    FILE.write_text(json.dumps({name: new[name] for name in values()}, indent=0) + "\n")
    SELFTEST.write_text("{" + ",\n".join(f'"{k}": {_lines(v)}' for k, v in selftest_table(new).items()) + "}\n")
    return changed


def stored() -> dict[str, str]:
    """The values in both files."""
    found: dict[str, str] = json.loads(FILE.read_text())
    for row in json.loads(SELFTEST.read_text())["rows"]:
        found.update(zip(map(partial(_label, row), row["dtypes"]), row["digests"], strict=True))
    return found


def missing() -> list[str]:
    """The names of the values that `update` would add."""
    old = stored()
    return [name for name in (*values(), *selftest_values()) if name not in old]


def selftest_values() -> dict[str, Callable[[], str]]:
    """As `golden.values`, for the table of the selftest: the digests of all algorithms, in one line."""
    return {_label(row, dtype): partial(_digests, row, dtype) for row in _rows() for dtype in row["dtypes"]}


def selftest_table(found: Mapping[str, str]) -> dict[str, Any]:
    """The table of ``python -m keyrng selftest``: published known answers, and one row for each sampler."""
    rows = [{**row, "digests": [found[_label(row, dtype)] for dtype in row["dtypes"]]} for row in _rows()]
    answers = []
    lines = map(str.split, (HERE / "known-answers.txt").read_text().splitlines())
    for name, _, *words in (line for line in lines if line and line[0] in ALGORITHMS):
        n, k = keyrng.algorithms.get(name).block_words, keyrng.algorithms.get(name).key_words
        answers.append([name, words[:n], words[n : n + k], words[n + k :]])
    return {"seed": SEED, "algorithms": list(ALGORITHMS), "answers": answers, "rows": rows}


def _rows() -> list[Row]:
    """The rows of the selftest without digests: one dtype for each width of the computation."""
    rows: list[Row] = []
    for case in CASES:
        widths = [d for d in case.dtypes if d in ("int32", "int64", "float32", "float64")]
        rows.append(
            {
                "name": case.name,
                "call": case.function or case.name,
                "with": {**case.fixed, **case.parameters[0]},
                "shape": [COUNT],
                "dtypes": widths or [{"bool": ""}.get(d, d) for d in case.dtypes if d in ("uint32", "uint64", "bool")],
                "elements": True,
                "prefix": not case.not_prefix,
            }
        )
    for name, arguments, shape in PLAIN_CALLS:
        row = {"name": name, "call": name.partition(" ")[0], "with": arguments, "shape": shape, "dtypes": [""]}
        rows.append({**row, "elements": False, "prefix": False})
    return rows


def _label(row: Row, dtype: str) -> str:
    return " ".join(filter(None, (row["name"], dtype, "(selftest)")))


def _digests(row: Row, dtype: str) -> str:
    return " ".join(digest(sample(row, keyrng.key(SEED, impl=name), row["shape"], dtype)) for name in ALGORITHMS)


def _named(entry: str, names: Sequence[str]) -> bool:
    return any(f"{entry} ".startswith(f"{name} ") for name in names)


def _refuse(changed: list[str], names: Sequence[str]) -> None:
    """ValueError for the first entry that may not change."""
    section = CHANGELOG.read_text("utf-8").partition("### Values")[2].partition("\n#")[0]
    for entry in changed:
        function = entry.partition(" ")[0]
        if not _named(entry, names):
            raise ValueError(f"{entry!r} is no longer in the tables; to remove it, type: make_values.py {function}")
        if f"`{function}`" not in section:
            raise ValueError(f"{entry!r} changed: CHANGELOG.md needs a row under Values that names `{function}`")


def _lines(part: Any) -> str:
    """JSON, a line for each row of a table."""
    return "[\n" + ",\n".join(map(json.dumps, part)) + "\n]" if isinstance(part, list) else json.dumps(part)


if __name__ == "__main__":
    try:
        print(*(update(sys.argv[1:]) or ["nothing is missing"]), sep="\n")
    except ValueError as error:
        sys.exit(str(error))
