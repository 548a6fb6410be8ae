"""Arguments, dtypes, indexing and the floating-point environment; no module here imports the rest of keyrng."""
