"""Code generation: kernels and algorithms as C and CUDA source. A draw on a CPU imports none of it."""
