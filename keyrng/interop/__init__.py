"""Interoperability: one module per library, which imports it or says how to install it."""
