"""Continuous samplers at the limits of the dtypes: no warning, no NaN, and the right value or a ValueError."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import CASES, FLOATS, Array, on

import keyrng
from keyrng.distributions.gamma import _log_uniform

KEY = keyrng.key(7)
COUNT = 64

#: Whose parameters are rounded to the dtype of the sample, and are the ends of its values.
INTERVALS = ("uniform", "truncated_normal", "triangular")
ROWS = {case.name: case for case in CASES if case.dtypes == FLOATS and not case.function}

# The parameters of each sampler: an ordinary value, and what is allowed.
SAMPLERS: dict[str, dict[str, tuple[float, str]]] = {
    name: {p: (value, "bound" if name in INTERVALS else case.domain[p]) for p, value in case.parameters[1].items()}
    for name, case in ROWS.items()
    if case.parameters[0]
} | {"ball": {"p": (1.5, "positive")}}
NAMES = tuple(SAMPLERS)
WITHOUT_PARAMETERS = ("uniform", *(name for name in ROWS if name not in SAMPLERS))


def within(name: str) -> tuple[float, float]:
    """Between what the values lie; without these bounds, what is too large for the dtype is infinite."""
    if name == "ball":
        return -1.0, 1.0
    low, high = ROWS[name].distribution("float32", **ROWS[name].parameters[1]).support()
    return float(low), float(high)


def limits(dtype: str) -> tuple[float, float, float]:
    """The largest number of a dtype, its smallest normal one, and its smallest."""
    if dtype == "bfloat16":
        return 2.0**128 - 2.0**120, 2.0**-126, 2.0**-133
    info = np.finfo(dtype)
    return float(info.max), float(info.tiny), float(info.smallest_subnormal)


def computing(dtype: str) -> str:
    return "float64" if dtype == "float64" else "float32"


def extremes(kind: str, dtype: str) -> list[float]:
    # A bound is rounded to the dtype of the sample, all else to that of the computation.
    largest, normal, least = limits(dtype if kind == "bound" else computing(dtype))
    sizes = [largest, largest / 2, 2.0**70, 2.0**-70, normal, least]
    if kind == "bound":
        sizes = [size for size in sizes if least <= size <= largest]
    if kind == "angle":
        sizes.append(1.7976931348623157e308)
    both = kind in ("bound", "finite", "angle", "number")
    return sizes + [-size for size in sizes if both] + [0.0] * (kind != "positive")


def call(name: str, dtype: str, shape: Any = COUNT, key: keyrng.Key = KEY, **parameters: Any) -> Array:
    """A sample, where every warning of NumPy is an error."""
    function = getattr(keyrng, name)
    more = {"d": 3} if name == "ball" else {}
    with np.errstate(all="raise"):
        sample: Array = function(key, shape=shape, dtype=dtype, **more, **parameters)
    return sample


def ordinary(name: str, **changed: Any) -> dict[str, Any]:
    return {parameter: value for parameter, (value, _) in SAMPLERS[name].items()} | changed


def sets(name: str, dtype: str) -> Iterator[dict[str, float]]:
    """All extremes of each parameter with ordinary others, and of two or three with one another."""
    values = [[usual, *extremes(kind, dtype)] for usual, kind in SAMPLERS[name].values()]
    for chosen in itertools.product(*values):
        yield dict(zip(SAMPLERS[name], chosen, strict=True))


def above(value: float, dtype: str) -> float:
    """The next number of a dtype."""
    if dtype != "bfloat16":
        with np.errstate(all="ignore"):
            return float(np.nextafter(np.array(value, dtype), np.array(np.inf, dtype)))
    import ml_dtypes

    return float(np.nextafter(ml_dtypes.bfloat16(value), ml_dtypes.bfloat16(np.inf)))


def valid(name: str, parameters: dict[str, float], dtype: str) -> bool:
    """Whether bounds are in order, not too far from one another, and with numbers between them where there must be."""
    values = list(parameters.values())
    if name == "truncated_normal":
        return above(values[0], dtype) < values[1]
    if name in ("uniform", "triangular"):
        return values == sorted(values) and 0 < values[-1] - values[0] <= limits(computing(dtype))[0]
    return True


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.turns(3)
def test_every_extreme(name: str, dtype: str) -> None:
    wrong = []
    for parameters in sets(name, dtype):
        if not valid(name, parameters, dtype):
            with pytest.raises(ValueError, match=next(iter(parameters))):
                call(name, dtype, **parameters)
            continue
        try:
            with on("numpy"):
                sample = call(name, dtype, **parameters)
            compiled = call(name, dtype, **parameters)
        except Exception as error:
            wrong.append(f"{parameters}: {type(error).__name__}: {error}")
            continue
        values = sample.astype(float)
        low, high = within(name)
        if name in INTERVALS:
            low, high = min(parameters.values()), max(parameters.values())
        if np.isnan(values).any() or not (low <= values.min() and values.max() <= high):
            wrong.append(f"{parameters}: from {values.min()} to {values.max()}")
        if sample.tobytes() != compiled.tobytes():
            wrong.append(f"{parameters}: the paths differ")

    assert not wrong, "\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("dtype", FLOATS)
def test_no_warning_without_parameters(dtype: str, path: str) -> None:
    for name in WITHOUT_PARAMETERS:
        assert not np.isnan(call(name, dtype, 10_000).astype(float)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_beyond_the_ends(name: str, dtype: str) -> None:
    largest, _, least = limits(dtype)
    for parameter, (_, kind) in SAMPLERS[name].items():
        if kind not in ("angle", "number") and name != "truncated_normal":
            beyond = 10**309 if dtype == "float64" else largest * 2
            with pytest.raises(ValueError, match=rf"^{parameter} must "):
                call(name, dtype, **ordinary(name, **{parameter: beyond}))
        if kind == "positive" and dtype == "float32":
            with pytest.raises(ValueError, match=rf"^{parameter} must be positive and finite, got {least / 2}"):
                call(name, dtype, **ordinary(name, **{parameter: least / 2}))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_an_element_does_not_depend_on_the_parameters_of_others(name: str, dtype: str, path: str) -> None:
    found = [s for s in sets(name, dtype) if valid(name, s, dtype)]
    chosen = found[:: max(1, len(found) // 200)]
    arrays = {parameter: np.array([s[parameter] for s in chosen]) for parameter in SAMPLERS[name]}
    together = call(name, dtype, len(chosen), **arrays)
    for i in range(0, len(chosen), 7):
        alone = call(name, dtype, len(chosen), **chosen[i])
        assert alone[i].tobytes() == together[i].tobytes(), chosen[i]


# The values

TINY = {"float32": (1e-37, 1e-40, 2.0**-147), "float64": (1e-37, 1e-305, 2.0**-1072)}
DRAWS = 40_000


def near(share: Any, expected: Any) -> bool:
    """Within five standard deviations."""
    return bool((abs(np.asarray(share) - expected) < 5 * (np.asarray(expected) / DRAWS) ** 0.5).all())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ratios_of_tiny_shapes(dtype: str, path: str) -> None:
    for tiny in (*TINY[dtype], *limits(dtype)[1:]):
        beta = call("beta", dtype, DRAWS, a=tiny, b=3 * tiny)
        f = call("f", dtype, DRAWS, dfnum=tiny, dfden=3 * tiny)
        noncentral = call("noncentral_f", dtype, DRAWS, dfnum=tiny, dfden=3 * tiny, nonc=0.0)
        rows = call("dirichlet", dtype, DRAWS, alpha=[tiny, 2 * tiny, 7 * tiny])

        assert near((beta == 1).mean(), 0.25)
        assert near((beta == 0).mean(), 0.75)
        assert near((f == np.inf).mean(), 0.25)
        assert near((f == 0).mean(), 0.75)
        assert near((noncentral == np.inf).mean(), 0.25)
        assert near(rows.mean(axis=0), [0.1, 0.2, 0.7])
        assert (rows.sum(axis=1) == 1).all()
        assert (call("gamma", dtype, DRAWS, a=tiny) == 0).all()
        assert (call("chisquare", dtype, DRAWS, df=tiny) == 0).all()
        assert near((call("t", dtype, DRAWS, df=tiny) == np.inf).mean(), 0.5)


def test_shapes_of_which_only_one_is_tiny(path: str) -> None:
    assert (call("beta", "float32", a=2.0**-149, b=0.5) == 0).all()
    assert (call("beta", "float32", a=3e38, b=2.0**-149) == 1).all()
    assert (call("f", "float32", dfnum=3e38, dfden=2.0**-149) == np.inf).all()
    assert (call("f", "float32", dfnum=2.0**-149, dfden=3e38) == 0).all()
    assert (call("dirichlet", "float32", alpha=[2.0**-149, 1e-3, 2.0**-149])[:, 1] == 1).all()
    assert (call("dirichlet", "float32", alpha=[2.0**-149, 3e38]) == [0, 1]).all()


@pytest.mark.parametrize(("dtype", "shape"), [("float32", 1e-37), ("float64", 1e-37), ("float64", 1e-306)])
def test_logarithms_of_gammas_of_tiny_shapes(dtype: str, shape: float, path: str) -> None:
    # -a * loggamma(a) is exponential.
    x = call("loggamma", dtype, DRAWS, a=shape).astype(float) * -shape

    assert abs(np.median(x) - np.log(2)) < 5 / DRAWS**0.5
    assert abs(x.mean() - 1) < 5 / DRAWS**0.5


class _Lane:
    """A lane of given words."""

    def __init__(self, words: Array, dtype: str) -> None:
        self.dtype, self._words = np.dtype(dtype), words

    def bits(self) -> Array:
        return self._words


def test_uniforms_next_to_1_of_small_shapes_are_as_fine_as_their_words() -> None:
    for dtype, bits in (("float32", 32), ("float64", 64)):
        words = np.array([0, 1, 2, 511, 512, 12345, 2 ** (bits - 30)], f"u{bits // 8}")
        found = _log_uniform(_Lane(words, dtype), np.full(7, 1e-20, dtype))
        expected = np.log1p(-(words.astype(float) + 0.5) * 2.0**-bits)

        np.testing.assert_allclose(found, expected, 2.0**-22 if dtype == "float32" else 2.0**-51)


@pytest.mark.parametrize("dtype", FLOATS)
def test_shares_of_huge_alphas(dtype: str, path: str) -> None:
    largest = limits(computing(dtype))[0]
    for alpha in ([largest] * 2, [largest] * 1000, [largest / 2, largest / 4, largest / 4], [largest, 1.0, 1e-30]):
        rows = call("dirichlet", dtype, 5, alpha=alpha).astype(float)
        shares = np.array(alpha) / largest
        shares /= shares.sum()

        np.testing.assert_allclose(rows, np.broadcast_to(shares, rows.shape), 2.0**-7, 1e-30)
        assert (abs(rows.sum(axis=1) - 1) < {"float64": 1e-13, "float32": 1e-4}.get(dtype, 5e-3)).all()
    many = call("dirichlet", dtype, None, alpha=[[largest, largest], [0.3, 2.0]])
    assert many[1].tobytes() == call("dirichlet", dtype, 2, alpha=[0.3, 2.0])[1].tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_shapes_are_the_values(dtype: str, path: str) -> None:
    largest = limits(dtype)[0]
    equal = np.finfo(dtype).eps * 4

    for a in (largest, largest / 2, largest / 1e8):
        assert (call("gamma", dtype, 1000, a=a) == np.array(a, dtype)).all()
    np.testing.assert_allclose(call("chisquare", dtype, df=largest), largest, equal)
    np.testing.assert_allclose(call("noncentral_chisquare", dtype, df=1.0, nonc=largest / 2), largest / 2, equal)
    np.testing.assert_allclose(call("f", dtype, dfnum=largest, dfden=largest), 1, equal)
    np.testing.assert_allclose(
        call("noncentral_f", dtype, dfnum=largest / 2, dfden=largest, nonc=largest / 2), 2, equal
    )
    np.testing.assert_allclose(call("beta", dtype, a=largest, b=largest), 0.5, equal)
    np.testing.assert_allclose(call("loggamma", dtype, a=largest), np.log(largest), equal)


def test_quotients_overflow_only_where_they_are_too_large(path: str) -> None:
    stats = pytest.importorskip("scipy.stats")
    largest = limits("float32")[0]
    for dfnum, dfden in ((2e38, 1e-3), (1e30, 0.01), (2.0, 0.05)):
        infinite = (call("f", "float32", DRAWS, dfnum=dfnum, dfden=dfden) == np.inf).mean()
        # f of many degrees above is those below over their chi-square.
        expected = stats.gamma(dfden / 2).cdf(dfden / 2 / largest) if dfnum > 2 else stats.f(dfnum, dfden).sf(largest)
        assert near(infinite, expected), (dfnum, dfden)
    for df in (1e-3, 0.02, 0.1):
        t = abs(call("t", "float32", DRAWS, df=df))
        assert near((t == np.inf).mean(), 2 * stats.t(df).sf(largest)), df
        finite = 2 * stats.t(df).sf(largest / 1e3) - 2 * stats.t(df).sf(largest)
        assert near(((t > largest / 1e3) & (t < np.inf)).mean(), finite), df


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_powers_and_sums_overflow_only_where_they_are_too_large(dtype: str, path: str) -> None:
    exponential = call("exponential", dtype, DRAWS).astype(np.longdouble)
    for scale, c in ((1e-30, 0.02), (1e-37, 0.01), (1e37, 0.02), (3.0, 1e-3)):
        if dtype == "float64":
            scale, c = scale**8, c / 8
        x = call("weibull_min", dtype, DRAWS, scale=scale, concentration=c)
        with np.errstate(all="ignore"):
            exponent = np.longdouble(np.array(1, dtype) / np.array(c, dtype))
            expected = np.exp(exponent * np.log(exponential) + np.log(np.longdouble(np.array(scale, dtype))))
            expected = expected.astype(dtype)
        kept = (expected > limits(dtype)[1]) & (expected < limits(dtype)[0] / 2)
        np.testing.assert_allclose(x[kept].astype(float), expected[kept].astype(float), 1e-4)
        assert (x[np.isinf(expected * np.array(0.5, dtype))] == np.inf).all()
    largest = limits(dtype)[0]
    standard = call("double_sided_maxwell", dtype, DRAWS, loc=0.0, scale=1.0).astype(np.longdouble)
    for loc, scale in ((largest, largest), (-largest, largest / 2), (largest, 1.0)):
        with np.errstate(all="ignore"):
            expected = (standard * np.longdouble(scale) + np.longdouble(loc)).astype(dtype)
            part = (abs(standard * np.longdouble(scale)) / np.longdouble(largest)).astype(float)
        x = call("double_sided_maxwell", dtype, DRAWS, loc=loc, scale=scale)
        clear = abs(part - part.round()) > 1e-5  # not where rounding decides
        assert (np.isinf(x) == np.isinf(expected))[clear].all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms_of_extreme_exponents(dtype: str, path: str) -> None:
    stats = pytest.importorskip("scipy.stats")
    largest, normal, least = limits(dtype)
    for p in (largest, 1e30, 1e10):  # a cube
        for x in (call("generalized_normal", dtype, 5000, p=p), call("ball", dtype, 2000, p=p).ravel()):
            assert stats.kstest(x.astype(float), "uniform", (-1, 2)).pvalue > 1e-6
    for p in (largest, 1e10, 50.0, 0.02, 1e-6, normal, least):  # in one dimension there is one ball
        with np.errstate(all="raise"):
            x = keyrng.ball(KEY, 1, p, (5000,), dtype).ravel()
        assert stats.kstest(x.astype(float), "uniform", (-1, 2)).pvalue > 1e-6, p
    assert (call("ball", dtype, p=least) == 0).all()
    assert (abs(call("generalized_normal", dtype, p=least)) == np.inf).all()


def test_a_direction_is_reduced_exactly(path: str) -> None:
    mpmath = pytest.importorskip("mpmath")
    angles = [0.25, 3.2, -7.0, 1e3, 123456.7, -1e9, 1e15, -1e16, 2.0**53 + 2, 1e22, 1e28, -3e38]
    angles += [6381956970095103 * 2.0**797, 1.7976931348623157e308]
    expected = []
    with mpmath.workprec(2200):
        for angle in map(mpmath.mpf, angles):
            expected.append(float(angle - 2 * mpmath.pi * mpmath.nint(angle / (2 * mpmath.pi))))
    for dtype in ("float32", "float64"):
        narrow = limits(dtype)[0]
        x = call("vonmises", dtype, len(angles), mu=angles, kappa=narrow)
        alone = [call("vonmises", dtype, len(angles), mu=angle, kappa=narrow)[i] for i, angle in enumerate(angles)]

        np.testing.assert_allclose(x, expected, 2 * np.finfo(dtype).eps)
        assert x.tolist() == alone
        assert (call("vonmises", dtype, len(angles), mu=np.array(angles), kappa=narrow) == x).all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_extreme_complex_lognormals(dtype: str, path: str) -> None:
    for sigma in (1e5, 1e9, 1e30, limits("float32")[0], 2.0**-149, 0.0):
        x = call("lognormal", dtype, 1000, sigma=sigma)

        assert not (np.isnan(x.real) | np.isnan(x.imag)).any()
