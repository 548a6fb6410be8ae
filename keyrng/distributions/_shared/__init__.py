"""Algorithms that several distributions use."""
