"""PyTorch: samples as tensors, generators seeded by keys, initialization by name, and dropout by keys.

Must not be imported by anything in keyrng: it imports what most programs do not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import numpy as np

from keyrng.backends.memory import is_on_device, on_device
from keyrng.dropout import dropout as drop
from keyrng.dtypes import floating
from keyrng.keys import Key, _is_integer, check_key, fold_in
from keyrng.parameters import Array
from keyrng.trees import _escaped

try:
    import torch
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("keyrng.interop.torch needs PyTorch; type: pip install torch") from error

__all__ = ["Dropout", "array", "dropout", "generator", "init_", "tensor"]

Tensor: TypeAlias = torch.Tensor
Initializer: TypeAlias = Callable[..., Array]  # init(key, shape, dtype)


# Samples and tensors


def tensor(sample: Array) -> Tensor:
    """An array as a tensor of the same memory: a sample of keyrng's, on the CPU or on a GPU.

    NumPy's are shared as they are, CuPy's by DLPack, which orders the streams of both. Only a read-only array is
    copied, for a tensor can always be written to.

    TypeError for what is no array, or a dtype that PyTorch does not have.

    >>> import keyrng.interop.torch
    >>> keyrng.interop.torch.tensor(keyrng.uniform(keyrng.key(0), (3,)))
    tensor([0.9477, 0.9786, 0.3323])
    """
    if is_on_device(sample):
        return torch.from_dlpack(on_device(sample))
    if not isinstance(sample, (np.ndarray, np.generic)):
        raise TypeError(f"expected an array of NumPy or CuPy, got {type(sample).__name__}")
    shared = np.asarray(sample)
    if not shared.flags.writeable:
        shared = shared.copy()
    if shared.dtype.name == "bfloat16":  # NumPy's comes from ml_dtypes, which PyTorch does not know
        return torch.from_numpy(shared.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(shared)


def array(tensor: Tensor) -> Array:
    """A tensor as an array of the same memory, NumPy's or CuPy's: for ``out=``, and for parameters of samplers.

    Gradients know nothing of what is written there, so a parameter's values may be replaced by a sample.

    TypeError for what is no tensor, or one on another device than the CPU or a CUDA GPU.

    >>> import torch, keyrng.interop.torch
    >>> weight = torch.empty(3)
    >>> _ = keyrng.uniform(keyrng.key(0), out=keyrng.interop.torch.array(weight))
    >>> weight
    tensor([0.9477, 0.9786, 0.3323])
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"expected a tensor, got {type(tensor).__name__}")
    kind, values = tensor.device.type, tensor.detach()
    if kind == "cuda":
        return on_device(values)
    if kind != "cpu":
        raise TypeError(f"a tensor on {kind} is no array of NumPy or CuPy; tensor.cpu() copies it to one")
    if values.dtype == torch.bfloat16:
        halves: Array = values.view(torch.int16).numpy()
        return halves.view(floating("bfloat16"))
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


def generator(key: Key, device: Any = "cpu") -> torch.Generator:
    """A ``torch.Generator`` seeded by every bit of a key, for PyTorch's own random functions.

    On the CPU all words of its Mersenne Twister are the key's, ``key.generate_state(624)``, where
    ``manual_seed`` takes 32 bits of its seed. Generators of other devices have a seed of 64 bits: it is
    ``key.generate_state(1, "uint64")``. The values are PyTorch's, and those of the installed version.

    TypeError for what is no key, ValueError for keys of another shape than ().

    >>> import torch, keyrng.interop.torch
    >>> torch.randperm(5, generator=keyrng.interop.torch.generator(keyrng.key(0)))
    tensor([1, 2, 0, 4, 3])
    """
    check_key(key)
    seed = int(key.generate_state(1, np.uint64)[0])
    made = torch.Generator(device)
    if made.device.type != "cpu":
        return made.manual_seed(seed)
    state = made.get_state()
    if state.numel() != _TWISTER.itemsize:
        raise RuntimeError(f"PyTorch {torch.__version__} has another state of generators than this keyrng knows")
    words = key.generate_state(624)
    words[0] |= 2**31  # as NumPy does: a state of zeros would stay so
    twister = state.numpy().view(_TWISTER)
    twister["seed"], twister["left"], twister["seeded"], twister["next"], twister["words"] = seed, 1, 1, 0, words
    made.set_state(state)
    return made


# Modules


