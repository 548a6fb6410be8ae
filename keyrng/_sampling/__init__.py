"""From a key and parameters to a sample."""
