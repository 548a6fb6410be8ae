"""PyTorch: samples as tensors, generators from keys, initialization by parameter name, and dropout.

The import registers keys and generators with ``torch.load``, which rejects unknown types by default
(``weights_only=True``).
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fnmatch import fnmatchcase
from types import FrameType
from typing import Any, TypeAlias

import numpy as np

from keyrng._core.dtypes import floating_dtype
from keyrng._dropout import dropout as drop
from keyrng._executors import gpu
from keyrng._executors.device import as_cupy, is_on_gpu
from keyrng._generator import from_pickle
from keyrng._keys.derive import Key, check_key, clone, fold_in, is_integer
from keyrng._keys.key import restored
from keyrng._keys.named import escaped_name
from keyrng._sampling.parameters import Array, as_scalar, probability
from keyrng.initializers.base import Layout, for_layout

try:
    import torch
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("keyrng.interop.torch requires PyTorch; type: pip install torch") from error

__all__ = ["Dropout", "assign_keys", "dropout", "from_torch", "init_module_", "to_torch", "torch_generator"]

Tensor: TypeAlias = torch.Tensor
Initializer: TypeAlias = Callable[..., Array]  # init(key, shape, dtype)

torch.serialization.add_safe_globals([restored, from_pickle])


# Samples and tensors


def to_torch(sample: Array) -> Tensor:
    """Return an array as a tensor that shares its memory.

    Parameters
    ----------
    sample : ndarray
        An array of NumPy or CuPy, such as a sample.

    Returns
    -------
    torch.Tensor
        A tensor on the device of the array. A read-only array is copied, because tensors are always writable.

    Raises
    ------
    TypeError
        If ``sample`` is not an array, or PyTorch does not have its dtype.

    See Also
    --------
    from_torch : The inverse.

    Notes
    -----
    Arrays of CuPy are exchanged by DLPack, which orders the streams of both libraries.

    Examples
    --------
    >>> import keyrng, keyrng.interop.torch
    >>> keyrng.interop.torch.to_torch(keyrng.uniform(keyrng.key(0), (3,)))
    tensor([0.9477, 0.9786, 0.3323])
    """
    if is_on_gpu(sample):
        return torch.from_dlpack(as_cupy(sample))
    if not isinstance(sample, (np.ndarray, np.generic)):
        raise TypeError(f"expected a NumPy or CuPy array, got {type(sample).__name__}")
    shared = np.asarray(sample)
    if not shared.flags.writeable:
        shared = shared.copy()
    if shared.dtype.name == "bfloat16":  # torch does not know ml_dtypes
        return torch.from_numpy(shared.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(shared)


def from_torch(to_torch: Tensor) -> Array:
    """Return a tensor as an array of NumPy or CuPy that shares its memory.

    Parameters
    ----------
    to_torch : torch.Tensor
        A tensor on the CPU or a CUDA GPU.

    Returns
    -------
    ndarray
        An array, for ``out=`` and for the parameters of samplers.

    Raises
    ------
    TypeError
        If the argument is not a tensor, or is on another device.

    See Also
    --------
    to_torch : The inverse.

    Notes
    -----
    Autograd does not record writes to the array, so the values of a parameter can be replaced by a sample.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch
    >>> weight = torch.empty(3)
    >>> _ = keyrng.uniform(keyrng.key(0), out=keyrng.interop.torch.from_torch(weight))
    >>> weight
    tensor([0.9477, 0.9786, 0.3323])
    """
    if not isinstance(to_torch, torch.Tensor):
        raise TypeError(f"expected a tensor, got {type(to_torch).__name__}")
    kind, values = to_torch.device.type, to_torch.detach()
    if kind == "cuda":
        return as_cupy(values)
    if kind != "cpu":
        raise TypeError(f"a tensor on {kind} cannot be shared with NumPy or CuPy; use tensor.cpu()")
    if values.dtype == torch.bfloat16:
        halves: Array = values.view(torch.int16).numpy()
        return halves.view(floating_dtype("bfloat16"))
    shared: Array = values.numpy()
    return shared


def _stream_of(tensor: Tensor) -> AbstractContextManager[Any]:
    """PyTorch's current stream of a tensor's device, made the one on which keyrng draws.

    DLPack orders a stream that reads after the one that wrote, and not what is done with the memory afterwards.
    """
    if tensor.device.type != "cuda":
        return nullcontext()
    return _on_stream(tensor.device)


@contextmanager
def _on_stream(device: torch.device) -> Iterator[None]:
    cuda = gpu.cupy().cuda
    with cuda.Device(device.index), cuda.Stream.from_external(torch.cuda.current_stream(device)):
        yield


# Generators

# The state of a CPU generator, a Mersenne Twister: the parts that determine its values.
_TWISTER = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words"],
        "formats": ["u8", "i4", "i4", "u8", ("u8", 624)],
        "offsets": [0, 8, 12, 16, 24],
        "itemsize": 5056,
    }
)


def torch_generator(key: Key, device: Any = "cpu") -> torch.Generator:
    """Return a ``torch.Generator`` that is seeded by a key, for the random functions of PyTorch.

    Parameters
    ----------
    key : Key
        One key.
    device : str or torch.device, optional
        Device of the generator; ``"cpu"`` by default.

    Returns
    -------
    torch.Generator
        A generator. Its values are those of the installed PyTorch.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys.

    See Also
    --------
    Generator : Samplers of keyrng as methods of a generator.

    Notes
    -----
    On the CPU all words of the Mersenne Twister are those of the key, ``key.generate_state(624)``; ``manual_seed`` uses
    32 bits of its seed. Generators of other devices have a seed of 64 bits, which is
    ``key.generate_state(1, "uint64")``.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch
    >>> torch.randperm(5, generator=keyrng.interop.torch.torch_generator(keyrng.key(0)))
    tensor([1, 2, 0, 4, 3])
    """
    words = check_key(key).generate_state(624)
    seed = int(words[0]) | int(words[1]) << 32
    made = torch.Generator(device)
    if made.device.type != "cpu":
        return made.manual_seed(seed)
    state = made.get_state()
    if state.numel() != _TWISTER.itemsize:
        raise RuntimeError(f"unsupported state of generators in PyTorch {torch.__version__}")
    words[0] |= 2**31  # as in NumPy, because a state of zeros is a fixed point
    twister = state.numpy().view(_TWISTER)
    twister["seed"], twister["left"], twister["seeded"], twister["next"], twister["words"] = seed, 1, 1, 0, words
    made.set_state(state)
    return made


# Modules


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
        own, shape = fold_in(key, _path(name)), tuple(parameter.shape)
        with _stream_of(parameter), torch.no_grad():
            values = for_layout(initializer, _layout(modules, name))(own, shape, _dtype(parameter))
            if values.shape != shape:
                raise ValueError(f"the initializer of {name} returned shape {values.shape}, expected {shape}")
            parameter.copy_(to_torch(values))
    return module


def _rule(name: str, rules: Mapping[str, Initializer | None]) -> str | None:
    return next((rule for rule in rules if fnmatchcase(name, rule)), None)


def _path(name: str) -> str:
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


def _dtype(to_torch: Tensor) -> np.dtype[Any]:
    """Return the NumPy dtype of a tensor."""
    if to_torch.dtype == torch.bfloat16:
        return floating_dtype("bfloat16")
    return np.dtype(str(to_torch.dtype).removeprefix("torch."))


# Dropout


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, key: Key, rate: float, dims: int | Sequence[int]) -> Tensor:
        ctx.given = key, rate, dims
        with _stream_of(x):
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
            layer.key = fold_in(key, _path(name))
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
