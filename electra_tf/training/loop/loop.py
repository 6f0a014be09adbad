# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The step loop: several steps per host call, events at multiples of steps, orderly stops."""

import contextlib
import itertools
import signal
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from electra_tf.training.distribution.workers import Workers
from electra_tf.training.loop.runners import Batch, StepRunner

SECONDS_PER_CALL = 4.0
"""A host call is cut so that signals are answered about this soon."""


class NonFiniteLossError(ArithmeticError):
    """The loss of a step is not finite.

    Attributes:
        step: number of the step, counted from 1.
        batch: this process's rows of the batch of that step.
    """

    def __init__(self, step: int, loss: float, batch: Batch):
        super().__init__(f"the loss of step {step} is {loss}")
        self.step = step
        self.batch = batch


class Event(NamedTuple):
    """Something to do after every so many steps."""

    every: int
    """Steps; 0 for never."""
    action: Callable[[int], None]
    """Called with the number of steps done."""


class Timing:
    """Wall-clock of the loop since the last reset, in seconds, and what was done in it.

    Args:
        flops_of: floating-point operations of training on a batch; default: they are not known.
    """

    def __init__(self, flops_of: Callable[[Batch], float] | None = None):
        self._flops_of = flops_of
        self.reset()

    def reset(self) -> None:
        self.start = time.monotonic()
        self.waiting = 0.0
        self.steps = 0
        self.tokens = 0
        self.flops = 0.0

    def add(self, batches: Sequence[Batch], waited: float) -> None:
        """Steps that are done, and the seconds that their batches were waited for."""
        self.waiting += waited
        self.steps += len(batches)
        self.tokens += sum(int(batch["input_mask"].sum()) for batch in batches)
        if self._flops_of is not None:
            self.flops += sum(map(self._flops_of, batches))

    def speeds(self) -> dict[str, float]:
        """What is logged of it: steps and tokens per second, share of the time spent waiting."""
        elapsed = max(time.monotonic() - self.start, 1e-9)
        speeds = {
            "steps_per_second": self.steps / elapsed,
            "tokens_per_second": self.tokens / elapsed,
            "input_wait_share": self.waiting / elapsed,
        }
        if self._flops_of is not None:
            speeds["flops_per_second"] = self.flops / elapsed
        return speeds


class StopSignals(contextlib.AbstractContextManager):
    """Remembers SIGTERM and SIGINT instead of dying of them; a second SIGINT is let through.

    Attributes:
        received: by this process.
        agreed: received by any process of the run, and known to all of them.
    """

    def __init__(self):
        self.received: signal.Signals | None = None
        self.agreed: signal.Signals | None = None
        self._previous = {}

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            # Only the main thread may set handlers; elsewhere (a notebook's worker) there are none.
            with contextlib.suppress(ValueError):
                self._previous[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *_: object):
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def agree(self, workers: Workers) -> bool:
        """Learn of the other processes' signals; returns whether there was one anywhere."""
        number = int(workers.maximum(self.received or 0))
        self.agreed = signal.Signals(number) if number else None
        return self.agreed is not None

    def _remember(self, number: int, _: types.FrameType | None):
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


def run_loop(
    runner: StepRunner,
    batches: Iterator[Batch],
    first_step: int,
    num_steps: int,
    events: Sequence[Event],
    timing: Timing,
    iterations_per_loop: int = 200,
    signals: StopSignals | None = None,
    workers: Workers | None = None,
    watch: Callable[[int, np.ndarray], None] | None = None,
) -> int:
    """Train from `first_step` steps done to `num_steps` steps done, or until a signal.

    Args:
        runner: runs the steps.
        batches: this process's rows of the global batches from `first_step` on.
        first_step: steps done before.
        num_steps: steps done at the end.
        events: what to do after which steps, in this order; each is also due at the end.
        timing: updated as the loop goes.
        iterations_per_loop: steps of one host call, at most; calls are also cut at events and
            after a few seconds, which changes no number.
        signals: asked before every call.
        workers: the processes of the run, which make the same calls; default: this one only.
        watch: called after every call with the number of steps done and the call's losses.

    Returns:
        Steps done.

    Raises:
        NonFiniteLossError: a loss is not finite; events of that step have not happened.
    """
    workers = workers or Workers()
    step, seconds_per_step = first_step, float("inf")
    while step < num_steps and not (signals and signals.agree(workers)):
        due = min(
            [num_steps - step, iterations_per_loop]
            + [event.every - step % event.every for event in events if event.every]
        )
        count = min(due, max(1, int(SECONDS_PER_CALL / seconds_per_step)))

        start = time.monotonic()
        chunk = list(itertools.islice(batches, count))
        fetched = time.monotonic()
        losses = runner(chunk)
        # The number of steps of a call follows from it, so it is that of the slowest process.
        seconds_per_step = workers.maximum((time.monotonic() - fetched) / count)

        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            raise NonFiniteLossError(step + int(bad[0]) + 1, losses[bad[0]], chunk[bad[0]])
        step += count
        timing.add(chunk, waited=fetched - start)
        if watch is not None:
            watch(step, losses)
        for event in events:
            if event.every and (step % event.every == 0 or step == num_steps):
                event.action(step)
    return step
