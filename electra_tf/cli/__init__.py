# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Commands: arguments to configuration to a run; no logic of their own.

Every command imports this first, before the seconds that TensorFlow takes.
"""

import contextlib
import multiprocessing
import os
import pathlib
import signal
import sys
import types
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def message_of(number: int) -> str:
    """The line that a command ends with, after such a signal."""
    return "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


def end_at_once(number: int, _: types.FrameType | None = None) -> NoReturn:
    """End the process with that line; for when there is nothing to clean up."""
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # it may be in use, or closed
        sys.stdout.flush()
    os.write(2, f"{message_of(number)}\n".encode())
    os._exit(128 + number)


def _is_command() -> bool:
    """Whether this process is one of the commands, and neither a worker of one nor a program."""
    if multiprocessing.parent_process() is not None:
        return False
    names = {path.stem for path in pathlib.Path(__file__).parent.glob("[a-z]*.py")}
    modules = {f"{__name__}.{name}" for name in names}
    return pathlib.Path(sys.argv[0]).stem in names or not modules.isdisjoint(sys.orig_argv)


if _is_command():
    for _number in SIGNALS:
        signal.signal(_number, end_at_once)
