"""The polynomials of the inverse error function in float64, and the table that holds them."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from keyrng.kernels.erfinv import erfinv
from keyrng.kernels.erfinv_table import LARGEST, PIECEWISE
from keyrng.kernels.lookup import Table, lookup


def exact_ratio(v: Any) -> Any:
    """Return erfinv(x) / x for v = LARGEST - x, as a number of mpmath."""
    x = LARGEST - v
    return mpmath.erfinv(x) / x


def interpolating_polynomial(octave: int, middle: Any, degree: int) -> list[Any]:
    """Return the coefficients, highest order first, of the polynomial through the Chebyshev nodes of a half octave."""
    nodes = [mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * degree + 2)) / 4 for k in range(degree + 1)]
    differences = [exact_ratio(mpmath.ldexp(middle + z, octave)) for z in nodes]
    for order in range(1, degree + 1):
        for k in range(degree, order - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) / (nodes[k] - nodes[k - order])
    powers = [mpmath.mpf(0)] * (degree + 1)  # lowest order first
    for k in range(degree, -1, -1):
        shifted = [mpmath.mpf(0), *powers[:-1]]
        powers = [s - nodes[k] * p for s, p in zip(shifted, powers, strict=True)]
        powers[0] += differences[k]
    return powers[::-1]


@pytest.mark.parametrize("octave", range(-8, 0))
@pytest.mark.parametrize("upper", [False, True])
def test_the_table_interpolates(octave: int, upper: bool) -> None:
    degree = len(PIECEWISE.columns) - 1
    with mpmath.workdps(50):
        middle = mpmath.mpf(1.75 if upper else 1.25)
        coefficients = interpolating_polynomial(octave, middle, degree)
        row = np.float64(mpmath.ldexp(middle, octave)).view(np.uint64) >> np.uint64(51) & np.uint64(15)

        assert PIECEWISE.columns[:, row].tolist() == [float(c) for c in coefficients]
        for z in np.linspace(-0.25, 0.2499, 40):
            exact = exact_ratio(mpmath.ldexp(middle + z, octave))
            value = mpmath.fsum(c * z ** (degree - k) for k, c in enumerate(coefficients))
            assert abs(value / exact - 1) < 0.45 * 2**-53


def test_the_centre_is_accurate() -> None:
    x = np.random.default_rng(2026).uniform(-1 + 2.0**-8, 1 - 2.0**-8, 4000)
    ends = [LARGEST - np.ldexp(m, e) for e in range(-8, 0) for m in (1.0, 1.5)]
    small = [2.0**-53, 2.0**-54, 2.0**-60, 1e-300, 5e-324]
    x = np.concatenate([x, ends, np.nextafter(ends, 0), np.nextafter(ends, 1), small])
    with mpmath.workdps(50):
        exact = [mpmath.erfinv(v) for v in x.tolist()]
        errors = [float(abs(y / e - 1)) * 2**53 for y, e in zip(erfinv(x).tolist(), exact, strict=True)]

    print(f"largest error {max(errors[:-1]):.2f}, mean {np.mean(errors[:-1]):.3f}, in units of 2**-53")
    assert max(errors[:-1]) < 4
    assert erfinv(np.array([5e-324]))[0] == 5e-324


def test_lookup_refuses_what_it_cannot_look_up() -> None:
    with pytest.raises(ValueError, match=r"columns must have 16 numbers each, got shape \(2, 8\)"):
        Table(np.ones((2, 8)).tolist())
    with pytest.raises(TypeError, match=r"index of lookup\(\) must be uint64, got uint32; use cast\(\)"):
        lookup(PIECEWISE, np.zeros(3, np.uint32))
