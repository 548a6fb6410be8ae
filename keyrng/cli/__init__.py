"""The subcommands of ``python -m keyrng``. Nothing else imports them."""
