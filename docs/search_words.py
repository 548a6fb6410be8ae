"""Words that people type into the search of the site, and the pages that answer.

A page or one of its sections becomes the first answer to these words, which are entered in the alphabetical index too.
The search finds all other words by titles, names and texts; see tests/docs/test_search.py.
"""

from __future__ import annotations

import re

WORDS = {
    # numbers
    "reference/keyrng.normal": ["gaussian", "randn", "standard normal"],
    "reference/keyrng.uniform": ["rand", "random float"],
    "reference/keyrng.randint": ["integers", "random integers"],
    "reference/keyrng.bits": ["random bits", "random words"],
    "reference/keyrng.bernoulli": ["coin flip", "boolean"],
    "reference/keyrng.permutation": ["shuffle", "shuffle an array", "shuffle array", "randperm", "random order"],
    "reference/keyrng.choice": ["subset", "random subset", "weighted choice", "sample from a list"],
    "reference/keyrng.sample_without_replacement": ["without replacement", "distinct integers"],
    "reference/keyrng.categorical": ["softmax", "logits"],
    "reference/keyrng.vonmises": ["angles"],
    "reference/keyrng.orthogonal": ["rotation matrix"],
    # keys
    "reference/keyrng.key": ["seed", "PRNGKey", "random seed"],
    "reference/keyrng.split": ["new keys", "spawn"],
    "keys#Saving keys": ["save key", "save a key", "saving keys", "load key", "serialize", "pickle"],
    "cookbook#Seeds": ["seed from a configuration", "entropy"],
    "from-torch#Seeds and states": ["manual_seed", "get_rng_state"],
    "from-numpy": ["default_rng", "RandomState", "SeedSequence"],
    "from-jax": ["jax.random"],
    "key-reuse": ["same numbers twice"],
    # devices and processes
    "gpu#Keys on a GPU": ["cuda:0", "cuda:1", "device", "cupy"],
    "gpu#Several GPUs": ["per-GPU", "per GPU", "multi-GPU", "multi GPU", "several devices"],
    "cookbook#The rank of a process": ["rank", "world_size"],
    "cookbook#Process pools": ["multiprocessing", "joblib", "process pool"],
    "threads": ["threads", "thread safety", "fork"],
    # training
    "data-order": ["data loader", "mini-batches", "epoch"],
    "data-order#PyTorch": ["DataLoader", "worker_init_fn"],
    "cookbook#Resuming training": ["resume", "checkpoint", "restart"],
    "initializers": ["weight initialization", "initial weights", "xavier", "kaiming", "glorot"],
    "cookbook#Train and test set": ["train test split", "train/test split"],
    "cookbook#K-fold cross-validation": ["cross-validation", "k-fold"],
    # statistics
    "bootstrap": ["bootstrap", "resampling"],
    "monte-carlo": ["monte carlo", "option pricing"],
    "cookbook#Markov chains with one key per chain": ["MCMC", "markov chain"],
    # keyrng
    "index#Install": ["install", "pip install"],
    "testing": ["unit test", "mock", "pytest"],
    "security": ["cryptography", "password", "secure"],
}


def with_words(page: str, text: str) -> str:
    """Return the text of a page with index entries for its words, each after its heading."""
    for place, words in WORDS.items():
        of_page, _, section = place.partition("#")
        if of_page == page:
            text = entered(text, section, words)
    return text


def entered(text: str, section: str, words: list[str]) -> str:
    """Return a text with index entries after the heading of a section, or after its title."""
    entries = ", ".join(f"! {word}" for word in words)
    heading = rf"^#+ {re.escape(section)}$" if section else r"^# .*$"
    text, count = re.subn(heading, rf"\g<0>\n\n```{{index}} {entries}\n```", text, count=1, flags=re.MULTILINE)
    if not count:
        raise ValueError(f"no heading {section!r}")
    return text
