"""Initial weights: those of ``jax.nn.initializers``, and ``sparse``, ``identity`` and ``dirac`` of ``torch.nn.init``.

Each but `zeros` and `ones` returns an initializer, ``init(key, shape, dtype=None, *, out=None)``, which can be pickled.
`init_tree` initializes many weights, each with a key of its name.
"""

from keyrng.initializers.base import Initializer
from keyrng.initializers.fixed import constant, dirac, identity, ones, zeros
from keyrng.initializers.named import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    xavier_normal,
    xavier_uniform,
)
from keyrng.initializers.orthogonal import delta_orthogonal, orthogonal
from keyrng.initializers.plain import normal, sparse, truncated_normal, uniform
from keyrng.initializers.scaling import variance_scaling
from keyrng.initializers.weights import init_tree

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "dirac",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "init_tree",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "sparse",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
