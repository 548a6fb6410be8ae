"""Executors run kernels and derive keys, on NumPy, as compiled code and on GPUs, all with the same bits.

They see algorithms and words, never a Key.
"""
