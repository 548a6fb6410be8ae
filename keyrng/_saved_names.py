"""Modules of 0.1.0 for unpickling: they map old names to objects that have moved or were renamed.

A pickle names a class or function by its module. The modules are created on request, and have only the names in pickles
of keys, generators, lazy arrays, data orders and samplers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# Module and name: the new module, followed by a colon and the new name if it differs.
_MOVED = {
    "keyrng._key": {"Key": "_keys.key", "_restored": "_keys.key:restored"},
    "keyrng.generator": {"Generator": "_generator", "_from_pickle": "_generator:from_pickle"},
    "keyrng.lazy": {"Lazy": "_lazy:LazyArray"},
    "keyrng.order": {"Epochs": "_epochs:ShuffledBatches", "Epoch": "_epochs:EpochBatches"},
    "keyrng.distributions.words": {
        name: f"distributions.{name}" for name in ("bits", "randint", "rademacher", "bernoulli")
    },
    "keyrng.distributions.symmetric": {name: f"distributions.{name}" for name in ("cauchy", "laplace", "logistic")},
    "keyrng.distributions.powers": {name: f"distributions.{name}" for name in ("pareto", "power")},
    "keyrng.distributions.weibull": {name: f"distributions.{name}" for name in ("weibull_min", "rayleigh")},
}

# Functions that left a module which still exists.
_LEFT = {
    "maxwell": ("double_sided_maxwell",),
    "chisquare": ("noncentral_chisquare", "t", "f", "noncentral_f"),
    "gamma": ("loggamma",),
    "multinomial": ("multivariate_hypergeometric",),
    "ball": ("generalized_normal",),
}


class _Modules:
    """Finder and loader of the modules of 0.1.0, used after all other finders."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a module of 0.1.0; None for other modules."""
        return ModuleSpec(name, self) if name in _MOVED else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Use Python's default module creation."""

    def exec_module(self, module: ModuleType) -> None:
        """Define the names that pickles contain."""
        module.__getattr__ = partial(_moved, module.__name__)  # type: ignore[method-assign]


def _moved(module: str, name: str) -> Any:
    place, _, renamed = _MOVED[module].get(name, "").partition(":")
    if not place:
        raise AttributeError(f"module {module!r} of 0.1.0 has no attribute {name!r} that pickles name")
    return getattr(import_module(f"keyrng.{place}"), renamed or name)


def install() -> None:
    """Make names of 0.1.0 importable."""
    sys.meta_path.append(_Modules())
    for module, names in _LEFT.items():
        for name in names:
            function = getattr(sys.modules[f"keyrng.distributions.{name}"], name)
            vars(sys.modules[f"keyrng.distributions.{module}"]).setdefault(name, function)
