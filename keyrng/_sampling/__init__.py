"""Checks and execution of draws: from a key and parameters to a sample."""
