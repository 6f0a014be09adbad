# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The first line of progress: soon after the first step, with the time that the run will take."""

import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.training.loop.logs import clock

WAIT = 10.0
"""Seconds of steps from which their speed is told; a call of the loop takes some 4 more."""
DAY = 24 * 60 * 60.0


class FirstLine:
    """Logs how long a run will take, whatever the interval of the log.

    It looks at losses that the loop has fetched anyway, so it changes neither metrics nor weights.

    Args:
        first_step: steps done before.
        num_steps: steps done at the end.
        amounts: steps done -> steps of the whole run and steps that are left, both counted in
            steps as long as the present ones.
        instead: what to do about a run of more than a day without an accelerator.
        now: a clock, in seconds.
        on_cpu: whether there is no accelerator; default: as is so.
    """

    def __init__(
        self,
        first_step: int,
        num_steps: int,
        amounts: Callable[[int], tuple[float, float]],
        instead: str,
        now: Callable[[], float] = time.monotonic,
        on_cpu: bool | None = None,
    ):
        self._num_steps = num_steps
        self._amounts = amounts
        self._instead = instead
        self._now = now
        self._on_cpu = _has_no_accelerator() if on_cpu is None else on_cpu
        self._began = now()
        self._step = first_step
        self._first_ended: float | None = None
        self._is_done = False

    def __call__(self, step: int, losses: np.ndarray):
        """Learn of steps that are done: how many in all, and the losses of the last ones."""
        if self._is_done:
            return
        time_now, before = self._now(), f"step {step}/{self._num_steps} | loss {losses[-1]:.3f}"
        if self._first_ended is None:
            # These steps were compiled first, so nothing is expected from their time.
            self._first_ended, self._step = time_now, step
            if time_now - self._began >= WAIT:
                taken = clock(time_now - self._began)
                logging.info("%s | the first took %s, with compiling", before, taken)
        elif time_now - self._first_ended >= WAIT:
            self._is_done = True
            speed = (step - self._step) / (time_now - self._first_ended)
            whole, left = (amount / speed for amount in self._amounts(step))
            logging.info(
                "%s | %.3g steps/s | the whole run is expected to take %s, of which %s are left",
                before,
                speed,
                clock(whole),
                clock(left),
            )
            if self._on_cpu and left > DAY:
                logging.warning(
                    "There is no GPU or TPU, and this run will go on for %.3g days. %s",
                    left / DAY,
                    self._instead,
                )


def _has_no_accelerator() -> bool:
    return {device.device_type for device in tf.config.list_logical_devices()} <= {"CPU"}
