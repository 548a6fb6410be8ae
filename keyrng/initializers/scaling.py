"""variance_scaling: initializers whose variance depends on the numbers of inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike, inexact_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._keys.derive import Key, check_key, is_integer, normalize_axis
from keyrng._sampling.draw import sample_complex_kernel, sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, as_scalar
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.initializers.base import IN_AXIS, JAX, OUT_AXIS, DefaultAxis, Initializer, Layout, on_layout, own
from keyrng.initializers.plain import scaled_normal, scaled_truncated
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import log1p_unchecked
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt
from keyrng.kernels.requirements import non_negative
from keyrng.kernels.special import cospi, sinpi

# Standard deviations of the standard normal truncated to [-2, 2], and of the complex one truncated to radius 2.
_TRUNCATED, _TRUNCATED_COMPLEX = 0.87962566103423978, 0.95311164380491208
_MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")


@kernel(*FLOATS)
def _symmetric(lane: Any, scale: Any) -> Any:
    return (uniform_co(lane) * 2.0 - 1.0) * scale


def _disk(lane: Any) -> tuple[Any, Any]:
    """Radius and angle in half turns of a uniform point in the disk of radius sqrt(2)."""
    radius, turns = lane.split(2)
    return sqrt(uniform_co(radius) * 2.0), uniform_co(turns) * 2.0


def _truncated(lane: Any) -> tuple[Any, Any]:
    """Radius and angle in half turns of a complex normal truncated to radius 2."""
    radius, turns = lane.split(2)
    return sqrt(-log1p_unchecked(uniform_co(radius) * -(1.0 - math.exp(-4.0)))), uniform_co(turns) * 2.0


@kernel(*FLOATS)
def _disk_real(lane: Any, scale: Any) -> Any:
    radius, turns = _disk(lane)
    return radius * cospi(turns) * scale


@kernel(*FLOATS)
def _disk_imag(lane: Any, scale: Any) -> Any:
    radius, turns = _disk(lane)
    return radius * sinpi(turns) * scale


@kernel(*FLOATS)
def _truncated_disk_real(lane: Any, scale: Any) -> Any:
    radius, turns = _truncated(lane)
    return radius * cospi(turns) * scale


@kernel(*FLOATS)
def _truncated_disk_imag(lane: Any, scale: Any) -> Any:
    radius, turns = _truncated(lane)
    return radius * sinpi(turns) * scale


def _root(variance: float, compute: Any, times: float = 1.0) -> Any:
    """Return ``times`` the square root of a variance, in jax's steps and precision if they can represent it."""
    product = compute(variance) * compute(times)
    if np.finfo(compute).tiny <= product < math.inf:
        return np.sqrt(product)
    return compute(math.sqrt(variance) * math.sqrt(times))


def _truncated_normal(key: Key, shape: tuple[int, ...], dtype: Dtype, variance: float, compute: Any, out: Any) -> Array:
    if dtype.kind == "c":
        scale = _root(variance, compute) / compute(_TRUNCATED_COMPLEX)
        return sample_complex_kernel(_truncated_disk_real, _truncated_disk_imag, key, shape, dtype, scale, out=out)
    return scaled_truncated(key, shape, dtype, _root(variance, compute) / compute(_TRUNCATED), out)


def _normal(key: Key, shape: tuple[int, ...], dtype: Dtype, variance: float, compute: Any, out: Any) -> Array:
    return scaled_normal(key, shape, dtype, _root(variance, compute), out)


def _uniform(key: Key, shape: tuple[int, ...], dtype: Dtype, variance: float, compute: Any, out: Any) -> Array:
    if dtype.kind == "c":
        scale = _root(variance, compute)
        return sample_complex_kernel(_disk_real, _disk_imag, key, shape, dtype, scale, out=out)
    return sample_kernel(_symmetric, key, shape, dtype, _root(variance, compute, 3.0), out=out)


_DISTRIBUTIONS = {"truncated_normal": _truncated_normal, "normal": _normal, "uniform": _uniform}


