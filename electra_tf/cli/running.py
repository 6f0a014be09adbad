# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A command while it runs: what users can mend becomes one line and a status."""

import argparse
import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable

import tensorflow as tf
from absl import logging

from electra_tf.cli.main import SIGNALS, end_at_once, message_of
from electra_tf.files import MAKE_ROOM, full_disk
from electra_tf.text.sentencepiece_training import TRAINER_THREAD
from electra_tf.training.loop import trainer

_FILE_ERRORS = (
    tf.errors.DataLossError,
    tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError,
    tf.errors.PermissionDeniedError,
)
"""How tf.io.gfile and TensorFlow's readers and writers say what Python says by an OSError."""


def guarded(
    main: Callable[[argparse.Namespace], int | None], args: argparse.Namespace
) -> int | None:
    """The status of `main(args)`; see `arguments.run`."""
    try:
        with _raising_signals():
            status = main(args)
            sys.stdout.flush()  # what cannot be written is found here, not at the exit
            return status
    except trainer.Stopped as stopped:
        print(stopped, file=sys.stderr)
        return 128 + stopped.signal
    except KeyboardInterrupt as interrupted:
        return _after_signal(getattr(interrupted, "signal", signal.SIGINT))
    except ArithmeticError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except (ValueError, OSError, *_FILE_ERRORS) as problem:
        return _error(problem)
    except tf.errors.OpError as problem:
        # The latter of paths such as s3:// where no installed package can read them.
        if full_disk(problem) is None and "File system scheme" not in str(problem):
            raise
        return _error(problem)


class _Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM; raised in the main thread, so that everything is cleaned up.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int = signal.SIGINT):
        super().__init__()
        self.signal = number


@contextlib.contextmanager
def _raising_signals():
    """Raises `_Interrupted` at a signal inside; a second one ends the process at once."""

    def stop(number: int, _: types.FrameType | None):
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        raise _Interrupted(number)

    previous = {}
    # Only the main thread may set handlers.
    if threading.current_thread() is threading.main_thread():
        previous = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _after_signal(number: int):
    """The status after a signal that was answered by cleaning up."""
    if any(thread.name == TRAINER_THREAD for thread in threading.enumerate()):
        end_at_once(number)  # it cannot be stopped, and an orderly exit would crash in it
    print(message_of(number), file=sys.stderr)
    return 128 + number


def _error(problem: Exception):
    """The status after what users can mend; prints it in one line."""
    logging.debug("Where the error came from:", exc_info=True)
    if full := full_disk(problem):  # of a file that nobody has named yet
        path = getattr(problem, "filename", None) or "standard output"
        where = problem.message if isinstance(problem, tf.errors.OpError) else f"{path}: {full}"
        problem = f"Cannot write {where}. {MAKE_ROOM}"
    # Some file systems say nothing but the kind of error.
    print(f"error: {str(problem) or type(problem).__name__}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # else Python says so once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2
