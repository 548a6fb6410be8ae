"""Initializers: comparison with jax and torch, laws, names, and the GPU path."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from cases import FLOATS, PATHS, Array, assert_same, keys_on_a_gpu, on

import keyrng
from keyrng import initializers as init
from keyrng import keys_like

KEY = keyrng.key(5)
MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
TORCH = ("sparse", "identity", "dirac")

Maker = Callable[[Any], Any]  # of an initializer, from keyrng's module or from jax's

SHAPE = (3, 20, 30)
SCALED: dict[str, Maker] = {
    "uniform": lambda m: m.uniform(0.3),
    "normal": lambda m: m.normal(0.3),
    "truncated_normal": lambda m: m.truncated_normal(0.3),
    "truncated_normal, bounds": lambda m: m.truncated_normal(0.3, lower=-1.0, upper=2.5),
    **{
        f"variance_scaling {mode} {distribution}": lambda m, a=mode, b=distribution: m.variance_scaling(0.7, a, b)
        for mode in MODES
        for distribution in ("normal", "uniform", "truncated_normal")
    },
    **{
        f"{who}_{kind}": lambda m, n=f"{who}_{kind}": getattr(m, n)()
        for who in ("glorot", "he", "lecun")
        for kind in ("uniform", "normal")
    },
    "several axes": lambda m: m.he_uniform(in_axis=(0, 1), out_axis=2),
    "other axes": lambda m: m.glorot_uniform(in_axis=1, out_axis=0),
    "batches": lambda m: m.lecun_normal(batch_axis=0),
    "constant": lambda m: m.constant(1.1),
    "an array": lambda m: m.constant(np.arange(30.0)),
    "ones": lambda m: m.ones,
    "zeros": lambda m: m.zeros,
    "orthogonal": lambda m: m.orthogonal(1.5),
    "orthogonal, columns": lambda m: m.orthogonal(0.5, 1),
    "delta_orthogonal": lambda m: m.delta_orthogonal(1.5),
}
EQUAL = ("uniform", "constant", "array", "ones", "zeros", "axes")  # of real numbers
NO_COMPLEX = ("uniform", "truncated_normal", "truncated_normal, bounds")
# Relative to the largest number. The largest errors seen are 9e-7 and 8e-15 of the standard deviation.
NEAR = {"float32": 1e-6, "complex64": 1e-6, "float64": 1e-14, "complex128": 1e-14}


# Only some cases have other dtypes, because jax's compilation takes most of the time.
OTHERS = {
    "float64": ("uniform", "normal", "truncated_normal, bounds", "several axes", "orthogonal", "constant"),
    "complex64": ("normal", "orthogonal", "ones"),
    "complex128": ("normal",),
}
DISKS = [f"variance_scaling fan_out {distribution}" for distribution in ("normal", "uniform", "truncated_normal")]
WIDE = ("float64", "complex128")
BESIDE_JAX = [
    *(pytest.param(name, "float32", id=name) for name in SCALED),
    *(
        pytest.param(name, dtype, id=f"{name}-{dtype}", marks=pytest.mark.long if dtype in WIDE else ())
        for dtype, names in OTHERS.items()
        for name in (*names, *DISKS)
    ),
]


@pytest.mark.parametrize(("name", "dtype"), BESIDE_JAX)
@pytest.mark.turns(3)
def test_numbers_of_jax(name: str, dtype: str) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", dtype in ("float64", "complex128"))
    try:
        theirs = np.asarray(SCALED[name](jax.nn.initializers)(jax.random.key(5), SHAPE, dtype))
    finally:
        jax.config.update("jax_enable_x64", False)
    ours = SCALED[name](init)(KEY, SHAPE, dtype)

    if name.endswith(EQUAL) and not dtype.startswith("c"):
        assert_same(ours, theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    assert np.abs(ours - theirs).max() <= NEAR[dtype] * np.abs(theirs).max()


@pytest.mark.parametrize("name", [name for name in init.__all__ if name not in ("Initializer", "init_tree", *TORCH)])
def test_signatures_of_jax(name: str) -> None:
    theirs = getattr(pytest.importorskip("jax").nn.initializers, name)

    def plain(function: Any) -> dict[str, Any]:
        return {p.name: p.default for p in inspect.signature(function).parameters.values()}

    expected = plain(theirs)
    if name in ("zeros", "ones"):
        del expected["out_sharding"]
        expected["out"] = None
    assert list(plain(getattr(init, name)).items()) == list(expected.items())


def test_second_names() -> None:
    for kind in ("uniform", "normal"):
        assert getattr(init, f"xavier_{kind}") is getattr(init, f"glorot_{kind}")
        assert getattr(init, f"kaiming_{kind}") is getattr(init, f"he_{kind}")


def test_every_function_of_jax_is_there() -> None:
    jax = pytest.importorskip("jax").nn.initializers
    theirs = {name for name in dir(jax) if not name.startswith("_")}

    assert theirs - set(init.__all__) == set()


# torch's


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (0, 2)])
def test_identity(shape: tuple[int, int]) -> None:
    assert_same(init.identity()(KEY, shape), np.eye(*shape, dtype=np.float32))


@pytest.mark.parametrize("shape", [(4, 4, 3), (6, 2, 5), (2, 6, 4), (4, 2, 3, 5), (4, 4, 2, 3, 3), (4, 2, 0)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac(shape: tuple[int, ...], groups: int) -> None:
    expected = np.zeros(shape, np.float32)
    each, middle = shape[0] // groups, tuple(length // 2 for length in shape[2:])
    if expected.size:
        for group in range(groups):
            for channel in range(min(each, shape[1])):
                expected[(group * each + channel, channel, *middle)] = 1

    assert_same(init.dirac(groups)(KEY, shape), expected)
    jax_axes = init.dirac(groups, in_axis=-2, out_axis=-1)(KEY, (*shape[2:], shape[1], shape[0]))
    assert_same(np.ascontiguousarray(np.moveaxis(jax_axes, (-1, -2), (0, 1))), expected)


def test_dirac_and_identity_of_torch() -> None:
    torch = pytest.importorskip("torch")
    for shape in ((4, 4, 3), (6, 2, 5), (4, 2, 4, 5), (4, 4, 2, 3, 3)):
        assert_same(init.dirac(2)(KEY, shape), torch.nn.init.dirac_(torch.empty(shape), 2).numpy())
        assert_same(init.identity()(KEY, shape[:2]), torch.nn.init.eye_(torch.empty(shape[:2])).numpy())


@pytest.mark.parametrize(
    ("rows", "sparsity", "empty"), [(10, 0.1, 1), (10, 0.11, 2), (7, 0.5, 4), (5, 0, 0), (5, 1, 5)]
)
def test_sparse(rows: int, sparsity: float, empty: int) -> None:
    x = init.sparse(sparsity, 2.0)(KEY, (rows, 40))
    whole = keyrng.normal(keyrng.split(KEY)[0], (rows, 40)) * np.float32(2)

    assert ((x == 0).sum(axis=0) == empty).all()
    assert_same(x, np.where(x == 0, np.float32(0), whole))


def test_the_zeros_of_sparse_are_anywhere() -> None:
    x = init.sparse(0.25)(KEY, (8, 20_000)) == 0

    assert abs(x.mean(axis=1) - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 20_000)
    pairs = (x[:, None] & x[None]).mean(axis=2)[np.triu_indices(8, 1)]
    assert abs(pairs - 1 / 28).max() < 4 * np.sqrt(1 / 28 / 20_000)


# Laws

ALL: dict[str, tuple[Any, tuple[int, ...]]] = {
    **{name: (make(init), SHAPE) for name, make in SCALED.items()},
    "tails": (init.truncated_normal(2.0, lower=4.0, upper=9.0), SHAPE),
    "sparse": (init.sparse(0.3), (6, 5)),
    "identity": (init.identity(), (6, 5)),
    "dirac": (init.dirac(2), (6, 5, 3)),
}
each = pytest.mark.parametrize("name", ALL)


@each
def test_arrays_of_keys(name: str) -> None:
    make, shape = ALL[name]
    keys = keyrng.split(KEY, (2, 2))
    whole = make(keys, shape)

    assert whole.shape == (2, 2, *shape)
    for at in np.ndindex(2, 2):
        assert_same(whole[at], make(keys[at], shape), at)


@each
def test_dtypes_and_out(name: str) -> None:
    make, shape = ALL[name]
    for dtype in FLOATS:
        x = make(KEY, shape, dtype)
        out = np.empty((*shape, 2), x.dtype)[..., 0]

        assert x.dtype == keyrng.uniform(KEY, (), dtype).dtype
        for given in ((dtype,), ()):  # without one, that of out
            out[...] = 2
            assert make(KEY, shape, *given, out=out) is out
            assert_same(np.ascontiguousarray(out), x, dtype)
        if dtype in FLOATS[:-2] and name != "tails":  # rounded once from float32, and not to a bound
            assert_same(make(KEY, shape, "float32").astype(x.dtype), x, dtype)
    with pytest.raises(TypeError, match="out must have dtype"):
        make(KEY, shape, "float32", out=np.empty(shape))
    with pytest.raises(ValueError, match="out must have shape"):
        make(KEY, shape, out=np.empty(shape[1:], np.float32))


@each
def test_paths(name: str) -> None:
    make, shape = ALL[name]
    for dtype in ("float16", "float32", "float64", "complex64"):
        if dtype == "complex64" and name in (*NO_COMPLEX, "tails", "sparse"):
            continue
        expected = None
        for path in PATHS:
            with on(path):
                x = make(KEY, shape, dtype)
            expected = x if expected is None else expected
            assert_same(x, expected, path)


@each
def test_pickles_and_empty_shapes(name: str) -> None:
    make, shape = ALL[name]

    assert_same(pickle.loads(pickle.dumps(make))(KEY, shape), make(KEY, shape))
    assert make(KEY, (0, *shape[1:])).shape == (0, *shape[1:])
    assert make(KEY, list(shape)).shape == shape


def test_the_dtype_of_the_factory() -> None:
    assert init.he_normal(dtype="float64")(KEY, (2, 3)).dtype == np.float64
    assert init.he_normal(dtype="float64")(KEY, (2, 3), "float16").dtype == np.float16
    assert init.constant(3, "int8")(KEY, (2,)).dtype == np.int8
    assert init.zeros(KEY, (2,), bool).dtype == bool
    for out in (np.empty((2, 3), "int8"), np.empty((2, 3), bool), np.empty((2, 3), "complex64")):
        assert init.ones(KEY, (2, 3), out=out) is out
        assert (out == 1).all()


def test_variances() -> None:
    # The variance of complex truncated normals is 2 percent too large, as jax's is.
    for distribution, near in (("normal", 0.01), ("uniform", 0.01), ("truncated_normal", 0.02)):
        for dtype in ("float32", "complex64"):
            x = init.variance_scaling(2.0, "fan_in", distribution)(KEY, (500, 600), dtype)

            assert abs((np.abs(x) ** 2).mean() * 250 - 1) < near
            assert abs(x.mean()) < 4 / np.sqrt(250 * x.size)


def test_on_a_gpu() -> None:
    some = ("normal", "he_uniform", "constant", "dirac", "truncated_normal", "sparse", "orthogonal", "delta_orthogonal")
    expected = {(n, d): ALL[n][0](KEY, ALL[n][1], d) for n in some for d in ("float16", "float32")}
    with keys_on_a_gpu("cuda"):
        import cupy

        key = keyrng.key(5)
        for name in some:
            make, shape = ALL[name]
            for dtype in ("float16", "float32"):
                x = make(key, shape, dtype)
                assert isinstance(x, cupy.ndarray)
                assert_same(cupy.asnumpy(x), expected[name, dtype], name, dtype)
            assert make(key, shape, "float32", out=x) is x
        params = init.init_tree(key, {"a": (2, 3)}, init.he_normal())
        assert_same(cupy.asnumpy(params["a"]), init.he_normal()(keyrng.fold_in(KEY, "a"), (2, 3)))


# Names

SHAPES = {"encoder": [{"weight": (3, 4), "bias": (4,)}, {"weight": (4, 4), "bias": 4}], "scale": ()}


def test_a_parameter_has_the_key_of_its_path() -> None:
    keys = keys_like(KEY, SHAPES)
    params = init.init_tree(KEY, SHAPES, init.normal(1.0))

    assert keys["encoder"][0]["weight"] == keyrng.fold_in(KEY, "encoder/0/weight")
    assert keys["encoder"][1]["bias"] == keyrng.fold_in(KEY, "encoder/1/bias")
    assert keys["scale"] == keyrng.fold_in(KEY, "scale")
    assert_same(params["encoder"][1]["bias"], init.normal(1.0)(keyrng.fold_in(KEY, "encoder/1/bias"), (4,)))
    assert params["scale"].shape == ()


def test_no_two_paths_are_one() -> None:
    tree = {"a": {"b": (1,), "b/c": (1,), "b~1c": (1,)}, "a/b": (1,), "a~1b": (1,), "a~": {"1b": (1,)}, "": {"": (1,)}}
    tree["a"]["b~"] = {"c": (1,)}
    words = [key_data.tobytes() for key_data in leaves(keys_like(KEY, tree))]

    assert len(words) == 8
    assert len(set(words)) == len(words)


def leaves(tree: Any) -> list[Array]:
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    return [keyrng.key_data(tree)]


class Layer(NamedTuple):
    weight: Any
    bias: Any


def test_trees_keep_their_form() -> None:
    tree = {
        "list": [(2,), [2, 3]],
        "tuple": ((2,), {"x": ()}),
        "named": Layer((2, 2), 2),
        "none": [],
        "array": np.ones((2, 1)),
    }
    params = init.init_tree(KEY, tree, init.ones)

    assert [x.shape for x in params["list"]] == [(2,), (2, 3)]
    assert isinstance(params["tuple"], tuple)
    assert params["tuple"][1]["x"].shape == ()
    assert isinstance(params["named"], Layer)
    assert params["named"].bias.shape == (2,)
    assert params["none"] == []
    assert params["array"].shape == (2, 1)
    assert keys_like(KEY, {"dropout": None})["dropout"] == keyrng.fold_in(KEY, "dropout")
    assert_same(init.init_tree(KEY, (2, 3), init.normal()), init.normal()(keyrng.fold_in(KEY, ""), (2, 3)))


def test_rules_by_pattern() -> None:
    params = init.init_tree(
        KEY, SHAPES, {"*/bias": init.zeros, "encoder/?/*": init.he_normal(), "*": init.ones}, "float64"
    )

    assert not params["encoder"][0]["bias"].any()
    expected = init.he_normal()(keyrng.fold_in(KEY, "encoder/0/weight"), (3, 4), "float64")
    assert_same(params["encoder"][0]["weight"], expected)
    assert params["scale"] == 1


def test_names_for_arrays_of_keys() -> None:
    keys = keyrng.split(KEY, 3)
    params = init.init_tree(keys, SHAPES, init.normal(1.0))

    for j in range(3):
        one = init.init_tree(keys[j], SHAPES, init.normal(1.0))
        assert_same(params["encoder"][0]["weight"][j], one["encoder"][0]["weight"], j)
