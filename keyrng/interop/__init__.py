"""keyrng and other libraries: a module for each, which imports it and says what to install where it is missing."""
