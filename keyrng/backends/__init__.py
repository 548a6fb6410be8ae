"""The executors: each runs kernels and derives keys, all with the same bits.

They know algorithms and words, never a Key. Must not import keys, sampling or distributions.
"""
