"""PyTorch: samples as tensors, generators from keys, initialization by parameter name, and dropout.

The import registers keys and generators with ``torch.load``, which rejects unknown types by default
(``weights_only=True``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._generator import from_pickle
from keyrng._keys.derive import Key, check_key
from keyrng._keys.key import restored

try:
    import torch
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("keyrng.interop.torch requires PyTorch; type: pip install torch") from error

from keyrng.interop._torch_dropout import Dropout, assign_keys, dropout
from keyrng.interop._torch_modules import init_module_
from keyrng.interop._torch_tensors import from_torch, to_torch

__all__ = ["Dropout", "assign_keys", "dropout", "from_torch", "init_module_", "to_torch", "torch_generator"]


torch.serialization.add_safe_globals([restored, from_pickle])

# Pickles and error messages name the public module.
for _public in (Dropout, assign_keys, dropout, from_torch, init_module_, to_torch):
    _public.__module__ = __name__

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
