# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows that cannot be used: an error, or a list in a file where the user asked for that."""

import tensorflow as tf


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
        partial = f"{self._path}.part"
        with tf.io.gfile.GFile(partial, "w") as file:
            file.write(f"{len(self._messages)} rows skipped\n")
            for message in self._messages:
                file.write(f"{message}\n")
        tf.io.gfile.rename(partial, self._path, overwrite=True)


def shown(value, limit=80):
    """Returns a value as it is shown in messages, cut if long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."
