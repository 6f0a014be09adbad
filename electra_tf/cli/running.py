# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A command while it runs: what users can mend becomes one line and a status."""

import _thread
import argparse
import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from absl import logging

from electra_tf.cli.main import SIGNALS, end_at_once, message_of
from electra_tf.environment import without_collections, without_optional_imports
from electra_tf.files import MAKE_ROOM, full_disk
from electra_tf.tensorflow_log import kept_at_start

_FILE_ERRORS = (
    "DataLossError",
    "FailedPreconditionError",
    "NotFoundError",
    "PermissionDeniedError",
)
"""How tf.io.gfile and TensorFlow's readers and writers say what Python says by an OSError."""


def guarded(
    main: Callable[[argparse.Namespace], int | None],
    args: argparse.Namespace,
    check: Callable[[argparse.Namespace], None] | None = None,
) -> int | None:
    """The status of `check(args)`, without TensorFlow, and `main(args)`; see `arguments.run`."""
    try:
        if check is not None:
            check(args)
        # Where Keras is imported already, a program that has its own objects calls the command.
        imports = contextlib.nullcontext() if "keras" in sys.modules else without_collections()
        with kept_at_start(), imports:
            with without_optional_imports():
                import keras  # noqa: F401  (TensorFlow, too)
            import electra_tf.data  # noqa: F401
        with _raising_signals():
            status = main(args)
            sys.stdout.flush()  # what cannot be written is found here, not at the exit
            return status
    except KeyboardInterrupt as interrupted:
        return _after_signal(interrupted)
    except ArithmeticError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except (ValueError, OSError) as problem:
        return _error(problem)
    except Exception as problem:
        if not _is_of_files(problem):
            raise
        return _error(problem)


def _is_of_files(problem: Exception) -> bool:
    """Whether TensorFlow says that a file is missing, damaged, or cannot be read or written."""
    if "tensorflow" not in sys.modules:
        return False
    errors: Any = sys.modules["tensorflow"].errors
    if not isinstance(problem, errors.OpError):
        return False
    # The latter of paths such as s3:// where no installed package can read them.
    is_other = full_disk(problem) is not None or "File system scheme" in str(problem)
    return is_other or isinstance(problem, tuple(getattr(errors, name) for name in _FILE_ERRORS))


class _Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM; raised in the main thread, so that everything is cleaned up.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int = signal.SIGINT):
        super().__init__()
        self.signal = number


def _do_nothing(number: int, _: types.FrameType | None):
    pass


def _end_by_default(number: int, _: types.FrameType | None):
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextlib.contextmanager
def _raising_signals():
    """Raises `_Interrupted` at a signal inside; a second one ends the process at once."""

    def stop(number: int, _: types.FrameType | None):
        for each in SIGNALS:
            signal.signal(each, _do_nothing if each == number else _end_by_default)
        # Python calls the handlers of signals that came with this one only when there is a new one;
        # at the default, it would drop them with an error in the terminal.
        _thread.interrupt_main(number)
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


def _after_signal(interrupted: KeyboardInterrupt):
    """The status after a signal that was answered by cleaning up, or by saving the run."""
    number = getattr(interrupted, "signal", signal.SIGINT)
    # There is no such thread unless its module was imported.
    training = sys.modules.get("electra_tf.text.sentencepiece_training")
    names = {thread.name for thread in threading.enumerate()}
    if training is not None and training.TRAINER_THREAD in names:
        end_at_once(number)  # it cannot be stopped, and an orderly exit would crash in it
    print(str(interrupted) or message_of(number), file=sys.stderr)
    return 128 + number


def _error(problem: Exception):
    """The status after what users can mend; prints it in one line."""
    logging.debug("Where the error came from:", exc_info=True)
    if full := full_disk(problem):  # of a file that nobody has named yet
        path = getattr(problem, "filename", None) or "standard output"
        where = getattr(problem, "message", None) or f"{path}: {full}"
        problem = f"Cannot write {where}. {MAKE_ROOM}"
    # Some file systems say nothing but the kind of error.
    print(f"error: {str(problem) or type(problem).__name__}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # else Python says so once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2
