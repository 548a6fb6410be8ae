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
    "keyrng._core.numbers",
    "keyrng._core.arguments",
    "keyrng._core.migration",
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
    "keyrng._codegen.trace",
    "keyrng._codegen.dialects",
    "keyrng._codegen.c",
    "keyrng._codegen.cuda_prelude",
    "keyrng._codegen.cuda_algorithm",
    "keyrng._codegen.cuda",
    # the executors, which never see a Key
    "keyrng._executors",
    "keyrng._core.fpenv",
    "keyrng._executors.threads",
    "keyrng._executors.native",
    "keyrng._executors.histogram",
    "keyrng._executors.bigint",
    "keyrng._executors.gpu",
    "keyrng._executors.cuda",
    "keyrng._executors.gpu_device",
    "keyrng._executors.device",
    "keyrng._executors.derive",
    "keyrng._executors.numpy",
    # keys
    "keyrng._keys.serialize",
    "keyrng._keys.seed_sequence",
    "keyrng._keys.key",
    "keyrng._keys.stack",
    "keyrng._keys.derive",
    # samples
    "keyrng._core.dtypes",
    "keyrng._executors.convert",
    "keyrng._sampling.parameters",
    "keyrng._sampling.shapes",
    "keyrng._sampling.spec",
    "keyrng._sampling.draw",
    "keyrng.distributions.words",
    "keyrng.distributions.bernoulli",
    "keyrng.distributions.uniform",
    "keyrng.distributions._shared.angles",
    "keyrng.distributions.vonmises",
    "keyrng.distributions.zipf",
    "keyrng.distributions.logseries",
    "keyrng.distributions.normal",
    "keyrng.distributions.truncated_normal",
    "keyrng.distributions.exponential",
    "keyrng.distributions.maxwell",
    "keyrng.distributions.gamma",
    "keyrng.distributions._shared.ratio_of_uniforms",
    "keyrng.distributions.poisson",
    "keyrng.distributions.chisquare",
    "keyrng.distributions.beta",
    "keyrng.distributions.binomial",
    "keyrng.distributions.negative_binomial",
    "keyrng.distributions.hypergeometric",
    "keyrng.distributions._shared.last_axis",
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
    "keyrng.distributions._shared.covariance",
    "keyrng.distributions.multivariate_normal",
    "keyrng.distributions.orthogonal",
    "keyrng.distributions.wishart",
    "keyrng.distributions._shared.elements",
    "keyrng.distributions._shared.sorting_cuda",
    "keyrng.distributions.permutation",
    "keyrng.distributions._shared.gumbel_top_k_cuda",
    "keyrng.distributions._shared.gumbel_top_k",
    "keyrng.distributions.categorical",
    "keyrng.distributions._shared.weighted_cuda",
    "keyrng.distributions._shared.weighted",
    "keyrng.distributions.choice",
    "keyrng.distributions",
    # what stands on samplers
    "keyrng.dropout",
    "keyrng._keys.named",
    "keyrng.initializers.base",
    "keyrng.initializers.fixed",
    "keyrng.initializers.plain",
    "keyrng.initializers.scaling",
    "keyrng.initializers.named",
    "keyrng.initializers.orthogonal",
    "keyrng.initializers.weights",
    "keyrng.initializers",
    "keyrng._pickles",
    "keyrng._generator",
    "keyrng.debug",
    # what samples are for
    "keyrng._core.indexing",
    "keyrng.lazy_array",
    "keyrng._epochs",
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
    "keyrng._cli",
    "keyrng._cli.demo",
    "keyrng._cli.info",
    "keyrng._cli.feeds",
    "keyrng._cli.selftest",
    "keyrng._cli.stream",
    "keyrng.__main__",
)

# What the build, the tests and GPUs need: on a CPU nothing is printed or compiled when keyrng is used.
PRINTERS = (
    "keyrng._codegen.trace",
    "keyrng._codegen.dialects",
    "keyrng._codegen.c",
    "keyrng._codegen.cuda_prelude",
    "keyrng._codegen.cuda_algorithm",
    "keyrng._codegen.cuda",
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
    if module not in (*PRINTERS, "keyrng._executors.cuda"):
        assert sorted(imports(module) & set(PRINTERS)) == []


@pytest.mark.parametrize("module", sorted(m for m in SOURCES if m.startswith("keyrng.algorithms.")))
def test_algorithms_use_the_named_operations_only(module):
    others = {name for name in imports(module) if not name.startswith("keyrng.algorithms.")} - {
        "keyrng._core.arguments"
    }

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
        ("keyrng._cli", "it is for python -m keyrng"),
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
