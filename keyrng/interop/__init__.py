"""keyrng and other libraries: a module for each, which imports it and says what to install where it is missing.

Must not be imported by anything in keyrng: it imports what most programs do not have.
"""
