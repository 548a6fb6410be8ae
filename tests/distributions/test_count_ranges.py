"""Counts at the limits of their parameters: exact counts, or an error that names a sufficient dtype."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import INTEGERS, on

import keyrng

KEY = keyrng.key(11)


def largest(dtype: str) -> int:
    return int(np.iinfo(dtype).max)


# Items


@pytest.mark.parametrize("dtype", INTEGERS)
def test_counts_of_items_are_bounded_by_what_can_be_drawn(dtype: str, path: str) -> None:
    key, top = keyrng.key(1), min(largest(dtype), 2**53)
    for good, bad, sample in ((3 * 10**9, 10, 5), (5, 3 * 10**9, 4 * 10**8), (2**53 - 1, 1, 7), (7, 2**53 - 7, 2**53)):
        x = keyrng.hypergeometric(key, good, bad, sample, (50,), dtype)
        assert max(0, sample - bad) <= int(x.min()) <= int(x.max()) <= min(good, sample)
        rows = keyrng.multivariate_hypergeometric(key, [good, bad], 5, (50,), dtype)
        assert (rows.sum(axis=-1) == 5).all() and (rows >= 0).all()
    assert int(keyrng.hypergeometric(key, top, 0, top, (), dtype)) == top
    assert int(keyrng.hypergeometric(key, 2**53, 0, top, (), dtype)) == top
    assert int(keyrng.hypergeometric(key, top, 2**53 - top, 2**53, (), dtype)) == top
    assert keyrng.multivariate_hypergeometric(key, [2**53, 0], top, (), dtype).tolist() == [top, 0]
    mixed = keyrng.hypergeometric(key, [2**53 - 9, 2], 9, [3, 11], (4, 2), dtype)
    assert mixed[:, 0].tolist() == keyrng.hypergeometric(key, 2**53 - 9, 9, 3, (4, 2), dtype)[:, 0].tolist()


# Means


def limit_of(dtype: str) -> tuple[int, str]:
    """The largest mean, and the message that names it."""
    with pytest.raises(ValueError, match="lam must be between 0 and ") as caught:
        keyrng.poisson(KEY, 1e30, (), dtype)
    message = str(caught.value)
    return int(message.split("between 0 and ")[1].split(",", maxsplit=1)[0]), message


@pytest.mark.parametrize("dtype", INTEGERS)
def test_means_up_to_what_a_dtype_holds(dtype: str, path: str) -> None:
    limit, message = limit_of(dtype)
    top = largest(dtype)
    if top > 200:
        assert 9.999 * math.sqrt(top) <= top - limit <= 10 * math.sqrt(top) + top * 2.0**-23 + 1
    for lam in (limit, float(limit), np.float64(limit), [limit], np.array([limit], np.float64), np.array([limit])):
        x = keyrng.poisson(keyrng.key(2), lam, (3000,), dtype)
        centred = np.array([int(v) - limit for v in x], float) / math.sqrt(limit)
        assert abs(centred.mean()) < 5 / math.sqrt(3000), dtype
        assert abs(centred.std() - 1) < 0.1, dtype
    assert ('dtype="int64"' if np.dtype(dtype).itemsize < 8 else "") in message
    for lam in (limit + max(1, limit >> 20), np.float64(limit) * 1.001, [1.0, limit * 1.001], 2.0**65, 2**70):
        with pytest.raises(ValueError, match="lam must be between 0 and"):
            keyrng.poisson(KEY, lam, (2,), dtype)


@pytest.mark.parametrize(
    ("dtype", "lam"), [("uint32", 3e9), ("uint32", 2.0**31), ("uint64", 2.0**63), ("uint64", 1.2e19)]
)
def test_means_beyond_the_signed_integers(dtype: str, lam: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    keys = keyrng.split(keyrng.key(3), 2)
    x = keyrng.poisson(keys, lam, (20_000,), dtype)
    centred = (x - x.dtype.type(lam - 2.0**40 if dtype == "uint64" else lam - 2.0**30)).astype(float)
    centred = (centred - (2.0**40 if dtype == "uint64" else 2.0**30)) / math.sqrt(lam)

    assert stats.kstest(centred.reshape(-1), "norm").pvalue > 1e-3
    # A large mean next to a small one changes neither.
    pair = keyrng.poisson(keys, [4.0, lam], (1000, 2), dtype)
    assert (pair[..., 0] == keyrng.poisson(keys, 4.0, (1000, 2), dtype)[..., 0]).all()
    assert (pair[..., 1] == x[:, :2000].reshape(2, 1000, 2)[..., 1]).all()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_failures_up_to_what_a_dtype_holds(dtype: str, path: str) -> None:
    top = float(largest(dtype))
    n, p = 1e6 if top > 1e9 else 3.0, 0.5
    p = n / (n + top / (1.5 if top > 1e9 else 80))
    x = keyrng.negative_binomial(keyrng.key(4), n, p, (2000,), dtype)
    mean = n * (1 - p) / p
    assert abs(float(np.mean(x.astype(float))) / mean - 1) < (0.001 if top > 1e9 else 0.1)
    with pytest.raises(ValueError, match=rf"counts for n .* may not fit {dtype}, which ends at {largest(dtype)}"):
        keyrng.negative_binomial(KEY, n, p / 100, (2,), dtype)


@pytest.mark.parametrize("lam", [0.0, 5e-324, 1e-310, 1e-46, 1e-45, 1e-40, 1.2e-38, 1e-33, 2.0**-60])
def test_tiny_means(lam: float, path: str) -> None:
    key = keyrng.key(5)
    for dtype in ("int32", "uint64", "int8"):
        assert not keyrng.poisson(key, lam, (50,), dtype).any()
        assert not keyrng.poisson(key, np.array([lam, lam], np.float32), (50, 2), dtype).any()
        assert not keyrng.hypergeometric(key, 1, 2**53 - 1, 0, (50,), dtype).any()
    for dtype in ("float32", "float64", "int32", "int64"):
        assert not keyrng.binomial(key, 100, lam, (50,), dtype).any()
        assert not keyrng.multinomial(key, 100, [lam, 1.0], shape=(50, 2), dtype=dtype)[:, 0].any()
    assert (keyrng.logseries(key, lam, (50,)) == 1).all()


@pytest.mark.parametrize("p", [1.0, 1 - 2.0**-53, 1 - 2.0**-24, 1 - 1e-9])
def test_probabilities_next_to_one(p: float, path: str) -> None:
    key = keyrng.key(6)
    for dtype in INTEGERS:
        assert (keyrng.geometric(key, p, (50,), dtype) == 1).all()
        assert not keyrng.negative_binomial(key, 1e-3, p, (50,), dtype).any()
        top = min(largest(dtype), 2**53)
        x = [int(v) for v in keyrng.binomial(key, top, p, (50,), dtype)]
        assert max(x) <= top
        assert min(x) >= top - top * (1 - p) - 20 * math.sqrt(top * (1 - p)) - 20


# Events so rare that float32 does not count the trials


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
@pytest.mark.parametrize("p", [9.4e-7, 1e-7, 8e-9])
def test_geometric_of_rare_events(dtype: str, p: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    x = keyrng.geometric(keyrng.key(7), p, (100_000,), dtype)

    assert stats.kstest(x * p, "expon").pvalue > 1e-3
    beyond = x[x > 2**24]
    assert beyond.size < 1000 or abs((beyond % 2).mean() - 0.5) < 5 / math.sqrt(4 * beyond.size)
    assert len(np.unique(x % 64)) == 64


def test_geometric_beside_rare_events(path: str) -> None:
    key = keyrng.key(8)
    for dtype in ("int32", "uint32"):
        p = [0.3, 1e-8, 9.6e-7, 9.4e-7, 1.0]
        together = keyrng.geometric(key, p, (300, 5), dtype)
        for i, one in enumerate(p):
            alone = keyrng.geometric(key, one, (300, 5), dtype)
            assert (together[:, i] == alone[:, i]).all(), one
            assert (keyrng.geometric(key, np.full((300, 5), one), None, dtype) == alone).all(), one
    # The refined uniform lies in the interval of the coarse one.
    fine, coarse = (keyrng.geometric(key, p, (2000,), "uint32") for p in (9.5e-7, 9.51e-7))
    assert np.abs(fine / (coarse * (9.51 / 9.5)) - 1)[coarse > 10**5].max() < 1e-4


# Words


@pytest.mark.parametrize("path", ["numpy"])
def test_whole_numbers_beyond_signed_integers(path: str) -> None:
    from keyrng.kernels.bits import sum_as_int

    with on(path):
        base = np.array([0.0, 2.0**31 - 128, 2.0**31, 2.0**32 - 256], np.float32)
        assert sum_as_int(base, np.array([5.0, 127.0, -1.0, 255.0], np.float32)).view(np.uint32).tolist() == [
            5, 2**31 - 1, 2**31 - 1, 2**32 - 1,
        ]  # fmt: skip
        wide = np.array([2.0**63 - 1024, 2.0**63, 2.0**64 - 2048])
        assert sum_as_int(wide, np.array([1023.0, -1.0, 2047.0])).view(np.uint64).tolist() == [
            2**63 - 1, 2**63 - 1, 2**64 - 1,
        ]  # fmt: skip
