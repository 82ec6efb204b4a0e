"""Errors that a user can act on: what is wrong, where, and what to do next."""

from __future__ import annotations


class SopRunError(Exception):
    """Base of all expected errors; `hint` says what to do next, `exit_code` how to leave."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SopRunError):
    """Wrong use or wrong configuration; nothing was changed."""

    exit_code = 2


class CannotRunError(SopRunError):
    """The machine or its surroundings do not let us work; nothing was changed by this step."""

    exit_code = 4