@dataclass(frozen=True)
class _Axes:
    """The axes of inputs, outputs and batches, named as the arguments."""

    in_axis: int | tuple[int, ...]
    out_axis: int | tuple[int, ...]
    batch_axis: int | tuple[int, ...]
    layout: Layout = JAX

    def size(self, name: str, shape: tuple[int, ...], layout: Layout) -> tuple[int, int]:
        """Return the number of elements along one kind of axis, and the number of groups that they are divided into."""
        given = getattr(self, name)
        axes = [layout.axis(axis) for axis in (given if isinstance(given, tuple) else (given,))]
        where = f"{name} of a weight of shape {shape}"
        size = math.prod(shape[normalize_axis(axis, len(shape), where)] for axis in axes)
        # An output is connected to the inputs of its group only, and an input to the outputs.
        return size, layout.groups if isinstance(given, DefaultAxis) and axes == [0] else 1

    def fans(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Return the number of inputs per output and of outputs per input; the other axes are a receptive field."""
        layout = self.layout.around(self.in_axis, self.out_axis, len(shape))
        sizes = (self.size(name, shape, layout) for name in ("in_axis", "out_axis", "batch_axis"))
        (source, sources), (target, targets), (batch, _) = sizes
        field = math.prod(shape) / source / target / batch
        return source * field / sources, target * field / targets


def variance_scaling(
    scale: ArrayLike,
    mode: str,
    distribution: str,
    in_axis: int | Sequence[int] = IN_AXIS,
    out_axis: int | Sequence[int] = OUT_AXIS,
    batch_axis: int | Sequence[int] = (),
    dtype: DTypeLike = None,
) -> Initializer:
    """Return an initializer of random numbers of mean 0 and variance ``scale / n``, where ``n`` depends on the shape.

    Parameters
    ----------
    scale : float
        Zero or more, and finite.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The number ``n``: inputs per output, outputs per input, their mean, or their geometric mean.
    distribution : {"truncated_normal", "normal", "uniform"}
        Distribution of the numbers. The truncated normal is cut off at two standard deviations and scaled so that its
        variance is ``scale / n``. For complex dtypes truncated normal and uniform numbers lie in a disk.
    in_axis, out_axis, batch_axis : int or sequence of ints, optional
        Axes of inputs, of outputs, and of separate weights; all other axes are the receptive field of a convolution.
        The defaults, -2, -1 and (), are the axes of jax's weights; `keyrng.interop.torch.init_module_` replaces
        defaults by the axes of the torch weight.
    dtype : dtype_like, optional
        Default dtype of the arrays: float16, bfloat16, float32 (the default), float64, complex64 or complex128.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``, which raises ValueError if the shape does not have the axes, or
        ``scale`` is too large for the dtype.

    Raises
    ------
    ValueError
        If ``scale`` is negative or infinite, or ``mode`` or ``distribution`` is unknown.

    See Also
    --------
    glorot_normal : The case ``(1.0, "fan_avg", "truncated_normal")``.
    glorot_uniform : The case ``(1.0, "fan_avg", "uniform")``.
    he_normal : The case ``(2.0, "fan_in", "truncated_normal")``.
    lecun_normal : The case ``(1.0, "fan_in", "truncated_normal")``.

    Notes
    -----
    The values are those of ``jax.nn.initializers.variance_scaling``: equal for ``"uniform"`` in float32 and float64,
    and within rounding otherwise. As in jax, the variance of truncated complex numbers is 2 percent too large. The
    modes are those of [1]_ and [2]_.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
       2010.
    .. [2] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: Surpassing human-level performance on
       ImageNet classification", ICCV 2015. https://doi.org/10.1109/ICCV.2015.123

    Examples
    --------
    >>> import keyrng
    >>> init = keyrng.initializers.variance_scaling(1.0, "fan_in", "uniform")
    >>> x = init(keyrng.key(0), (300, 1000))
    >>> bool(abs(x.var() * 300 - 1) < 0.01)
    True
    """
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, got {short_repr(mode)}")
    if not isinstance(distribution, str) or distribution not in _DISTRIBUTIONS:
        raise ValueError(f"distribution must be one of {', '.join(_DISTRIBUTIONS)}, got {short_repr(distribution)}")
    axes = _Axes(_listed("in_axis", in_axis), _listed("out_axis", out_axis), _listed("batch_axis", batch_axis))
    return partial(_scaled, as_scalar(non_negative(scale=scale)), mode, distribution, axes, own(inexact_dtype, dtype))


def _listed(name: str, axis: Any) -> int | tuple[int, ...]:
    if isinstance(axis, DefaultAxis):
        return axis
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    if not all(map(is_integer, axes)):
        raise TypeError(f"{name} must be an int or a tuple of ints, got {short_repr(axis)}")
    return tuple(map(int, axes))


def _scaled_for(
    layout: Layout, scale: float, mode: str, distribution: str, axes: _Axes, default: Dtype | None
) -> Initializer:
    return partial(_scaled, scale, mode, distribution, replace(axes, layout=layout), default)


@on_layout(_scaled_for)
@without_warnings
def _scaled(
    scale: float,
    mode: str,
    distribution: str,
    axes: _Axes,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    check_key(key)
    size, chosen = dimensions(shape), inexact_dtype(default if dtype is None else dtype, out)
    compute = np.float64 if chosen.name in ("float64", "complex128") else np.float32
    # An empty weight has no variance, and a fan of 0 must not be divided by.
    source, target = axes.fans(size) if 0 not in size else (1.0, 1.0)
    count = {
        "fan_in": source,
        "fan_out": target,
        "fan_avg": (source + target) / 2,
        "fan_geo_avg": (source * target) ** 0.5,
    }[mode]
    variance = scale / count
    if not math.sqrt(variance) * 2.0 <= np.finfo(compute).max:
        raise ValueError(f"scale must be small enough for {chosen}, got {scale}")
    return _DISTRIBUTIONS[distribution](key, size, chosen, variance, compute, out)
