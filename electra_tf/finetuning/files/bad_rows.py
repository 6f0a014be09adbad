# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows that cannot be used: an error, or a list in a file where the user asked for that."""

from collections.abc import Sequence
from typing import Any

from absl import logging

from electra_tf.files import shortened, write_text


class BadRows:
    """Raises for the first bad row, or collects all of them for the file `path`.

    can_be_skipped: whether the error says how to leave such rows out.
    """

    def __init__(self, path: str | None = None, can_be_skipped: bool = False):
        self._can_be_skipped = can_be_skipped
        self._path = None if path is None else str(path)
        self._messages = {}
        self._written = 0

    @property
    def messages(self) -> tuple[str, ...]:
        """What was reported, each message once, in the order of the reports."""
        return tuple(self._messages)

    def report(self, place: str, expected: str, received: str) -> None:
        """Notes a bad row; raises ValueError unless rows are skipped."""
        message = f"{place}: expected {expected}, received {received}."
        if self._path is None:
            hint = " To leave out such rows and list them, set skip_bad_rows."
            raise ValueError(message + (hint if self._can_be_skipped else ""))
        self._messages[message] = None

    def write(self) -> None:
        """Writes number and list of the skipped rows, if rows are skipped, and says so."""
        if self._path is None:
            return
        if len(self._messages) > self._written:
            self._written = len(self._messages)
            rows = (
                "1 bad row so far is"
                if self._written == 1
                else f"{self._written} bad rows so far are"
            )
            logging.warning("%s left out, see %s.", rows, self._path)
        lines = [f"{len(self._messages)} rows skipped", *self._messages]
        write_text(self._path, "\n".join(lines) + "\n")


def shown(value: Any, limit: int = 80) -> str:
    """Returns a value as it is shown in messages, cut if long."""
    return shortened(repr(value), limit)


def choices(labels: Sequence[str], limit: int = 400) -> str:
    """The labels that a message offers, cut if they are many or long."""
    return shortened(", ".join(labels), limit)


def counted(count: int, one: str, several: str) -> str:
    """Returns a count with what is said of it: "1 line is" or "2 lines are"."""
    return f"{count} {one if count == 1 else several}"
