"""Imports point down the layers, and `import keyrng` brings in nothing that it does not need."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keyrng

PACKAGE = Path(keyrng.__file__).parent

# A module imports only modules of keyrng that stand before it.
ORDER = (
    # what was given, and words for errors
    "keyrng._numbers",
    "keyrng._given",
    "keyrng._migration",
    # the kernel language
    "keyrng.kernels.symbols",
    "keyrng.kernels.ops",
    "keyrng.kernels.elementary",
    "keyrng.kernels.erfinv",
    "keyrng.kernels.atan",
    "keyrng.kernels.special",
    "keyrng.kernels.bits",
    "keyrng.kernels.lane",
    "keyrng.kernels",
    # the generators
    "keyrng.algorithms.base",
    "keyrng.algorithms.threefry",
    "keyrng.algorithms.philox",
    "keyrng.algorithms",
    # the printers, for builds and tests
    "keyrng.kernels.program",
    "keyrng.kernels.cprint",
    "keyrng.kernels.native",
    "keyrng.kernels.cuda_prelude",
    "keyrng.kernels.cuda_words",
    "keyrng.kernels.cuda",
    # the executors, which never see a Key
    "keyrng.backends",
    "keyrng.backends.mode",
    "keyrng.backends.threads",
    "keyrng.backends.compiled",
    "keyrng.backends.tally",
    "keyrng.backends.packed",
    "keyrng.backends.gpu",
    "keyrng.backends.cuda",
    "keyrng.backends.device",
    "keyrng.backends.memory",
    "keyrng.backends.derive",
    "keyrng.backends.numpy",
    # keys
    "keyrng._serialize",
    "keyrng._seed",
    "keyrng._key",
    "keyrng._together",
    "keyrng.keys",
    # samples
    "keyrng.dtypes",
    "keyrng.formats",
    "keyrng.parameters",
    "keyrng.shapes",
    "keyrng.plan",
    "keyrng.sampling",
    "keyrng.distributions.words",
    "keyrng.distributions.bernoulli",
    "keyrng.distributions.uniform",
    "keyrng.distributions.angles",
    "keyrng.distributions.vonmises",
    "keyrng.distributions.zipf",
    "keyrng.distributions.logseries",
    "keyrng.distributions.normal",
    "keyrng.distributions.truncated_normal",
    "keyrng.distributions.exponential",
    "keyrng.distributions.maxwell",
    "keyrng.distributions.gamma",
    "keyrng.distributions.unimodal",
    "keyrng.distributions.poisson",
    "keyrng.distributions.chisquare",
    "keyrng.distributions.beta",
    "keyrng.distributions.binomial",
    "keyrng.distributions.negative_binomial",
    "keyrng.distributions.hypergeometric",
    "keyrng.distributions.rows",
    "keyrng.distributions.dirichlet",
    "keyrng.distributions.ball",
    "keyrng.distributions.multinomial",
    "keyrng.distributions.symmetric",
    "keyrng.distributions.gumbel",
    "keyrng.distributions.weibull",
    "keyrng.distributions.powers",
    "keyrng.distributions.triangular",
    "keyrng.distributions.lognormal",
    "keyrng.distributions.wald",
    "keyrng.distributions.geometric",
    "keyrng.distributions.index_shuffle",
    "keyrng.distributions.covariance",
    "keyrng.distributions.multivariate_normal",
    "keyrng.distributions.orthogonal",
    "keyrng.distributions.wishart",
    "keyrng.distributions.population",
    "keyrng.distributions.device_order",
    "keyrng.distributions.permutation",
    "keyrng.distributions.device_race",
    "keyrng.distributions.race",
    "keyrng.distributions.categorical",
    "keyrng.distributions.device_weights",
    "keyrng.distributions.weights",
    "keyrng.distributions.choice",
    "keyrng.distributions",
    # what stands on samplers
    "keyrng.dropout",
    "keyrng.trees",
    "keyrng.initializers.base",
    "keyrng.initializers.fixed",
    "keyrng.initializers.plain",
    "keyrng.initializers.scaling",
    "keyrng.initializers.named",
    "keyrng.initializers.orthogonal",
    "keyrng.initializers.weights",
    "keyrng.initializers",
    "keyrng._pickles",
    "keyrng.generator",
    "keyrng.debug",
    # what samples are for
    "keyrng.indexing",
    "keyrng.lazy",
    "keyrng.order",
    # the face
    "keyrng._version",
    "keyrng",
    "keyrng.testing",
    "keyrng.interop",
    "keyrng.interop.dask",
    "keyrng.interop.xarray",
    "keyrng.interop.torch_data",
    "keyrng.interop._stream",
    "keyrng.interop.numpy",
    "keyrng.interop.torch",
    "keyrng.interop.jax",
    "keyrng.cli",
    "keyrng.cli.demo",
    "keyrng.cli.info",
    "keyrng.cli.feeds",
    "keyrng.cli.selftest",
    "keyrng.cli.stream",
    "keyrng.__main__",
)

# What the build, the tests and GPUs need: on a CPU nothing is printed or compiled when keyrng is used.
PRINTERS = (
    "keyrng.kernels.program",
    "keyrng.kernels.cprint",
    "keyrng.kernels.native",
    "keyrng.kernels.cuda_prelude",
    "keyrng.kernels.cuda_words",
    "keyrng.kernels.cuda",
)


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str) -> set[str]:
    """The modules of keyrng that a module names in its imports, wherever they stand in it."""
    found = set()
    for node in ast.walk(ast.parse(SOURCES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in SOURCES else str(node.module))
    return {name for name in found if name.partition(".")[0] == "keyrng" and name in SOURCES}


def test_every_module_has_its_place():
    assert sorted(set(SOURCES) - set(ORDER)) == []
    assert sorted(set(ORDER) - set(SOURCES)) == []
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_imports_point_down(module):
    below = ORDER[: ORDER.index(module)]

    assert sorted(imports(module) - set(below)) == []


@pytest.mark.parametrize("module", SOURCES)
def test_every_module_says_what_it_must_not_import(module):
    text = ast.get_docstring(ast.parse(SOURCES[module].read_text())) or ""

    assert re.search("ust not (import|be imported)", " ".join(text.split()))


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_only_printers_import_printers(module):
    if module not in (*PRINTERS, "keyrng.backends.cuda"):
        assert sorted(imports(module) & set(PRINTERS)) == []


@pytest.mark.parametrize("module", sorted(m for m in SOURCES if m.startswith("keyrng.algorithms.")))
def test_algorithms_use_the_named_operations_only(module):
    others = {name for name in imports(module) if not name.startswith("keyrng.algorithms.")} - {"keyrng._given"}

    assert others == ({"keyrng.kernels.ops"} if module != "keyrng.algorithms" else set())


# What is there after `import numpy` stays out of it: what numpy brings is numpy's affair.
SCRIPT = """
import sys
import numpy
before = set(sys.modules)
import keyrng
print(*sorted(set(sys.modules) - before), sep="\\n")
"""


@pytest.fixture(scope="module")
def imported():
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_import_adds_keyrng_and_the_standard_library_only(imported):
    assert "keyrng" in imported
    foreign = [name for name in imported if name.partition(".")[0] not in {"keyrng", *sys.stdlib_module_names}]

    assert foreign == []


@pytest.mark.parametrize(
    ("module", "why"),
    [
        *((printer, "it is for the build") for printer in PRINTERS),
        ("keyrng.testing", "it is for tests"),
        ("keyrng.cli", "it is for python -m keyrng"),
        ("cupy", "it takes 0.2 seconds, and only a key on a GPU needs it"),
        ("jax", "only keyrng.interop.jax needs it"),
        ("scipy", "only the tests compare with it"),
        ("mpmath", "only the tests compare with it"),
        ("ml_dtypes", "only bfloat16 needs it"),
        ("concurrent.futures", "only a large draw needs it"),
        ("numpy.random", "it takes 10 ms, and the first key imports it"),
        ("torch", "only keyrng.interop.torch needs it"),
        ("hashlib", "only names and files need it"),
        ("argparse", "only python -m keyrng needs it"),
    ],
)
def test_import_leaves_out(imported, module, why):
    assert module not in imported, why
