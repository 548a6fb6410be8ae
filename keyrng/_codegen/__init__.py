"""Printers: kernels and algorithms as C and CUDA. Nothing that runs on a CPU imports them."""
