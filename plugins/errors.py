"""Errors that a user can act on."""

from __future__ import annotations


class AffinityZooError(Exception):
    """An error with a message for the user: the problem, the file or record, and the remedy.

    The command line prints the sentence without a traceback and exits with ``exit_code``
    (1: nothing usable or an error, 2: wrong usage, 3: some inputs failed).
    """

    exit_code = 1


class UsageError(AffinityZooError):
    """Wrong usage of a command or function: an unknown name, option or value."""

    exit_code = 2