def init_(module: torch.nn.Module, key: Key, rules: Mapping[str, Initializer | None]) -> torch.nn.Module:
    """Initialize the parameters of a module in place, each by the first rule that fits its name; returns the module.

    A rule is a pattern, as in ``fnmatch``, and an initializer: what ``keyrng.initializers`` makes, or any function
    ``init(key, shape, dtype)`` that returns an array. None leaves a parameter as it is. The key of the parameter
    ``encoder.0.weight`` is ``fold_in(key, "encoder/0/weight")``, as by `keyrng.named_keys`: a layer more, or another
    order, changes no other layer's values.

    PyTorch's weights have the outputs first, those of ``jax.nn.initializers`` last:
    ``he_normal(in_axis=1, out_axis=0)`` is right for ``Linear`` and for convolutions.

    ValueError for a parameter without a rule, a rule for no parameter, or one on the meta device; TypeError for what
    is no key.

    >>> import torch, keyrng.interop.torch
    >>> from keyrng.initializers import he_normal, zeros
    >>> rules = {"*bias": zeros, "*": he_normal(in_axis=1, out_axis=0)}
    >>> keyrng.interop.torch.init_(torch.nn.Linear(2, 2), keyrng.key(0), rules).bias
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """
    check_key(key)
    chosen = [(name, parameter, _rule(name, rules)) for name, parameter in module.named_parameters()]
    without = [name for name, _, rule in chosen if rule is None]
    if without:
        raise ValueError(f'no rule fits {", ".join(without)}; {{..., "*": None}} leaves the rest as it is')
    idle = [rule for rule in rules if not any(fnmatchcase(name, rule) for name, _, _ in chosen)]
    if idle:
        raise ValueError(f"no parameter has a name like {', '.join(map(repr, idle))}")
    for name, parameter, rule in chosen:
        initializer = rules[str(rule)]
        if initializer is None:
            continue
        if parameter.is_meta:
            raise ValueError(f"{name} is on the meta device, where it has no values; module.to_empty(device=...) first")
        path = "/".join(_escaped(part, ()) for part in name.split("."))
        values = initializer(fold_in(key, path), tuple(parameter.shape), _dtype(parameter))
        if values.shape != parameter.shape:
            raise ValueError(f"the initializer of {name} gives shape {values.shape}, it has {tuple(parameter.shape)}")
        with torch.no_grad():
            parameter.copy_(tensor(values))
    return module


def _rule(name: str, rules: Mapping[str, Initializer | None]) -> str | None:
    return next((rule for rule in rules if fnmatchcase(name, rule)), None)


def _dtype(tensor: Tensor) -> np.dtype[Any]:
    """The dtype of a tensor as NumPy's."""
    if tensor.dtype == torch.bfloat16:
        return floating("bfloat16")
    return np.dtype(str(tensor.dtype).removeprefix("torch."))


# Dropout


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, key: Key, rate: float, dims: int | Sequence[int]) -> Tensor:
        ctx.given = key, rate, dims
        return tensor(drop(key, array(x), rate, broadcast_dims=dims))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return _Dropout.apply(gradient, *ctx.given), None, None, None


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
    if check_key(key).ndim:
        raise ValueError(f"dropout of a tensor takes a single key, got keys of shape {key.shape}; keys[0] is one")
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"expected a tensor, got {type(x).__name__}")
    dropped: Tensor = _Dropout.apply(x, key.to(str(x.device)), rate, broadcast_dims)
    return dropped


class Dropout(torch.nn.Module):
    """``torch.nn.Dropout`` by a key: forward pass number n of training drops by ``fold_in(key, n)``.

    ``step`` is n, and goes with ``state_dict()``, so that a run resumed from a checkpoint drops what it would have
    dropped. ``forward(x, key=k)`` drops by k instead and does not count: for activation checkpointing, which runs a
    forward pass twice and must drop the same.

    Two modules of one key, such as copies, drop alike: give each its own, ``fold_in(key, name)``, and each worker its
    own of these, ``fold_in(key, rank)``.

    TypeError for what is no key, ValueError for keys of another shape than () or a ``rate`` outside [0, 1].

    >>> import torch, keyrng.interop.torch
    >>> layer = keyrng.interop.torch.Dropout(keyrng.key(0), rate=0.5)
    >>> layer(torch.ones(2, 4)).shape, layer.step
    (torch.Size([2, 4]), 1)
    """

    def __init__(self, key: Key, rate: float = 0.5, *, broadcast_dims: int | Sequence[int] = ()) -> None:
        super().__init__()
        dropout(key, torch.zeros(0), rate)  # refuses what could not be dropped by
        self.key = key
        self.rate = rate
        self.broadcast_dims = broadcast_dims
        self.step = 0

    def forward(self, x: Tensor, key: Key | None = None) -> Tensor:
        """``x`` with elements dropped while training, ``x`` itself else."""
        if not self.training:
            return x
        if key is None:
            key = fold_in(self.key, self.step)
            self.step += 1
        return dropout(key, x, self.rate, broadcast_dims=self.broadcast_dims)

    def get_extra_state(self) -> dict[str, int]:
        """What goes with ``state_dict()``."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """What came with ``load_state_dict()``."""
        if not _is_integer(state["step"]):
            raise TypeError(f"step is an int, got {state['step']!r}")
        self.step = state["step"]

    def extra_repr(self) -> str:
        """What ``print(module)`` shows."""
        return f"rate={self.rate}, step={self.step}"
