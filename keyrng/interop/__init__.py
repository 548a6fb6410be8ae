"""Other libraries: a module for each, which imports it; `import keyrng` imports none of them."""
