"""PyTorch: samples as tensors, generators seeded by keys, initialization by name, and dropout by keys.

Importing it lets ``torch.load`` read keys and generators, which its ``weights_only=True`` would refuse.

Must not be imported by anything in keyrng: it imports what most programs do not have.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import FrameType
from typing import Any, TypeAlias

import numpy as np

from keyrng._core.dtypes import floating_dtype
from keyrng._dropout import dropout as drop
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
    raise ModuleNotFoundError("keyrng.interop.torch needs PyTorch; type: pip install torch") from error

__all__ = ["Dropout", "assign_keys", "dropout", "from_torch", "init_module_", "to_torch", "torch_generator"]

Tensor: TypeAlias = torch.Tensor
Initializer: TypeAlias = Callable[..., Array]  # init(key, shape, dtype)

torch.serialization.add_safe_globals([restored, from_pickle])


# Samples and tensors


def to_torch(sample: Array) -> Tensor:
    """An array as a tensor of the same memory: a sample of keyrng's, on the CPU or on a GPU.

    NumPy's are shared as they are, CuPy's by DLPack, which orders the streams of both. Only a read-only array is
    copied, for a tensor can always be written to.

    TypeError for what is no array, or a dtype that PyTorch does not have.

    >>> import keyrng.interop.torch
    >>> keyrng.interop.torch.to_torch(keyrng.uniform(keyrng.key(0), (3,)))
    tensor([0.9477, 0.9786, 0.3323])
    """
    if is_on_gpu(sample):
        return torch.from_dlpack(as_cupy(sample))
    if not isinstance(sample, (np.ndarray, np.generic)):
        raise TypeError(f"expected an array of NumPy or CuPy, got {type(sample).__name__}")
    shared = np.asarray(sample)
    if not shared.flags.writeable:
        shared = shared.copy()
    if shared.dtype.name == "bfloat16":  # NumPy's comes from ml_dtypes, which PyTorch does not know
        return torch.from_numpy(shared.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(shared)


def from_torch(to_torch: Tensor) -> Array:
    """A tensor as an array of the same memory, NumPy's or CuPy's: for ``out=``, and for parameters of samplers.

    Gradients know nothing of what is written there, so a parameter's values may be replaced by a sample.

    TypeError for what is no tensor, or one on another device than the CPU or a CUDA GPU.

    >>> import torch, keyrng.interop.torch
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
        raise TypeError(f"a tensor on {kind} is no array of NumPy or CuPy; tensor.cpu() copies it to one")
    if values.dtype == torch.bfloat16:
        halves: Array = values.view(torch.int16).numpy()
        return halves.view(floating_dtype("bfloat16"))
    shared: Array = values.numpy()
    return shared


# Generators

# The state of a generator on the CPU, a Mersenne Twister: of all of it these parts decide what comes.
_TWISTER = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words"],
        "formats": ["u8", "i4", "i4", "u8", ("u8", 624)],
        "offsets": [0, 8, 12, 16, 24],
        "itemsize": 5056,
    }
)


