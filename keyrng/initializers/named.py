"""Named cases of `variance_scaling`: Glorot, He and LeCun, uniform and normal."""

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
    """Return Glorot's initializer: uniform numbers of variance 1 / (mean of fan-in and fan-out).

    It is ``variance_scaling(1.0, "fan_avg", "uniform")`` [1]_, with these axes and this dtype; ``xavier_uniform`` is
    another name of it.

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype
        As for `variance_scaling`.

    See Also
    --------
    glorot_normal : The same variance with truncated normal numbers.

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
    """Return Glorot's initializer: truncated normal numbers of variance 1 / (mean of fan-in and fan-out).

    It is ``variance_scaling(1.0, "fan_avg", "truncated_normal")`` [1]_, with these axes and this dtype;
    ``xavier_normal`` is another name of it.

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype
        As for `variance_scaling`.

    See Also
    --------
    glorot_uniform : The same variance with uniform numbers.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
       2010.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.glorot_normal()(keyrng.key(0), (2, 2))
    array([[ 1.1704051 ,  1.3784388 ],
           [-0.33173826, -0.0603173 ]], dtype=float32)
    """
    return variance_scaling(1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def he_uniform(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """Return He's initializer: uniform numbers of variance 2 / fan-in.

    It is ``variance_scaling(2.0, "fan_in", "uniform")`` [1]_, with these axes and this dtype; ``kaiming_uniform`` is
    another name of it.

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype
        As for `variance_scaling`.

    See Also
    --------
    he_normal : The same variance with truncated normal numbers.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: Surpassing human-level performance on
       ImageNet classification", ICCV 2015. https://doi.org/10.1109/ICCV.2015.123

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.he_uniform()(keyrng.key(0), (2, 2))
    array([[ 1.550764  ,  1.6578493 ],
           [-0.5809593 , -0.10853563]], dtype=float32)
    """
    return variance_scaling(2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def he_normal(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """Return He's initializer: truncated normal numbers of variance 2 / fan-in.

    It is ``variance_scaling(2.0, "fan_in", "truncated_normal")`` [1]_, with these axes and this dtype;
    ``kaiming_normal`` is another name of it.

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype
        As for `variance_scaling`.

    See Also
    --------
    he_uniform : The same variance with uniform numbers.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: Surpassing human-level performance on
       ImageNet classification", ICCV 2015. https://doi.org/10.1109/ICCV.2015.123

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.he_normal()(keyrng.key(0), (2, 2))
    array([[ 1.655203  ,  1.949407  ],
           [-0.46914878, -0.08530156]], dtype=float32)
    """
    return variance_scaling(2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def lecun_uniform(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """Return LeCun's initializer: uniform numbers of variance 1 / fan-in.

    It is ``variance_scaling(1.0, "fan_in", "uniform")`` [1]_, with these axes and this dtype.

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype
        As for `variance_scaling`.

    See Also
    --------
    lecun_normal : The same variance with truncated normal numbers.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", Neural Networks: Tricks of the Trade,
       LNCS 1524, 1998, 9-50. https://doi.org/10.1007/3-540-49430-8_2

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.lecun_uniform()(keyrng.key(0), (2, 2))
    array([[ 1.0965558 ,  1.1722765 ],
           [-0.4108003 , -0.07674628]], dtype=float32)
    """
    return variance_scaling(1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def lecun_normal(
    in_axis: Axes = IN_AXIS, out_axis: Axes = OUT_AXIS, batch_axis: Axes = (), dtype: DTypeLike = None
) -> Initializer:
    """Return LeCun's initializer: truncated normal numbers of variance 1 / fan-in.

    It is ``variance_scaling(1.0, "fan_in", "truncated_normal")`` [1]_, with these axes and this dtype.

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype
        As for `variance_scaling`.

    See Also
    --------
    lecun_uniform : The same variance with uniform numbers.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", Neural Networks: Tricks of the Trade,
       LNCS 1524, 1998, 9-50. https://doi.org/10.1007/3-540-49430-8_2

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.lecun_normal()(keyrng.key(0), (2, 2))
    array([[ 1.1704051 ,  1.3784388 ],
           [-0.33173826, -0.0603173 ]], dtype=float32)
    """
    return variance_scaling(1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
