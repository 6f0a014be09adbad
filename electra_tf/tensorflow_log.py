# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Keeps what TensorFlow logs about itself from the terminal, for commands and their workers.

Nothing else is kept: Python's errors, messages of a crash, and this library's own log are shown.
"""

import contextlib
import logging
import os
import pickle
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_LIBRARIES = ("tensorflow", "tensorflow_text", "keras")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Terminal:
    """Where standard error leads, while descriptor 2 leads to a file."""

    is_hidden = False
    descriptor = 2
    watched: int | None = None
    """To the process that shows the file unless it hears from this one."""


def hide() -> None:
    """Hide the log of TensorFlow and Keras in this process and those that it starts.

    What the user has set by `TF_CPP_MIN_LOG_LEVEL` or Python's `-W` is kept.
    """
    _Terminal.is_hidden = True
    os.environ.setdefault(_LEVEL, "3")  # all but what ends the process
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def is_hidden() -> bool:
    """Whether `hide` was called."""
    return _Terminal.is_hidden


def is_ours(record: logging.LogRecord) -> bool:
    """Whether to show a record of Python's log: an error, or one of no other library."""
    folders = [os.path.dirname(sys.modules[m].__file__) for m in _LIBRARIES if m in sys.modules]
    theirs = any(record.pathname.startswith(folder + os.sep) for folder in folders)
    return record.levelno >= logging.ERROR or not (theirs and _Terminal.is_hidden)


def write_to_terminal(text: str) -> None:
    """Write to standard error, also while it is kept; what is kept is dropped."""
    os.write(_Terminal.descriptor, text.encode())
    if _Terminal.watched is not None:
        os.write(_Terminal.watched, b".")


@contextlib.contextmanager
def kept_at_start(is_watched: bool = True) -> Iterator[None]:
    """TensorFlow is imported inside; what it writes then is shown if that fails.

    Its first lines are written before it reads any setting, by descriptor 2.

    Args:
        is_watched: whether another process shows them if this one crashes or is killed meanwhile.
    """
    if not _Terminal.is_hidden or "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file, contextlib.ExitStack() as stack:
        _Terminal.descriptor = os.dup(2)
        stack.callback(_show_again)
        if is_watched:
            stack.enter_context(_watched(file.fileno()))
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException:
            _show(file.fileno())
            raise


def _show_again():
    sys.stderr.flush()
    os.dup2(_Terminal.descriptor, 2)
    os.close(_Terminal.descriptor)
    _Terminal.descriptor = 2


@contextlib.contextmanager
def _watched(file: int) -> Iterator[None]:
    """Another process shows a file if this one ends inside."""
    watching, _Terminal.watched = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        _watch(watching, file)
    os.close(watching)
    try:
        yield
    finally:
        os.write(_Terminal.watched, b".")
        os.close(_Terminal.watched)
        os.waitpid(watcher, 0)
        _Terminal.watched = None


def _watch(watching: int, file: int):
    """The other process: waits for the end, or for a word that all is well."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    os.close(_Terminal.watched)
    if not os.read(watching, 1):
        _show(file)
    os._exit(0)


def _show(file: int):
    os.lseek(file, 0, os.SEEK_SET)
    while block := os.read(file, 1 << 16):
        os.write(_Terminal.descriptor, block)


def run_in_worker(is_hidden: bool, content: bytes, *arguments: Any) -> None:
    """Call a function in a process that was just started, and whose log is as in the first one.

    The function is pickled; unpickling it imports TensorFlow.
    """
    if is_hidden:
        hide()
    with kept_at_start(is_watched=False):  # the first process says what became of this one
        function = pickle.loads(content)
    function(*arguments)