def torch_generator(key: Key, device: Any = "cpu") -> torch.Generator:
    """A ``torch.Generator`` seeded by every bit of a key, for PyTorch's own random functions.

    On the CPU all words of its Mersenne Twister are the key's, ``key.generate_state(624)``, where
    ``manual_seed`` takes 32 bits of its seed. Generators of other devices have a seed of 64 bits: it is
    ``key.generate_state(1, "uint64")``. The values are PyTorch's, and those of the installed version.

    TypeError for what is no key, ValueError for keys of another shape than ().

    >>> import torch, keyrng.interop.torch
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
        raise RuntimeError(f"PyTorch {torch.__version__} has another state of generators than this keyrng knows")
    words[0] |= 2**31  # as NumPy does: a state of zeros would stay so
    twister = state.numpy().view(_TWISTER)
    twister["seed"], twister["left"], twister["seeded"], twister["next"], twister["words"] = seed, 1, 1, 0, words
    made.set_state(state)
    return made


# Modules


def init_module_(
    key: Key, module: torch.nn.Module, rules: Initializer | Mapping[str, Initializer | None]
) -> torch.nn.Module:
    """Initialize the parameters of a module in place, each by the first rule that fits its name; returns the module.

    One initializer initializes all parameters. A rule is a pattern, as in ``fnmatch``, and an initializer: one that
    ``keyrng.initializers`` makes, or any function ``init(key, shape, dtype)`` that returns an array. None leaves a
    parameter as it is. The key of the parameter ``encoder.0.weight`` is ``fold_in(key, "encoder/0/weight")``, as by
    `keyrng.keys_like`: a layer more, or another order, changes no other layer's values.

    Initializers of ``keyrng.initializers`` that depend on axes, such as ``he_normal()``, use those of PyTorch's
    weights, unless they name others: outputs are axis 0 and inputs axis 1, and the reverse in transposed convolutions.
    Grouped convolutions count the inputs and outputs of one group. Other functions get the shape alone.

    ValueError for a parameter without a rule, a rule for no parameter, or one on the meta device; TypeError for what
    is no key.

    >>> import torch, keyrng.interop.torch
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
        raise ValueError(f'no rule fits {", ".join(without)}; {{..., "*": None}} leaves the rest as it is')
    idle = [rule for rule in rules if not any(fnmatchcase(name, rule) for name, _, _ in chosen)]
    if idle:
        raise ValueError(f"no parameter has a name like {', '.join(map(repr, idle))}")
    modules = dict(module.named_modules())
    for name, parameter, rule in chosen:
        initializer = rules[str(rule)]
        if initializer is None:
            continue
        if parameter.is_meta:
            raise ValueError(f"{name} is on the meta device, where it has no values; module.to_empty(device=...) first")
        own, shape = fold_in(key, _path(name)), tuple(parameter.shape)
        values = for_layout(initializer, _layout(modules, name))(own, shape, _dtype(parameter))
        if values.shape != parameter.shape:
            raise ValueError(f"the initializer of {name} gives shape {values.shape}, it has {tuple(parameter.shape)}")
        with torch.no_grad():
            parameter.copy_(to_torch(values))
    return module


def _rule(name: str, rules: Mapping[str, Initializer | None]) -> str | None:
    return next((rule for rule in rules if fnmatchcase(name, rule)), None)


def _path(name: str) -> str:
    """A dotted name of PyTorch's as the path that `keyrng.keys_like` has for it."""
    return "/".join(escaped_name(part, ()) for part in name.split("."))


_CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
_TRANSPOSED = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)


def _layout(modules: Mapping[str, torch.nn.Module], name: str) -> Layout:
    """The axes of a parameter, by the convolution that it is in; a parametrization is a module between the two."""
    while name:
        name = name.rpartition(".")[0]
        owner = modules[name]
        if isinstance(owner, _CONVOLUTIONS):
            return Layout(1, 0, owner.groups)
        if isinstance(owner, _TRANSPOSED):
            return Layout(0, 1, owner.groups)
    return Layout(1, 0)


def _dtype(to_torch: Tensor) -> np.dtype[Any]:
    """The dtype of a tensor as NumPy's."""
    if to_torch.dtype == torch.bfloat16:
        return floating_dtype("bfloat16")
    return np.dtype(str(to_torch.dtype).removeprefix("torch."))


# Dropout


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, key: Key, rate: float, dims: int | Sequence[int]) -> Tensor:
        ctx.given = key, rate, dims
        return to_torch(drop(key, from_torch(x), rate, broadcast_dims=dims))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        key, rate, dims = ctx.given
        return _Dropout.apply(gradient, clone(key), rate, dims), None, None, None


