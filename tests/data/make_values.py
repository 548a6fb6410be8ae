"""Write values.json: a digest of what every sampler gives, for every dtype, algorithm and set of parameters, and of
what else is public and draws (public_calls.py).

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
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import numpy as np  # noqa: E402
from cases import ALGORITHMS, CASES, Case  # noqa: E402
from public_calls import CALLS, leaves  # noqa: E402

import keyrng  # noqa: E402

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


if __name__ == "__main__":
    made = {name: make() for name, make in values()}
    (HERE / "values.json").write_text(json.dumps(made, indent=0) + "\n")
    print(len(made), "values")
