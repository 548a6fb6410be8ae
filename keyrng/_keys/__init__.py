"""Keys, and the functions that make keys."""
