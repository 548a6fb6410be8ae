"""Write values.json: a digest of what every sampler gives, for every dtype, algorithm and set of parameters.

usage: python tests/data/make_values.py

Values are API. Run this only when a change of values is meant, and say so under *Values* in CHANGELOG.md; new rows for
a new sampler change no other line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import numpy as np  # noqa: E402
from cases import ALGORITHMS, CASES, Case  # noqa: E402

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


def digest(sample: np.ndarray[Any, Any]) -> str:
    """The first three values, as little-endian bytes, and a digest of all."""
    little = np.ascontiguousarray(sample)
    if sys.byteorder == "big":
        little = little.byteswap()
    data = little.tobytes()
    first = [data[i : i + sample.itemsize].hex() for i in range(0, 3 * sample.itemsize, sample.itemsize)]
    return " ".join([*first, blake2b(data, digest_size=8).hexdigest()])


def value(case: Case, dtype: str, algorithm: str, parameters: dict[str, Any]) -> str:
    return digest(case(keyrng.key(SEED, impl=algorithm), (COUNT,), dtype, **parameters))


if __name__ == "__main__":
    made = {name: value(*how) for name, *how in rows()}
    (HERE / "values.json").write_text(json.dumps(made, indent=0) + "\n")
    print(len(made), "values")
