# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tasks over several processes: errors surface once, and nobody is left running."""

import contextlib
import functools
import multiprocessing
import multiprocessing.connection
import multiprocessing.resource_tracker
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from electra_tf import tensorflow_log

Work = Callable[[Any, Callable[[int], None]], Any]
"""Called with a task and a function to report progress to; returns the task's result."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_tasks(
    num_processes: int, work: Work, tasks: Sequence[Any], progress: Callable[[int], None]
) -> Iterator[Any]:
    """Yields the results of all tasks as they come, in any order.

    Args:
        num_processes: with 1 everything runs in this process.
        work: must be picklable if there are several processes.
        tasks: handed out one by one, in this order.
        progress: receives what `work` reports.

    Raises:
        ValueError, OSError: as raised by `work` in any process; the other processes are ended.
        RuntimeError: if a process ended in another way, after it printed why, if it could.
    """
    if min(num_processes, len(tasks)) <= 1:
        for task in tasks:
            yield work(task, progress)
        return
    # TensorFlow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    served = pickle.dumps(functools.partial(_serve, work))
    processes = {}
    try:
        with _signals_later():
            for _ in range(min(num_processes, len(tasks))):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=tensorflow_log.run_in_worker,
                    args=(tensorflow_log.is_hidden(), served, theirs),
                    daemon=True,
                )
                process.start()
                theirs.close()
                processes[ours] = process
        yield from _supervise(processes, deque(tasks), progress)
    finally:
        for process in processes.values():
            process.kill()  # while it starts, it heeds nothing less
            process.join()


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Signals wait for the end; what is started inside is born with them blocked.

    Ctrl-C reaches every process of a terminal, also those that are just importing TensorFlow.
    """
    # It unblocks them, so it must be there already.
    multiprocessing.resource_tracker.ensure_running()
    received, handlers = [], {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            handlers[number] = signal.signal(number, lambda number, _: received.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in received[:1]:
        signal.raise_signal(number)


def _supervise(processes: dict, tasks: deque, progress: Callable[[int], None]) -> Iterator[Any]:
    for connection in processes:
        connection.send((tasks.popleft(),))
    working = set(processes)
    while working:
        for connection in multiprocessing.connection.wait(list(working)):
            try:
                kind, content = connection.recv()
            except EOFError:
                processes[connection].join()
                raise RuntimeError(
                    "A worker process ended unexpectedly with exit status "
                    f"{processes[connection].exitcode} (negative: killed by that signal, 9 is "
                    "often a lack of memory); the error it printed, if any, stands above."
                ) from None
            if kind == "progress":
                progress(content)
            elif kind == "error":
                raise content
            else:
                if tasks:
                    connection.send((tasks.popleft(),))
                else:
                    working.remove(connection)
                yield content


def _serve(work: Work, connection: multiprocessing.connection.Connection) -> None:
    """A worker process: runs tasks until it is ended."""
    # The first process ends the others, at Ctrl-C too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    # One core each, and no claim on an accelerator's memory.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.set_visible_devices([], "GPU")
    while True:
        try:
            (task,) = connection.recv()
        except EOFError:  # the first process is gone
            return
        try:
            result = work(task, lambda amount: connection.send(("progress", amount)))
        except (ValueError, OSError) as error:
            with contextlib.suppress(BrokenPipeError):  # the first process is gone
                connection.send(("error", error))
            return
        connection.send(("result", result))
