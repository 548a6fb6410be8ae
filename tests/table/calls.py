"""A small call of every sampler: its arguments after the key. Those of samplers in the table come from their rows."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
from cases import CASES

import keyrng
from keyrng import distributions

CALLS: dict[str, tuple[Any, ...]] = {
    "ball": (2, 2, (3,)),
    "categorical": (np.zeros(4), -1, (3,)),
    "choice": (10, (3,), False),
    "dirichlet": (np.ones(3), (2,)),
    "index_shuffle": (np.arange(5), 10),
    "multinomial": (5, np.array([0.5, 0.5])),
    "multivariate_hypergeometric": (np.array([5, 5]), 4),
    "multivariate_normal": (np.zeros(2), np.eye(2)),
    "orthogonal": (2,),
    "permutation": (10,),
    "sample_without_replacement": (10, (3,)),
    "wishart": (3, np.eye(2)),
}


def _call(name: str, parameters: Any) -> tuple[Any, ...]:
    """Arguments in the order of the signature, up to the last one that is a shape or has no default."""
    arguments = list(signature(getattr(keyrng, name)).parameters.values())[1:]
    needed = [
        i for i, a in enumerate(arguments) if a.name == "shape" or (a.default is a.empty and a.name in parameters)
    ]
    given = {**{a.name: a.default for a in arguments}, **parameters, "shape": (3,)}
    return tuple(given[a.name] for a in arguments[: needed[-1] + 1])


for _case in CASES:
    if (_name := _case.function or _case.name) not in CALLS:
        CALLS[_name] = _call(_name, _case.parameters[0])

_forgotten = sorted(set(distributions.__all__) - set(CALLS))
assert not _forgotten, f"{_forgotten} have no row in the table; add one, or a call here"
