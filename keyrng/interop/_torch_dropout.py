"""Dropout of PyTorch tensors, with a key."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, TypeAlias

import torch

from keyrng._dropout import dropout as drop
from keyrng._keys.derive import Key, check_key, clone, fold_in, is_integer
from keyrng._sampling.parameters import as_scalar
from keyrng.interop._torch_modules import module_path
from keyrng.interop._torch_tensors import from_torch, stream_of, to_torch
from keyrng.kernels.requirements import probability

Tensor: TypeAlias = torch.Tensor


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, key: Key, rate: float, dims: int | Sequence[int]) -> Tensor:
        ctx.given = key, rate, dims
        with stream_of(x):
            return to_torch(drop(key, from_torch(x), rate, broadcast_dims=dims))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        key, rate, dims = ctx.given
        return _Dropout.apply(gradient, clone(key), rate, dims), None, None, None


def dropout(key: Key, x: Tensor, rate: float = 0.5, *, broadcast_dims: int | Sequence[int] = ()) -> Tensor:
    """Return ``keyrng.dropout`` of a tensor, with a gradient.

    Parameters
    ----------
    key : Key
        One key, which is moved to the device of ``x`` if necessary.
    x : torch.Tensor
        A tensor of floats.
    rate : float, optional
        Probability of dropping an element, in [0, 1]; 0.5 by default.
    broadcast_dims : int or sequence of ints, optional
        Axes of ``x`` along which the mask is shared.

    Returns
    -------
    torch.Tensor
        A tensor with the bits of ``keyrng.dropout``.

    Raises
    ------
    TypeError
        If ``x`` is not a tensor of floats, or ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys, ``rate`` is outside [0, 1], or ``x`` does not have an axis.

    See Also
    --------
    Dropout : The same as a layer.
    keyrng.dropout : The same for arrays.

    Notes
    -----
    The backward pass computes the mask from the key again, so the mask is not stored.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch
    >>> keyrng.interop.torch.dropout(keyrng.key(0), torch.ones(2, 4))
    tensor([[0., 0., 2., 2.],
            [0., 2., 2., 0.]])
    """
    _single(key)
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"expected a tensor, got {type(x).__name__}")
    dropped: Tensor = _Dropout.apply(x, key.to(str(x.device)), rate, broadcast_dims)
    return dropped


def _single(key: Key) -> Key:
    if check_key(key).ndim:
        raise ValueError(f"dropout of a tensor requires a single key, got keys of shape {key.shape}; use keys[0]")
    return key


class Dropout(torch.nn.Module):
    """A layer like ``torch.nn.Dropout``, whose masks are determined by a key.

    Parameters
    ----------
    key : Key, optional
        One key. A layer without one gets it from `assign_keys`.
    rate : float, optional
        Probability of dropping an element, in [0, 1]; 0.5 by default.
    broadcast_dims : int or sequence of ints, optional
        Axes of the input along which the mask is shared.

    Attributes
    ----------
    key : Key or None
        The key.
    step : int
        Number of forward passes in training.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys or ``rate`` is outside [0, 1]; in a forward pass of training, if there is no key.

    See Also
    --------
    assign_keys : Keys for all layers of a module.
    dropout : The function.

    Notes
    -----
    Forward pass n of training drops by ``fold_in(key, n)``. n is the attribute ``step``, which is part of
    ``state_dict()``, so a run resumed from a checkpoint uses the same masks as one without interruption.
    ``forward(x, key=k)`` drops by k instead and does not count. Use it with activation checkpointing, which runs a
    forward pass twice and requires equal masks.

    `assign_keys` gives all layers of a module keys by their names. Copy i of a layer, by ``copy.deepcopy`` or
    ``copy.copy``, has the key ``fold_in(key, ("dropout copy", i))``. Layers of one module that share a key drop the
    same elements, so the first forward pass of training warns about them. Workers with copies of one module each need
    another key, such as ``fold_in(key, rank)``.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch
    >>> layer = keyrng.interop.torch.Dropout(keyrng.key(0), rate=0.5)
    >>> layer(torch.ones(2, 4)).shape, layer.step
    (torch.Size([2, 4]), 1)
    """

    _copies = 0  # copies made so far
    _alone: Key | None = None  # the key already compared with those of other layers
    _moved: tuple[Key, Key] | None = None  # the key, and the same key on the device of the tensors

    def __init__(self, key: Key | None = None, rate: float = 0.5, *, broadcast_dims: int | Sequence[int] = ()) -> None:
        super().__init__()
        as_scalar(probability(rate=rate))
        self.key = None if key is None else _single(key)
        self.rate = rate
        self.broadcast_dims = broadcast_dims
        self.step = 0

    def forward(self, x: Tensor, key: Key | None = None) -> Tensor:
        """Return ``x`` with dropped elements in training, and ``x`` itself otherwise."""
        if not self.training:
            return x
        if key is None:
            if self.key is None:
                raise ValueError("this layer has no key; use keyrng.interop.torch.assign_keys(module, key)")
            if self._alone is not self.key and not torch.compiler.is_compiling():
                _warn_if_shared(self)
            key = fold_in(self._key_at(self.key, x.device), self.step)
            self.step += 1
        return dropout(key, x, self.rate, broadcast_dims=self.broadcast_dims)

    def _key_at(self, key: Key, device: torch.device) -> Key:
        """The layer's key on a device, moved there once: a graph that is captured holds no copy from the host."""
        if self._moved is None or self._moved[0] is not key or self._moved[1].device != str(device):
            self._moved = key, key.to(str(device))
        return self._moved[1]

    def __copy__(self) -> Dropout:
        return self._copied(lambda made: self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Dropout:
        def state(made: Dropout) -> dict[str, Any]:
            memo[id(self)] = made
            return copy.deepcopy(self.__dict__, memo)

        return self._copied(state)

    def _copied(self, state: Callable[[Dropout], dict[str, Any]]) -> Dropout:
        made = type(self).__new__(type(self))
        made.__dict__.update(state(made))
        if self.key is not None:
            made.key = fold_in(self.key, (_COPY, self._copies))
        made._copies = 0
        self._copies += 1
        return made

    def get_extra_state(self) -> dict[str, int]:
        """Return the part of ``state_dict()`` that belongs to this class."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Restore the result of `get_extra_state`, for ``load_state_dict()``."""
        if not is_integer(state["step"]):
            raise TypeError(f"step must be an int, got {state['step']!r}")
        self.step = state["step"]

    def extra_repr(self) -> str:
        """Return the text that ``print(module)`` shows."""
        return f"rate={self.rate}, step={self.step}"


_COPY = "dropout copy"


def assign_keys(module: torch.nn.Module, key: Key) -> torch.nn.Module:
    """Give each `Dropout` of a module a key by its name, in place, and return the module.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    key : Key
        One key.

    Returns
    -------
    torch.nn.Module
        The module.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys.

    See Also
    --------
    init_module_ : Initial values of parameters.

    Notes
    -----
    The layer ``encoder.0.dropout`` gets ``fold_in(key, "encoder/0/dropout")``, whatever other layers there are. So does
    each module of another class whose attribute ``key`` is a key. `init_module_` with the same key uses other children
    of it.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch as ktorch
    >>> net = torch.nn.Sequential(ktorch.Dropout(rate=0.1), torch.nn.Linear(4, 4), ktorch.Dropout(rate=0.1))
    >>> bool(ktorch.assign_keys(net, keyrng.key(0))[2].key == keyrng.fold_in(keyrng.key(0), "2"))
    True
    """
    _single(key)
    for name, layer in module.named_modules():
        if isinstance(layer, Dropout) or isinstance(getattr(layer, "key", None), Key):
            layer.key = fold_in(key, module_path(name))
    return module


def _warn_if_shared(layer: Dropout) -> None:
    """Warn if another layer of the running module has the same key."""
    whole = _whole(layer)
    layers = [(name, other) for name, other in whole.named_modules() if isinstance(other, Dropout)]
    names = []
    for name, other in layers:
        if other.key is not None and bool(other.key == layer.key):
            other._alone = other.key
            names.append(name)
    if len(names) > 1:
        warnings.warn(
            f"layers {', '.join(names)} of {type(whole).__name__} share a key and drop the same elements; "
            "keyrng.interop.torch.assign_keys(module, key) gives each layer a key by its name",
            stacklevel=3,
        )


def _whole(layer: Dropout) -> torch.nn.Module:
    """Return the outermost running module that contains a layer; modules do not store their parents."""
    whole: torch.nn.Module = layer
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, torch.nn.Module) and any(part is layer for part in owner.modules()):
            whole = owner
        frame = frame.f_back
    return whole
