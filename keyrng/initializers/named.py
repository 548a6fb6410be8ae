"""The cases of `variance_scaling` that have names: of Glorot, of He and of LeCun, uniform and normal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from keyrng._core.dtypes import DTypeLike
from keyrng.initializers.base import IN_AXIS, OUT_AXIS, Initializer
from keyrng.initializers.scaling import variance_scaling

Axes: TypeAlias = int | Sequence[int]


def glorot_uniform(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """Return Glorot's initializer: uniform numbers of variance 1 divided by the mean number of inputs and outputs.

    Parameters
    ----------
    in_axis, out_axis, batch_axis : int or sequence of ints, optional
        Axes of inputs, of outputs and of separate weights, as for `variance_scaling`.
    dtype : dtype_like, optional
        Default dtype of the arrays, as for `variance_scaling`.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``.

    See Also
    --------
    glorot_normal : The same variance with truncated normal numbers.
    variance_scaling : The general case.

    Notes
    -----
    This is ``variance_scaling(1.0, "fan_avg", "uniform")`` [1]_ with these axes and dtype. ``xavier_uniform`` is
    another name of it.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
       2010.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.glorot_uniform()(keyrng.key(0), (2, 2))
    array([[ 1.0965558 ,  1.1722765 ],
           [-0.4108003 , -0.07674628]], dtype=float32)
    """
    return variance_scaling(1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype)


def glorot_normal(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """Glorot's: truncated normal numbers of variance one over the mean fan, also ``xavier_normal``.

    ``variance_scaling(1.0, "fan_avg", "truncated_normal")`` with these axes and dtype.

    >>> import keyrng
    >>> keyrng.initializers.glorot_normal()(keyrng.key(0), (2, 3)).shape
    (2, 3)
    """
    return variance_scaling(1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def he_uniform(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """He's: uniform numbers of variance one over half the inputs, also ``kaiming_uniform``.

    ``variance_scaling(2.0, "fan_in", "uniform")`` with these axes and dtype.

    >>> import keyrng
    >>> keyrng.initializers.he_uniform()(keyrng.key(0), (2, 3)).shape
    (2, 3)
    """
    return variance_scaling(2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def he_normal(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """He's: truncated normal numbers of variance one over half the inputs, also ``kaiming_normal``.

    ``variance_scaling(2.0, "fan_in", "truncated_normal")`` with these axes and dtype.

    >>> import keyrng
    >>> keyrng.initializers.he_normal()(keyrng.key(0), (2, 3)).shape
    (2, 3)
    """
    return variance_scaling(2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def lecun_uniform(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """LeCun's: uniform numbers of variance one over the inputs.

    ``variance_scaling(1.0, "fan_in", "uniform")`` with these axes and dtype.

    >>> import keyrng
    >>> keyrng.initializers.lecun_uniform()(keyrng.key(0), (2, 3)).shape
    (2, 3)
    """
    return variance_scaling(1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def lecun_normal(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """LeCun's: truncated normal numbers of variance one over the inputs.

    ``variance_scaling(1.0, "fan_in", "truncated_normal")`` with these axes and dtype.

    >>> import keyrng
    >>> keyrng.initializers.lecun_normal()(keyrng.key(0), (2, 3)).shape
    (2, 3)
    """
    return variance_scaling(1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
