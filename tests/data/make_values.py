"""Write values.json: a digest of what every sampler gives, for every dtype, algorithm and set of parameters, and of
what else is public and draws (public_calls.py); and from these the table of ``python -m keyrng selftest``.

usage: python tests/data/make_values.py

Values are API. Run this only when a change of values is meant, and say so under *Values* in CHANGELOG.md; new rows for
a new sampler change no other line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "table"), str(HERE.parents[1])]

import numpy as np  # noqa: E402
from cases import ALGORITHMS, CASES, Case  # noqa: E402
from public_calls import CALLS, PLAIN_CALLS, leaves  # noqa: E402

import keyrng  # noqa: E402
from keyrng._cli.selftest import TABLE, sample  # noqa: E402

SEED = 20_260_101
COUNT = 1000


def rows() -> Iterator[tuple[str, Case, str, str, dict[str, Any]]]:
    """The name of each value, and how it is made."""
    for case in CASES:
        for parameters in case.all_parameters:
            text = " ".join(f"{name}={value:g}" for name, value in parameters.items())
            for dtype in case.dtypes:
                for algorithm in ALGORITHMS:
                    yield (
                        " ".join([case.name, *([text] if text else []), dtype, algorithm]),
                        case,
                        dtype,
                        algorithm,
                        dict(parameters),
                    )


def digest(*samples: Any) -> str:
    """The first three values, as little-endian bytes, and a digest of all."""
    little = [np.ascontiguousarray(sample) for sample in samples]
    if sys.byteorder == "big":
        little = [array.byteswap() for array in little]
    data, size = little[0].tobytes(), little[0].itemsize
    first = [data[i : i + size].hex() for i in range(0, min(3 * size, len(data)), size)]
    return " ".join([*first, blake2b(b"".join(array.tobytes() for array in little), digest_size=8).hexdigest()])


def value(case: Case, dtype: str, algorithm: str, parameters: dict[str, Any]) -> str:
    return digest(case(keyrng.key(SEED, impl=algorithm), (COUNT,), dtype, **parameters))


def call_value(name: str, algorithm: str) -> str:
    made = CALLS[name](keyrng.key(SEED, impl=algorithm))
    return digest(*(keyrng.key_data(x) if isinstance(x, keyrng.Key) else x for x in leaves(made)))


def values(algorithms: tuple[str, ...] = ALGORITHMS) -> Iterator[tuple[str, Callable[[], str]]]:
    """The name of each value, and what makes its digest."""
    for name, *how in rows():
        if how[2] in algorithms:
            yield name, partial(value, *how)
    for name in CALLS:
        for algorithm in algorithms:
            yield f"{name} {algorithm}", partial(call_value, name, algorithm)


def selftest(made: dict[str, str]) -> dict[str, Any]:
    """What ``python -m keyrng selftest`` compares: known answers, and of the digests one for each sampler and width."""
    table: list[dict[str, Any]] = []
    for case in CASES:
        parameters = dict(case.parameters[0])
        text = " ".join([case.name, *(f"{name}={value:g}" for name, value in parameters.items())])
        widths = [d for d in case.dtypes if d in ("int32", "int64", "float32", "float64")]
        dtypes = widths or [d for d in case.dtypes if d in ("uint32", "uint64", "bool")]
        table.append(
            {
                "name": case.name,
                "call": case.function or case.name,
                "with": {**case.fixed, **parameters},
                "shape": [COUNT],
                "dtypes": ["" if dtype == "bool" else dtype for dtype in dtypes],
                "elements": True,
                "prefix": not case.not_prefix,
                "digests": [" ".join(made[f"{text} {d} {a}"].split()[-1] for a in ALGORITHMS) for d in dtypes],
            }
        )
    for name, arguments, shape in PLAIN_CALLS:
        row = {"name": name, "call": name.partition(" ")[0], "with": arguments, "shape": shape, "dtypes": [""]}
        keys = (keyrng.key(SEED, impl=algorithm) for algorithm in ALGORITHMS)
        digests = " ".join(digest(sample(row, key, shape, "")).split()[-1] for key in keys)
        table.append({**row, "elements": False, "prefix": False, "digests": [digests]})
    rows = (line.split() for line in (HERE / "known-answers.txt").read_text().splitlines())
    answers = []
    for name, _, *words in (row for row in rows if row and row[0] in ALGORITHMS):
        n, k = keyrng.algorithms.get(name).block_words, keyrng.algorithms.get(name).key_words
        answers.append([name, words[:n], words[n : n + k], words[n + k :]])
    return {"seed": SEED, "algorithms": list(ALGORITHMS), "answers": answers, "rows": table}


def _lines(part: Any) -> str:
    """JSON, a line for each row of a table."""
    return "[\n" + ",\n".join(map(json.dumps, part)) + "\n]" if isinstance(part, list) else json.dumps(part)


if __name__ == "__main__":
    made = {name: make() for name, make in values()}
    (HERE / "values.json").write_text(json.dumps(made, indent=0) + "\n")
    table = selftest(made)
    Path(str(TABLE)).write_text("{" + ",\n".join(f'"{name}": {_lines(part)}' for name, part in table.items()) + "}\n")
    print(len(made), "values")
