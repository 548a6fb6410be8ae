"""Objects of jax, torch and NumPy in place of keyrng's: accepted if they are unambiguous."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from calls import CALLS
from cases import assert_same
from processes import python

import keyrng
from keyrng import initializers

KEY = keyrng.key(0)

SAMPLERS = [
    name
    for name in keyrng.__all__
    if name in keyrng.distributions.__all__ or name in ("split", "fold_in", "clone", "key_data", "key_impl", "dropout")
]
ARGUMENTS: dict[str, tuple[Any, ...]] = {**CALLS, "fold_in": (1,), "dropout": (np.ones(3, np.float32), 0.5)}


def _keys() -> list[tuple[str, Any, str]]:
    """Objects that are not keys, and the calls that their errors name."""
    found = [
        ("a generator", keyrng.Generator(0), "generator.next_key()"),
        ("NumPy's generator", np.random.default_rng(0), "keyrng.key(int(rng.integers(2**63)))"),
        ("NumPy's old generator", np.random.RandomState(0), "keyrng.key(int(rng.randint(2**32, dtype=np.uint64)))"),
        ("an int", 0, "keyrng.key(seed) makes one"),
        ("a name", "weights", "keyrng.key(seed) makes one"),
        ("words", np.zeros(2, np.uint32), "keyrng.wrap_key_data(words) makes one"),
        ("a list of keys", [KEY, KEY], "keyrng.stack(keys) makes one"),
        ("None", None, "keyrng.key(seed) makes one"),
    ]
    try:
        import jax

        found.append(("jax's key", jax.random.key(0), "keyrng.interop.jax.from_jax(key) makes one"))
        found.append(("jax's old key", jax.random.PRNGKey(0), "keyrng.interop.jax.from_jax(key) makes one"))
    except ImportError:
        pass
    try:
        import torch

        found.append(("torch's generator", torch.Generator(), "keyrng.key(generator.initial_seed())"))
    except ImportError:
        pass
    return found


@pytest.mark.parametrize(("kind", "given", "says"), _keys(), ids=[kind for kind, _, _ in _keys()])
def test_the_error_names_the_call_that_makes_a_key(kind: str, given: Any, says: str) -> None:
    for name in SAMPLERS:
        with pytest.raises(TypeError, match="expected a key, got") as caught:
            getattr(keyrng, name)(given, *ARGUMENTS.get(name, ()))

        assert says in str(caught.value), name
    for call in (
        lambda: initializers.he_normal()(given, (3, 3)),
        lambda: keyrng.lazy_array(keyrng.normal, given, (3,)),
        lambda: keyrng.shuffled_batches(given, 10, 2),
        lambda: keyrng.sample_kernel(lambda lane: lane.bits(), given, (3,), "uint32"),
    ):
        with pytest.raises(TypeError, match="expected a key, got") as caught:
            call()
        assert says in str(caught.value)


SEEDS = [row for row in _keys() if "generator" in row[0] or "jax" in row[0]]


@pytest.mark.parametrize(("kind", "given", "says"), SEEDS, ids=[kind for kind, _, _ in SEEDS])
def test_generators_and_keys_of_jax_are_no_seeds(kind: str, given: Any, says: str) -> None:
    for make in (keyrng.key, keyrng.Generator):
        with pytest.raises(TypeError, match="seed must be an int, a str or bytes, got") as caught:
            make(given)
        assert says.removesuffix(" makes one") in str(caught.value)


# Dtypes

FLOATS = ("float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_dtypes_of_other_libraries(library: str) -> None:
    module = pytest.importorskip(library)
    for name in FLOATS:
        theirs = getattr(module, name)
        assert_same(keyrng.normal(KEY, (3,), theirs), keyrng.normal(KEY, (3,), name))
        assert_same(keyrng.gamma(KEY, 2.0, (3,), theirs), keyrng.gamma(KEY, 2.0, (3,), name))
        assert_same(initializers.uniform(dtype=theirs)(KEY, (3,)), initializers.uniform(dtype=name)(KEY, (3,)))
        assert_same(keyrng.lazy_array(keyrng.uniform, KEY, (3,), dtype=theirs)[:], keyrng.uniform(KEY, (3,), name))
        assert_same(keyrng.Generator(0).laplace((3,), theirs), keyrng.Generator(0).laplace((3,), name))
    for name in ("int8", "int16", "int32", "int64", "uint8"):
        assert_same(keyrng.randint(KEY, (3,), 0, 9, getattr(module, name)), keyrng.randint(KEY, (3,), 0, 9, name))
    assert_same(keyrng.normal(KEY, (3,), module.complex64), keyrng.normal(KEY, (3,), "complex64"))
    assert_same(initializers.zeros(KEY, (3,), module.bool if library == "torch" else module.bool_), np.zeros(3, bool))


# Devices


def test_a_torch_device() -> None:
    torch = pytest.importorskip("torch")
    cpu = torch.device("cpu")

    assert keyrng.key(0, device=cpu).device == "cpu"
    assert KEY.to(cpu) is KEY
    assert keyrng.Generator(0, device=cpu).device == "cpu"
    with pytest.raises(ValueError, match="unknown device: 'mps'"):
        KEY.to(torch.device("mps"))
    with pytest.raises(RuntimeError, match="keys on a GPU are not available"):
        KEY.to(torch.device("cuda", 1))


# Tensors to write to


def test_out_is_a_tensor() -> None:
    torch = pytest.importorskip("torch")
    for name in FLOATS:
        tensor = torch.empty(2, 3, dtype=getattr(torch, name))

        assert keyrng.normal(KEY, out=tensor) is tensor
        assert_same(_array(tensor), keyrng.normal(KEY, (2, 3), name))
        assert keyrng.normal(KEY, (2, 3), getattr(torch, name), out=tensor) is tensor
    many = torch.empty(3, 1000)
    keyrng.exponential(keyrng.split(KEY, 3), out=many)
    assert_same(many.numpy(), keyrng.exponential(keyrng.split(KEY, 3), (1000,)))


def _array(tensor: Any) -> Any:
    torch = sys.modules["torch"]
    if tensor.dtype != torch.bfloat16:
        return tensor.numpy()
    import ml_dtypes

    return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)


def test_out_is_a_tensor_of_every_kind_of_sampler() -> None:
    torch = pytest.importorskip("torch")
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    rows: list[tuple[tuple[int, ...], Any, Any]] = [
        ((3,), torch.int64, lambda **out: keyrng.randint(KEY, (3,), 0, 9, "int64", **out)),
        ((3,), torch.bool, lambda **out: keyrng.bernoulli(KEY, 0.5, (3,), **out)),
        ((3,), torch.complex64, lambda **out: keyrng.normal(KEY, (3,), "complex64", **out)),
        ((9,), torch.int32, lambda **out: keyrng.permutation(KEY, 9, **out)),
        ((3, 4), torch.float32, lambda **out: keyrng.permutation(KEY, x, **out)),
        ((3,), torch.int32, lambda **out: keyrng.choice(KEY, 9, (3,), **out)),
        ((2, 4), torch.float32, lambda **out: keyrng.choice(KEY, x, (2,), **out)),
        ((3,), torch.int32, lambda **out: keyrng.categorical(KEY, np.zeros(4), shape=(3,), **out)),
        ((3,), torch.int64, lambda **out: keyrng.index_shuffle(KEY, [1, 2, 3], 9, **out)),
        ((2, 3), torch.float32, lambda **out: keyrng.dirichlet(KEY, [1.0, 2.0, 3.0], (2,), **out)),
        ((2, 2), torch.float32, lambda **out: keyrng.ball(KEY, 2, shape=(2,), **out)),
        ((3, 3), torch.float32, lambda **out: keyrng.orthogonal(KEY, 3, **out)),
        ((2,), torch.float32, lambda **out: keyrng.multinomial(KEY, 5, [0.5, 0.5], **out)),
        ((3, 4), torch.float32, lambda **out: keyrng.dropout(KEY, x, 0.5, **out)),
        ((3, 4), torch.bool, lambda **out: keyrng.dropout_mask(KEY, (3, 4), 0.5, **out)),
        ((3, 4), torch.float32, lambda **out: initializers.he_normal()(KEY, (3, 4), **out)),
        ((3, 4), torch.float32, lambda **out: initializers.sparse(0.5)(KEY, (3, 4), **out)),
        ((4, 4), torch.float32, lambda **out: initializers.orthogonal()(KEY, (4, 4), **out)),
        ((2, 2), torch.float32, lambda **out: initializers.identity()(KEY, (2, 2), **out)),
        ((5,), torch.float32, lambda **out: keyrng.Generator(0).gamma(2.0, (5,), **out)),
    ]
    for i, (shape, dtype, call) in enumerate(rows):
        tensor, strided = torch.zeros(shape, dtype=dtype), torch.zeros((*shape, 2), dtype=dtype)[..., 0]

        assert call(out=tensor) is tensor, i
        assert_same(tensor.numpy(), call(), i)
        assert call(out=strided) is strided, i
        assert_same(np.ascontiguousarray(strided.numpy()), call(), i)


def test_out_is_a_parameter_without_its_gradient() -> None:
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.zeros(3))
    keyrng.normal(KEY, out=parameter.detach())
    assert_same(parameter.detach().numpy(), keyrng.normal(KEY, (3,)))


def test_nothing_is_imported_to_find_out() -> None:
    script = (
        "import sys, keyrng; key = keyrng.key(0)\n"
        "for call in (lambda: keyrng.normal(0), lambda: keyrng.normal(key, 3, 4), lambda: keyrng.normal(key, out=[]),"
        "    lambda: keyrng.key(0, device=object()), lambda: keyrng.normal(keyrng.Generator(0))):\n"
        "    try: call()\n"
        "    except TypeError: pass\n"
        "    else: sys.exit(1)\n"
        "print(*{'torch', 'jax', 'tensorflow', 'cupy'} & set(sys.modules))\n"
    )
    done = python("-c", script)

    assert (done.stdout, done.stderr, done.returncode) == ("\n", "", 0)
