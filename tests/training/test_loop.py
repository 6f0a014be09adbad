# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.training.loop.loop import (
    Event,
    NonFiniteLossError,
    StopSignals,
    Timing,
    run_loop,
)
from electra_tf.training.loop.runners import StepRunner


def endless_batches():
    for number in range(1, 10**6):
        yield {"input_ids": np.full([2, 3], number), "input_mask": np.array([[1, 1, 1], [1, 0, 0]])}


class Runner:
    """Remembers its calls; the loss is the number in the batch, or what `losses` says."""

    def __init__(self, losses=()):
        self.calls = []
        self.losses = dict(losses)

    @property
    def numbers(self):
        return [number for call in self.calls for number in call]

    def __call__(self, batches):
        numbers = [int(batch["input_ids"][0, 0]) for batch in batches]
        self.calls.append(numbers)
        return np.array([self.losses.get(n, 1.0) for n in numbers], np.float32)


def run(runner, first, last, events=(), iterations=200, signals=None):
    timing = Timing()
    done = run_loop(runner, endless_batches(), first, last, events, timing, iterations, signals)
    return done, timing


@pytest.mark.parametrize("iterations", [1, 3, 200])
@pytest.mark.parametrize("first", [0, 5])
def test_events_come_after_their_steps(iterations, first):
    runner, happened = Runner(), []
    events = [
        Event(3, lambda step: happened.append(("log", step))),
        Event(0, lambda step: happened.append(("never", step))),
        Event(4, lambda step: happened.append(("save", step))),
    ]
    done, timing = run(runner, first, 13, events, iterations)
    assert done == 13
    assert runner.numbers == list(range(1, 14 - first))
    assert max(map(len, runner.calls)) <= iterations
    expected = [
        (name, step)
        for step in range(first + 1, 14)
        for name, every in (("log", 3), ("save", 4))
        if step % every == 0 or step == 13
    ]
    assert happened == expected
    assert (timing.steps, timing.tokens) == (13 - first, 4 * (13 - first))


def test_nothing_left_to_do():
    runner = Runner()
    assert run(runner, 7, 7, [Event(1, pytest.fail)])[0] == 7
    assert runner.calls == []


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_stops_before_its_events(loss):
    happened = []
    with pytest.raises(NonFiniteLossError, match=f"the loss of step 106 is {loss}") as caught:
        run(Runner({6: loss, 7: np.nan}), 100, 120, [Event(2, happened.append)])
    assert caught.value.step == 106
    assert caught.value.batch["input_ids"][0, 0] == 6
    assert happened == [102, 104]


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_loop_after_the_call(which):
    before = signal.getsignal(which)

    class Signalling(Runner):
        def __call__(self, batches):
            if len(self.calls) == 2:
                os.kill(os.getpid(), which)
            return super().__call__(batches)

    runner, happened = Signalling(), []
    with StopSignals() as signals:
        done, _ = run(runner, 0, 20, [Event(4, happened.append)], 2, signals)
    assert signals.received == which
    assert done == len(runner.numbers) and len(runner.calls) == 3
    assert signal.getsignal(which) == before


def test_a_second_interrupt_is_let_through():
    with pytest.raises(KeyboardInterrupt), StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.received == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)


def test_sums_of_large_models_are_not_rewritten():
    """TensorFlow would, by the size of what is never computed here, and fail."""

    def step(batch):
        value = tf.reduce_sum(tf.cast(batch["rows"], tf.float32))

        def large():  # 480 GB
            grids = [tf.fill([200_000, 200_000], value + i) for i in (0, 1, 2)]
            return tf.reduce_sum(tf.add_n(grids))

        def add_part(i, total):
            parts = [tf.fill([1000], total + value * scale) for scale in (1.0, 2.0, 3.0)]
            with tf.control_dependencies(parts):
                never = tf.cond(value > 1e9, large, lambda: 0.0)
            return i + 1, tf.add_n(parts)[0] + never

        _, loss = tf.while_loop(lambda i, _: i < 2, add_part, (0, 0.0), parallel_iterations=1)
        return {"loss": loss}

    runner = StepRunner(tf.distribute.get_strategy(), step, 2)
    for _ in range(2):
        np.testing.assert_allclose(runner([{"rows": np.ones([2], np.int32)}] * 2), [48.0, 48.0])
