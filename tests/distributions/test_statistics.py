"""Every sampler has its distribution: chi-square and Kolmogorov-Smirnov tests against scipy.stats, with fixed keys.

Thresholds: with N tests in this file, one fails by chance for a right sampler if its p-value is below 0.001 / N
(Bonferroni), so the whole file had one chance in a thousand to fail once, when it was written. Keys are fixed, so it
never fails by chance again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, BY_NAME, CASES, FLOATS, Array, Case, each_algorithm, in_turn, repeated, scipy

import keyrng
from keyrng.kernels.lane import kernel_of

stats = pytest.importorskip("scipy.stats")

NAN = float("nan")
DRAWS = 200_000
SEEDS = (1, 2)
# An upper bound for the number of p-values in this file, asserted below.
TESTS = 8_000
THRESHOLD = 0.001 / TESTS
# The same for normal deviates of means and counts: 2 * sf(5.29) is 1.25e-7.
SIGMAS = float(stats.norm.isf(THRESHOLD / 2))

each = pytest.mark.parametrize(
    ("case", "dtype", "parameters"),
    [
        pytest.param(
            c,
            d,
            p,
            id=f"{c}-{d}-" + "-".join(f"{v:g}" for v in p.values()),
            marks=pytest.mark.long if repeated(c, d) else (),
        )
        for c in CASES
        for d in c.dtypes
        for p in c.all_parameters
    ],
)


def test_the_threshold_counts_all_tests() -> None:
    rows = sum(len(c.dtypes) * len(c.all_parameters) for c in CASES)

    assert 2 * len(SEEDS) * rows + 400 <= TESTS


def midpoints(edges: Array, kind: str) -> Array:
    """For representable numbers, the point above which a real number rounds to them or above."""
    if kind in "iub":
        return edges.astype(float) - 0.5
    below = np.nextafter(edges, edges.dtype.type(-np.inf)).astype(float)
    return below if edges.dtype == np.float64 else below + (edges.astype(float) - below) / 2


def chi_square(sample: Array, distribution: Any, bins: int = 100) -> float:
    """The p-value of the counts between representable numbers, about ``bins`` of the same probability.

    Exact for values rounded to any dtype, and for discrete ones: probabilities are those of what rounds to a bin.
    """
    kind = sample.dtype.kind if sample.dtype.name != "bfloat16" else "f"
    quantiles = distribution.ppf(np.arange(1, bins) / bins)
    with np.errstate(over="ignore"):
        edges = np.unique(np.asarray(quantiles, float) if kind in "iub" else np.asarray(quantiles).astype(sample.dtype))
    edges = edges[np.isfinite(edges.astype(float))]
    if kind == "f":
        # An excluded end of the support and its neighbor share a bin, because samples that round to the end are moved.
        low, high = distribution.support()
        edges = edges[(np.nextafter(edges, edges.dtype.type(-np.inf)) > low) & (edges < high)]
    counts = np.bincount(np.searchsorted(edges.astype(float), sample.astype(float), "right"), minlength=len(edges) + 1)
    probabilities = np.diff(distribution.cdf(midpoints(edges, kind)), prepend=0.0, append=1.0)
    impossible = probabilities * sample.size < 1e-6
    if counts[impossible].sum() > 0:
        return 0.0
    expected = probabilities * sample.size
    while len(expected) > 1 and expected.min() < 10:  # join the rarest bin to a neighbour
        i = int(expected.argmin())
        j = i + 1 if i == 0 else i - 1
        expected[j] += expected[i]
        counts[j] += counts[i]
        expected, counts = np.delete(expected, i), np.delete(counts, i)
    statistic = ((counts - expected) ** 2 / expected).sum()
    return float(stats.chi2.sf(statistic, len(expected) - 1)) if len(expected) > 1 else 1.0


def p_values(sample: Array, distribution: Any) -> list[float]:
    """Chi-square, and Kolmogorov-Smirnov where nearly all values are different."""
    found = [chi_square(sample, distribution)]
    if sample.dtype.kind == "f" and np.unique(sample).size > 0.9 * sample.size:
        found.append(float(stats.kstest(sample.astype(float), distribution.cdf).pvalue))
    return found


@each
@pytest.mark.turns(4)
def test_distribution(case: Case, dtype: str, parameters: dict) -> None:
    sample = case(keyrng.key(1), (DRAWS,), dtype, **parameters)

    assert not np.isnan(sample.astype(float)).any()
    assert min(p_values(sample, case.distribution(dtype, **parameters))) > THRESHOLD


@in_turn("algorithm", ALGORITHMS)
@pytest.mark.turns(3)
def test_distribution_of_every_algorithm(case: Case, algorithm: str) -> None:
    dtype, parameters = case.dtypes[-1], dict(case.parameters[0])
    sample = case(keyrng.key(3, impl=algorithm), (DRAWS,), dtype, **parameters)

    assert min(p_values(sample, case.distribution(dtype, **parameters))) > THRESHOLD


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.turns(3)
def test_one_value_of_each_of_many_keys(case: Case) -> None:
    # Streams of neighbouring keys are as good as one stream.
    dtype, parameters = case.dtypes[-1], dict(case.parameters[0])
    distribution = case.distribution(dtype, **parameters)
    seeds = keyrng.stack([keyrng.key(seed) for seed in range(2_000)])
    for keys, shape in ((keyrng.split(keyrng.key(4), DRAWS), ()), (seeds, (100,))):
        sample = case(keys, shape, dtype, **parameters).ravel()

        assert min(p_values(sample, distribution)) > THRESHOLD


@in_turn("algorithm", ALGORITHMS, [c for c in CASES if "float32" in c.dtypes and c.name != "rademacher"])
@pytest.mark.turns(3)
def test_neighbours_are_independent(case: Case, algorithm: str) -> None:
    # Pairs of elements, 1, 2 and 1024 apart, as points of the unit square: 100 cells.
    parameters = dict(case.parameters[0])
    sample = case(keyrng.key(5, impl=algorithm), (DRAWS,), "float32", **parameters)
    cell = np.clip((case.distribution("float32", **parameters).cdf(sample.astype(float)) * 10).astype(int), 0, 9)
    for distance in (1, 2, 1024):
        pairs = np.bincount(cell[:-distance:2] * 10 + cell[distance::2][: len(cell[:-distance:2])], minlength=100)
        counts = pairs.reshape(10, 10)
        assert stats.chi2_contingency(counts).pvalue > THRESHOLD, distance


# Known faults of other libraries


@pytest.mark.parametrize("dtype", FLOATS)
def test_mean_and_variance_of_normals(dtype: str) -> None:
    # jax's bfloat16 normals have mean -0.011, 14 times what is allowed here.
    n = 2**21
    for seed in SEEDS:
        x = keyrng.normal(keyrng.key(seed), (n,), dtype).astype(float)

        assert abs(x.mean()) < SIGMAS / n**0.5
        assert abs(x.var() - 1) < SIGMAS * (2 / n) ** 0.5 + 2.0**-16
        if dtype == "bfloat16":
            assert np.unique(x).size > 1_000


@pytest.mark.parametrize("dtype", FLOATS)
def test_mean_of_uniforms(dtype: str) -> None:
    n = 2**21
    for seed in SEEDS:
        x = keyrng.uniform(keyrng.key(seed), (n,), dtype).astype(float)

        assert x.min() >= 0
        assert x.max() < 1
        # The spacing of values moves the mean by at most half of itself.
        lattice = {"float16": 0, "bfloat16": 2.0**-9, "float32": 2.0**-24, "float64": 2.0**-53}[dtype]
        assert abs(x.mean() - 0.5) < SIGMAS / (12 * n) ** 0.5 + lattice


def test_thirds_of_randint() -> None:
    # Where jax gives probabilities 0.375, 0.375 and 0.25.
    n = 300_000
    for dtype, span in (("int32", 3 * 2**29), ("uint32", 3 * 2**30), ("int64", 3 * 2**61), ("uint64", 3 * 2**62)):
        for seed in SEEDS:
            x = keyrng.randint(keyrng.key(seed), (n,), 0, span, dtype)
            thirds = np.bincount((x // np.array(span // 3, dtype)).astype(int), minlength=3)

            assert stats.chisquare(thirds).pvalue > THRESHOLD, (dtype, thirds)


@pytest.mark.parametrize("dtype", BY_NAME["randint"].dtypes)
def test_whole_range_of_randint(dtype: str) -> None:
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    for minval, maxval in ((low, high + 1), (low, high), (low + 1, high + 1), (high - 6, high + 1), (low, low + 5)):
        x = keyrng.randint(keyrng.key(6), (DRAWS,), minval, maxval, dtype)

        assert minval <= int(x.min()) <= int(x.max()) < maxval
        if maxval - minval <= 256:
            assert np.unique(x).size == maxval - minval
            counts = np.bincount((x.astype(object) - minval).astype(np.int64))
            assert stats.chisquare(counts).pvalue > THRESHOLD
        else:
            # Sixteen parts of the range.
            part = ((x.astype(object) - minval) * 16 // (maxval - minval)).astype(np.int64)
            expected = np.diff([-(-i * (maxval - minval) // 16) for i in range(17)]).astype(float)
            assert (
                stats.chisquare(np.bincount(part, minlength=16), expected / expected.sum() * DRAWS).pvalue > THRESHOLD
            )


@each_algorithm
def test_every_bit(algorithm: str) -> None:
    key = keyrng.key(7, impl=algorithm)
    for dtype in BY_NAME["bits"].dtypes:
        width = 8 * np.dtype(dtype).itemsize
        x = keyrng.bits(key, (DRAWS,), dtype)
        ones = np.array([((x >> np.array(i, dtype)) & np.array(1, dtype)).sum(dtype=np.int64) for i in range(width)])

        assert (np.abs(ones - DRAWS / 2) < SIGMAS * (DRAWS / 4) ** 0.5).all(), dtype


# The ends of the ranges


def test_tails_of_normals() -> None:
    x = keyrng.normal(keyrng.key(10), (2**24,))
    for bound in (3.0, 4.0, 4.7):
        for side in (x > bound, x < -bound):
            expected = stats.norm.sf(bound) * x.size
            p = 2 * min(stats.poisson.cdf(side.sum(), expected), stats.poisson.sf(side.sum() - 1, expected))

            assert p > THRESHOLD, (bound, side.sum(), expected)


# These tests can fail


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (("normal", {}), lambda x: x * 1.02),
        (("normal", {}), lambda x: x + 0.02),
        (("normal", {}), lambda x: np.round(x * 8) / 8),
        (("normal", {}), lambda x: np.abs(x)),
        (("uniform", {"minval": 0.0, "maxval": 1.0}), lambda x: x * 0.99),
        (("uniform", {"minval": 0.0, "maxval": 1.0}), lambda x: np.where(x < 0.01, 0.5, x)),
        (("exponential", {}), lambda x: x**1.02),
        (("gamma", {"a": 2.5}), lambda x: x * 1.01),
        (("gamma", {"a": 0.3}), lambda x: np.where(x < 1e-4, 1e-4, x)),
        (("randint", {"minval": 0, "maxval": 10}), lambda x: np.where(x == 3, 4, x)),
        (("bernoulli", {"p": 0.5}), lambda x: x | (np.arange(x.size) % 32 == 0)),
    ],
)
def test_a_wrong_distribution_is_rejected(right: tuple[str, dict], wrong: Any) -> None:
    name, parameters = right
    case = BY_NAME[name]
    dtype = {"randint": "int32", "bernoulli": "bool"}.get(name, "float32")
    sample = wrong(case(keyrng.key(11), (DRAWS,), dtype, **parameters)).astype(dtype)

    assert min(p_values(sample, case.distribution(dtype, **parameters))) < THRESHOLD


def test_a_narrow_float_of_too_few_bits_is_rejected() -> None:
    # As jax makes bfloat16: 128 values.
    if "bfloat16" not in FLOATS:
        pytest.skip("ml_dtypes is not installed")
    u = (keyrng.bits(keyrng.key(12), (DRAWS,), "uint8") >> 1) / 128
    sample = scipy("norm").ppf(u + 2.0**-9).astype("bfloat16")

    assert chi_square(sample, scipy("norm")) < THRESHOLD


@pytest.mark.parametrize("dtype", FLOATS)
def test_far_tails_of_truncated_normals_stay_inside(dtype: str) -> None:
    # However far a bound lies, or however near the two: finite numbers strictly between them, as close to 0 as can be.
    largest = float(np.finfo(dtype).max) if dtype != "bfloat16" else 3.3895313892515355e38
    far = [(40.0, np.inf), (1e4, np.inf), (largest / 4, np.inf), (largest / 1.01, np.inf), (5e4, 6e4), (0.0, largest)]
    for low, high in far:
        for lower, upper in ((low, high), (-high, -low)):
            x = keyrng.truncated_normal(keyrng.key(13), lower, upper, (2_000,), dtype).astype(float)

            assert (np.isfinite(x) & (lower < x) & (x < upper)).all(), (lower, upper, x[:3])
    if dtype == "float32":
        x = keyrng.truncated_normal(keyrng.key(13), 1e3, np.inf, (DRAWS,), dtype).astype(float)
        # Beyond 1000 the rest is exponential with mean 1/1000: 16 floats a unit of it.
        assert abs((x - 1e3).mean() - 1e-3) < SIGMAS * 1e-3 / DRAWS**0.5 + np.spacing(np.float32(1e3))


@pytest.mark.parametrize("dtype", FLOATS)
def test_directions_lie_on_the_circle(dtype: str) -> None:
    # Where the rounded pi lies above pi, it is left out.
    for mu in (0.0, np.pi, -np.pi, 3.1415925, 3.1415927, -3.1415927, 3 * np.pi, 1e6, -1e300):
        for kappa in (0.0, 3.0, 1e4, 1e15, 1e30):
            x = keyrng.vonmises(keyrng.key(15), mu, kappa, (2_000,), dtype).astype(float)

            assert (np.abs(x) <= np.pi).all(), (mu, kappa)
            assert (x < 0).any() or kappa > 100 or dtype in ("float16", "bfloat16"), (mu, kappa)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vonmises_of_the_largest_concentrations(dtype: str, path: str) -> None:
    # Around 0 a normal distribution, however narrow: neither the angle nor what decides about it is a difference.
    largest = float(np.finfo(dtype).max)
    for kappa in (1e12, 1e19, 1e30, largest / 8, largest):
        x = keyrng.vonmises(keyrng.key(16), 0.0, kappa, (20_000,), dtype).astype(float)

        assert stats.kstest(x * np.sqrt(kappa), "norm").pvalue > THRESHOLD, kappa
        assert np.unique(x).size > 19_900


@pytest.mark.parametrize("parameters", [(NAN, 1.0), (1.0, NAN), (NAN, NAN)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vonmises_ends_for_what_is_no_number(dtype: str, parameters: tuple[float, float], path: str) -> None:
    # The public function refuses them; a kernel that is called by another must not loop for ever.
    x = keyrng.sample_kernel(kernel_of("vonmises"), keyrng.key(18), (100,), dtype, *parameters)

    assert np.isnan(x).all()


def test_large_ranks_are_integers_of_every_kind() -> None:
    # Beyond 2**24, where float32 has but even ones, and at the very end of a dtype, where nothing is heaped up.
    x = keyrng.zipf(keyrng.key(19), 1 + 1e-9, (2**20,))
    large = x[x > 2**24]
    assert stats.binomtest(int((large % 2).sum()), large.size).pvalue > THRESHOLD
    for dtype, end in (("int8", 127), ("uint8", 255), ("int16", 32767)):
        x = keyrng.zipf(keyrng.key(20), 1.0001, (2**20,), dtype)
        expected = np.arange(end - 9, end + 1) ** -1.0001
        total = (np.arange(1, end + 1) ** -1.0001).sum()

        found = int((x > end - 10).sum())
        assert stats.binomtest(found, x.size, expected.sum() / total).pvalue > THRESHOLD
        assert (x > 0).all() and end in x


def test_logseries_of_the_largest_p() -> None:
    # log(1 - p) is -36.7: that many values of each order of magnitude, up to 2**53 and a little beyond.
    x = keyrng.logseries(keyrng.key(21), 1 - 2.0**-53, (DRAWS,), "int64")
    distribution = BY_NAME["logseries near one"].distribution("int64", 1 - 2.0**-53)

    assert chi_square(x, distribution) > THRESHOLD
    assert 2**52 < x.max() < 2**59
