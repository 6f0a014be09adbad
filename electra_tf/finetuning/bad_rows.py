# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows that cannot be used: an error, or a list in a file where the user asked for that."""

from electra_tf.training.files import write_text


class BadRows:
    """Raises for the first bad row, or collects all of them for the file `path`."""

    def __init__(self, path=None):
        self._path = None if path is None else str(path)
        self._messages = {}

    @property
    def messages(self):
        """What was reported, each message once, in the order of the reports."""
        return tuple(self._messages)

    def report(self, place, expected, received):
        """Notes a bad row; raises ValueError unless rows are skipped."""
        message = f"{place}: expected {expected}, received {received}."
        if self._path is None:
            raise ValueError(f"{message} To leave out such rows, give a file for skip_bad_rows.")
        self._messages[message] = None

    def write(self):
        """Writes number and list of the skipped rows, if rows are skipped."""
        if self._path is None:
            return
        lines = [f"{len(self._messages)} rows skipped", *self._messages]
        write_text(self._path, "\n".join(lines) + "\n")


def shown(value, limit=80):
    """Returns a value as it is shown in messages, cut if long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."
