"""Errors that a user can mend: one message that names the file, key or node and what to do."""


class UserError(ValueError):
    """Bad input. The message is complete by itself; scripts print it without a traceback."""
