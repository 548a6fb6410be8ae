"""Golden values: a digest of the draws of every public function, for each dtype and algorithm.

tests/data/make_values.py writes them to tests/data/values.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case import ALGORITHMS, Case
from cases import CASES
from public_calls import CALLS, leaves

import keyrng

SEED = 20_260_101
COUNT = 1000
FILE = Path(__file__).parents[1] / "data" / "values.json"
VALUES: dict[str, str] = json.loads(FILE.read_text())


def digest(*samples: Any) -> str:
    """A digest of arrays, as little-endian bytes."""
    little = [np.ascontiguousarray(sample) for sample in samples]
    if sys.byteorder == "big":
        little = [array.byteswap() for array in little]
    return blake2b(b"".join(array.tobytes() for array in little), digest_size=8).hexdigest()


def of_case(case: Case, dtype: str, algorithm: str) -> str:
    """The digest of a case: one sample for each set of parameters."""
    key = keyrng.key(SEED, impl=algorithm)
    return digest(*(case(key, (COUNT,), dtype, **parameters) for parameters in case.all_parameters))


def of_call(name: str, algorithm: str) -> str:
    """The digest of a call that is not a case."""
    result = CALLS[name](keyrng.key(SEED, impl=algorithm))
    return digest(*(keyrng.key_data(x) if isinstance(x, keyrng.Key) else x for x in leaves(result)))


def case_values(case: Case, algorithms: Iterable[str] = ALGORITHMS) -> dict[str, Callable[[], str]]:
    """The names of a case's digests, and the functions that compute them."""
    return {f"{case.name} {d} {a}": partial(of_case, case, d, a) for d in case.dtypes for a in algorithms}


def call_values(algorithms: Iterable[str] = ALGORITHMS) -> dict[str, Callable[[], str]]:
    """The same for the calls that are not cases."""
    return {f"{name} {algorithm}": partial(of_call, name, algorithm) for name in CALLS for algorithm in algorithms}


def values() -> dict[str, Callable[[], str]]:
    """The names of all digests, and the functions that compute them."""
    return {name: make for part in (*map(case_values, CASES), call_values()) for name, make in part.items()}


def compare(found: dict[str, str], where: str) -> None:
    """Fail if a digest differs from the golden one."""
    changed = [f"{name}: {now}, was {VALUES.get(name)}" for name, now in found.items() if now != VALUES.get(name)]
    if changed:
        lines = [f"{len(changed)} golden values differ on {where}:", *changed[:10]]
        lines.append("New: python tests/data/make_values.py. Changed on purpose: that script's docstring says how.")
        pytest.fail("\n".join(lines), pytrace=False)
