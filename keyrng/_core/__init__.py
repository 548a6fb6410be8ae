"""Arguments, dtypes, indexing and the floating-point environment, without imports of other parts of keyrng."""