def dropout(key: Key, x: Tensor, rate: float = 0.5, *, broadcast_dims: int | Sequence[int] = ()) -> Tensor:
    """``keyrng.dropout`` of a tensor: its bits, and a gradient that needs no mask, for it is made again of the key.

    The key goes to the device of ``x``, if it is not there.

    TypeError for what is no tensor of floats or no key, ValueError for keys of another shape than (), a ``rate``
    outside [0, 1] or an axis that ``x`` does not have.

    >>> import torch, keyrng.interop.torch
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
        raise ValueError(f"dropout of a tensor requires a single key, got keys of shape {key.shape}; keys[0] is one")
    return key


class Dropout(torch.nn.Module):
    """``torch.nn.Dropout`` by a key: forward pass number n of training drops by ``fold_in(key, n)``.

    `assign_keys` gives all layers of a module keys by their names, so a layer can be made without one. Copy number i by
    ``copy.deepcopy`` or ``copy.copy`` has another key, ``fold_in(key, ("dropout copy", i))``. Layers of one module that
    share a key drop the same elements, so the first forward pass of training warns about them.

    ``step`` is n, and goes with ``state_dict()``, so that a run resumed from a checkpoint drops what it would have
    dropped. ``forward(x, key=k)`` drops by k instead and does not count: for activation checkpointing, which runs a
    forward pass twice and must drop the same.

    Workers that have copies of one module each need another key, such as ``fold_in(key, rank)``.

    TypeError for anything but a key, ValueError for keys of another shape than () or a ``rate`` outside [0, 1], and for
    a forward pass of training without a key.

    >>> import torch, keyrng.interop.torch
    >>> layer = keyrng.interop.torch.Dropout(keyrng.key(0), rate=0.5)
    >>> layer(torch.ones(2, 4)).shape, layer.step
    (torch.Size([2, 4]), 1)
    """

    _copies = 0  # made of this layer
    _alone: Key | None = None  # the key that was compared with those of other layers

    def __init__(self, key: Key | None = None, rate: float = 0.5, *, broadcast_dims: int | Sequence[int] = ()) -> None:
        super().__init__()
        as_scalar(probability(rate=rate))
        self.key = None if key is None else _single(key)
        self.rate = rate
        self.broadcast_dims = broadcast_dims
        self.step = 0

    def forward(self, x: Tensor, key: Key | None = None) -> Tensor:
        """``x`` with elements dropped while training, ``x`` itself else."""
        if not self.training:
            return x
        if key is None:
            if self.key is None:
                raise ValueError("this layer has no key; keyrng.interop.torch.assign_keys(module, key) assigns one")
            if self._alone is not self.key and not torch.compiler.is_compiling():
                _warn_if_shared(self)
            key = fold_in(self.key, self.step)
            self.step += 1
        return dropout(key, x, self.rate, broadcast_dims=self.broadcast_dims)

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
        """What goes with ``state_dict()``."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """What came with ``load_state_dict()``."""
        if not is_integer(state["step"]):
            raise TypeError(f"step is an int, got {state['step']!r}")
        self.step = state["step"]

    def extra_repr(self) -> str:
        """What ``print(module)`` shows."""
        return f"rate={self.rate}, step={self.step}"


_COPY = "dropout copy"


def assign_keys(module: torch.nn.Module, key: Key) -> torch.nn.Module:
    """Give each `Dropout` of a module a key by its name, in place; returns the module.

    The layer ``encoder.0.dropout`` gets ``fold_in(key, "encoder/0/dropout")``, whatever other layers there are, and so
    does each module of another class whose attribute ``key`` is a key. With the same key `init_module_` and this use
    different children.

    TypeError for anything but a key, ValueError for keys of another shape than ().

    >>> import torch, keyrng.interop.torch as ktorch
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
    """Warn if the module that runs a layer has another of the same key."""
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
    """The outermost module that has a layer and is running it: a module does not know which modules it is in."""
    whole: torch.nn.Module = layer
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, torch.nn.Module) and any(part is layer for part in owner.modules()):
            whole = owner
        frame = frame.f_back
    return whole
