"""Initialization of PyTorch modules by parameter name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import numpy as np
import torch

from keyrng._core.dtypes import floating_dtype
from keyrng._keys.derive import Key, check_key, fold_in
from keyrng._keys.named import escaped_name
from keyrng._sampling.parameters import Array
from keyrng.initializers.base import Layout, for_layout
from keyrng.interop._torch_tensors import stream_of, to_torch

Tensor: TypeAlias = torch.Tensor
Initializer: TypeAlias = Callable[..., Array]  # init(key, shape, dtype)


def init_module_(
    key: Key, module: torch.nn.Module, rules: Initializer | Mapping[str, Initializer | None]
) -> torch.nn.Module:
    """Initialize the parameters of a module in place, by rules for their names, and return the module.

    Parameters
    ----------
    key : Key
        A key.
    module : torch.nn.Module
        The module.
    rules : callable or dict
        One initializer for all parameters, or a dict from patterns of names, as for ``fnmatch``, to initializers, of
        which the first that matches is used. An initializer is made by ``keyrng.initializers``, or is any function
        ``init(key, shape, dtype)`` that returns an array. None leaves a parameter unchanged.

    Returns
    -------
    torch.nn.Module
        The module.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If no rule matches a parameter, a rule matches no parameter, or a parameter is on the meta device.

    See Also
    --------
    keyrng.initializers.init_tree : The same for trees of shapes.
    assign_keys : Keys for dropout layers.

    Notes
    -----
    The key of the parameter ``encoder.0.weight`` is ``fold_in(key, "encoder/0/weight")``, as of `keyrng.keys_like`:
    adding or reordering layers does not change the values of other layers.

    Initializers of ``keyrng.initializers`` that depend on axes, such as ``he_normal()``, use those of PyTorch's weights
    unless their axes are given: outputs are axis 0 and inputs axis 1, and the reverse in transposed convolutions. For
    grouped convolutions the inputs and outputs of one group count. Other functions receive only the shape.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch
    >>> from keyrng.initializers import he_normal, zeros
    >>> rules = {"*bias": zeros, "*": he_normal()}
    >>> keyrng.interop.torch.init_module_(keyrng.key(0), torch.nn.Linear(2, 2), rules).bias
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """
    check_key(key)
    if not isinstance(rules, Mapping):
        rules = {"*": rules}
    chosen = [(name, parameter, _rule(name, rules)) for name, parameter in module.named_parameters()]
    without = [name for name, _, rule in chosen if rule is None]
    if without:
        raise ValueError(f'no rule matches {", ".join(without)}; add "*": None to leave the rest unchanged')
    idle = [rule for rule in rules if not any(fnmatchcase(name, rule) for name, _, _ in chosen)]
    if idle:
        raise ValueError(f"no parameter matches {', '.join(map(repr, idle))}")
    modules = dict(module.named_modules())
    for name, parameter, rule in chosen:
        initializer = rules[str(rule)]
        if initializer is None:
            continue
        if parameter.is_meta:
            raise ValueError(f"{name} is on the meta device and has no values; call module.to_empty(device=...) first")
        own, shape = fold_in(key, module_path(name)), tuple(parameter.shape)
        with stream_of(parameter), torch.no_grad():
            values = for_layout(initializer, _layout(modules, name))(own, shape, _dtype(parameter))
            if values.shape != shape:
                raise ValueError(f"the initializer of {name} returned shape {values.shape}, expected {shape}")
            parameter.copy_(to_torch(values))
    return module


def _rule(name: str, rules: Mapping[str, Initializer | None]) -> str | None:
    return next((rule for rule in rules if fnmatchcase(name, rule)), None)


def module_path(name: str) -> str:
    """Convert a dotted parameter name to the path of `keyrng.keys_like`."""
    return "/".join(escaped_name(part, ()) for part in name.split("."))


_CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
_TRANSPOSED = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)


def _layout(modules: Mapping[str, torch.nn.Module], name: str) -> Layout:
    """Return the axes of a parameter from its convolution; a parametrization is a module between the two."""
    while name:
        name = name.rpartition(".")[0]
        owner = modules[name]
        if isinstance(owner, _CONVOLUTIONS):
            return Layout(1, 0, owner.groups)
        if isinstance(owner, _TRANSPOSED):
            return Layout(0, 1, owner.groups)
    return Layout(1, 0)


def _dtype(tensor: Tensor) -> np.dtype[Any]:
    """Return the NumPy dtype of a tensor."""
    if tensor.dtype == torch.bfloat16:
        return floating_dtype("bfloat16")
    return np.dtype(str(tensor.dtype).removeprefix("torch."))
