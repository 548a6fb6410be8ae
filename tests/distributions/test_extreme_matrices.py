"""Samplers of vectors and matrices, and initializers, at the limits of the dtypes; see test_extreme_parameters.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import FLOATS
from test_extreme_parameters import KEY, call, computing, limits

from keyrng import initializers


@pytest.mark.parametrize("dtype", FLOATS)
def test_extreme_covariances(dtype: str) -> None:
    largest, normal, least = limits(computing(dtype))
    for variance in (largest, largest / 4, normal, least):
        root = float(np.sqrt(variance))
        for cov in (np.diag([variance] * 2), variance * np.array([[1.0, 0.5], [0.5, 1.0]])):
            for method in ("cholesky", "svd", "eigh"):
                x = call("multivariate_normal", dtype, 4000, mean=[0.0, 0.0], cov=cov, method=method).astype(float)
                assert not np.isnan(x).any()
                if dtype in ("float32", "float64"):
                    assert (abs((x / root).std(axis=0) - 1) < 0.1).all(), (variance, method)
            x = call("wishart", dtype, 4000, df=3.0, scale=cov).astype(float)
            assert not np.isnan(x).any()
            if dtype in ("float32", "float64") and variance == normal:
                assert abs((x[:, 0, 0] / variance).mean() - 3) < 0.3
    for df in (largest, 2.0**-149, least):
        x = call("wishart", dtype, 10, df=df, scale=[[0.5]]).astype(float)
        assert (x == 0).all() if df < 1 else (x > 1e4).all()
    with pytest.raises(ValueError, match="cov must be symmetric"):
        call("multivariate_normal", dtype, 2, mean=[0, 0], cov=[[1.0, largest], [-largest, 1.0]])


def test_a_wishart_of_wide_scales_keeps_its_small_numbers() -> None:
    x = call("wishart", "float32", 1000, df=5.0, scale=np.diag([3e37, 1e-30]))

    assert abs((x[:, 1, 1] / 1e-30).mean() - 5) < 0.6
    assert x.tobytes() == np.swapaxes(x, -1, -2).tobytes()
    correlation = x[:, 0, 1] / np.sqrt(x[:, 0, 0] * x[:, 1, 1].astype(float))
    assert abs(correlation[np.isfinite(correlation)].mean()) < 0.1


@pytest.mark.parametrize("dtype", FLOATS)
def test_extreme_initializers(dtype: str) -> None:
    largest, _, least = limits(computing(dtype))
    made: list[Callable[[float], Any]] = [
        initializers.uniform, initializers.normal, initializers.truncated_normal, initializers.orthogonal,
        initializers.delta_orthogonal, lambda scale: initializers.sparse(0.5, scale),
        *(lambda scale, kind=kind: initializers.variance_scaling(scale, "fan_in", kind)
          for kind in ("normal", "truncated_normal", "uniform")),
    ]  # fmt: skip
    for make in made:
        for scale in (largest, 1e-20, least, 0.0):
            with np.errstate(all="raise"):
                assert not np.isnan(make(scale)(KEY, (3, 4, 5)[-2 - (make is made[4]) :], dtype).astype(float)).any()
        if computing(dtype) == "float32":
            with np.errstate(all="raise"), pytest.raises(ValueError, match=r"(scale|stddev) must be"):
                make(1e300)(KEY, (3, 4, 5)[-2 - (make is made[4]) :], dtype)


def test_a_variance_may_be_what_its_root_is_not() -> None:
    for kind in ("normal", "truncated_normal", "uniform"):
        for scale in (1e60, 1e-60):
            with np.errstate(all="raise"):
                x = initializers.variance_scaling(scale, "fan_in", kind)(KEY, (100, 100)).astype(float)
            assert abs(x.std() / scale**0.5 * 10 - 1) < 0.1
