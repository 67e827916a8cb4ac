"""Errors that a user can act on."""

from __future__ import annotations


class AffinityZooError(Exception):
    """An error with a sentence for the user: what is wrong, in which file or record, and what to do.

    The command line prints the sentence without a traceback and exits with ``exit_code``
    (1: nothing usable or an error, 2: wrong usage, 3: some inputs failed).
    """

    exit_code = 1


class UsageError(AffinityZooError):
    """The command or call itself is wrong: an unknown name, option or value."""

    exit_code = 2
