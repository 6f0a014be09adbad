# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Noticing that another worker has died, and ending this one then.

TensorFlow's coordination service sends heartbeats between workers and, when they stop, aborts the
collective operations that wait for the dead. What is here gives it its times, names the lost
worker, and ends a process that waits for something else (a watchdog).
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

import tensorflow as tf
from absl import logging

from electra_tf.training import private_tensorflow

JOBS = ("chief", "worker")
HEARTBEAT_SECONDS = 30
"""Silence after which a worker counts as dead."""
START_SECONDS = 600
"""How long workers wait for each other in the beginning."""
CHECK_SECONDS = 5
GRACE_SECONDS = 40
"""Time that the main thread has to end by itself, from the moment that a loss is known."""

LOSS_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)
"""How an operation ends whose other half is gone."""

Resolver = tf.distribute.cluster_resolver.ClusterResolver


class WorkerLostError(ConnectionError):
    """Another worker of the run has died."""


def addresses(resolver: Resolver) -> dict[str, str]:
    """Address of every worker by its name ("worker 1"), the chief first."""
    cluster = resolver.cluster_spec().as_dict()
    return {
        f"{job} {index}": address
        for job in _tasks(resolver)
        for index, address in enumerate(cluster[job])
    }


def _tasks(resolver: Resolver) -> dict[str, int]:
    """Number of tasks by job, the chief's first."""
    cluster = resolver.cluster_spec().as_dict()
    return {job: len(cluster[job]) for job in JOBS if job in cluster}


def configure(resolver: Resolver) -> None:
    """Set the times of the service; before the strategy is made."""
    logging.info(
        "This is %s %d; waiting for all of %s.",
        resolver.task_type,
        resolver.task_id,
        ", ".join(addresses(resolver).values()),
    )
    private_tensorflow.configure_coordination(_tasks(resolver), START_SECONDS, HEARTBEAT_SECONDS)


def lost_workers(resolver: Resolver) -> list[str]:
    """Names and addresses of the workers that no longer answer.

    The first worker runs the service; if it does not answer, nothing is known of the others.
    """
    named = [f"{name} ({address})" for name, address in addresses(resolver).items()]
    try:
        errors = private_tensorflow.task_errors(_tasks(resolver))
    except tf.errors.OpError:
        return named[:1]
    return [name for name, error in zip(named, errors, strict=True) if error is not None]


@contextlib.contextmanager
def ending_with_others(resolver: Resolver | None) -> Iterator[None]:
    """Do what is inside until another worker is lost.

    Args:
        resolver: of the cluster; None for a run of one process, for which nothing changes.

    Raises:
        WorkerLostError: a worker was lost; it is named. Where the main thread does not notice
            (it waits for a file, or for a GPU that waits for another one), the process ends with
            the same message and status 2.
    """
    if resolver is None:
        yield
        return
    with _watchdog(resolver):
        try:
            yield
        except LOSS_ERRORS as error:
            # A broken connection is noticed at once, a missing heartbeat a little later.
            deadline = time.monotonic() + HEARTBEAT_SECONDS + 2 * CHECK_SECONDS
            while not (lost := lost_workers(resolver)) and time.monotonic() < deadline:
                time.sleep(1)
            if not lost:
                raise
            raise WorkerLostError(loss_message(lost)) from error


@contextlib.contextmanager
def ending_after(seconds: float, message: str) -> Iterator[None]:
    """Do what is inside, or end the process with the message if it takes longer."""
    timer = threading.Timer(seconds, end_process, [message])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def end_process(message: str) -> NoReturn:
    """From any thread, whatever the main one waits for."""
    print(f"error: {message}", file=sys.stderr, flush=True)
    os._exit(2)


def loss_message(lost: list[str]) -> str:
    """The message with which a worker ends after others were lost."""
    return (
        f"lost {', '.join(lost)}, so this worker ends, too. Start all workers again to resume "
        "from the last checkpoint."
    )


@contextlib.contextmanager
def _watchdog(resolver: Resolver) -> Iterator[None]:
    """Ends the process if it lives on for long after a worker was lost."""
    over = threading.Event()

    def watch():
        while not over.wait(CHECK_SECONDS):
            lost = lost_workers(resolver)
            if lost and not over.wait(GRACE_SECONDS):
                end_process(loss_message(lost))

    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        over.set()
