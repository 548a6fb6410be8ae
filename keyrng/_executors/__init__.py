"""Executors run kernels and derive keys: NumPy, compiled C and CUDA, with the same bits.

They take algorithms and words, never a Key.
"""
