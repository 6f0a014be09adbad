# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The first line of progress, by a clock that the tests set."""

import numpy as np
import pytest

from electra_tf.training.loop.logs import FirstLine

LOSSES = np.array([3.0, 2.5])


class Clock:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


def watched(caplog, calls, first_step=0, num_steps=1000, amounts=None, on_cpu=True):
    """Lines logged at each of the calls (seconds since the last one, steps done)."""
    caplog.set_level("INFO", logger="absl")
    clock = Clock()
    amounts = amounts or (lambda step: (num_steps, num_steps - step))
    line = FirstLine(first_step, num_steps, amounts, "Use another machine.", clock, on_cpu)
    logged = []
    for seconds, step in calls:
        clock.seconds += seconds
        caplog.clear()
        line(step, LOSSES)
        logged.append([record.getMessage() for record in caplog.records])
    return logged


def test_the_expected_time_is_said_once_some_steps_are_timed(caplog):
    logged = watched(caplog, [(5, 1), (4, 3), (4, 5), (4, 7), (60, 100)])
    # 6 steps in 12 seconds behind the first one, which was compiled.
    line = (
        "step 7/1000 | 0.5 steps/s | whole run is expected to take 0:33:20, of "
        "which 0:33:06 are left"
    )
    assert logged == [[], [], [], [line], []]


@pytest.mark.parametrize("seconds_per_step", [0.1, 1, 4, 9])
def test_it_comes_within_20_seconds_of_the_first_step(caplog, seconds_per_step):
    """Calls take 4 seconds, or a step."""
    each = max(4, seconds_per_step)
    steps = max(1, int(4 / seconds_per_step))
    calls = [(3, 1)] + [(each, 1 + steps * number) for number in range(1, 6)]
    logged = watched(caplog, calls, num_steps=500)
    when = [sum(s for s, _ in calls[1 : i + 1]) for i, lines in enumerate(logged) if lines]
    assert len(when) == 1
    assert when[0] <= 20


def test_slow_first_steps_are_said_at_once(caplog):
    logged = watched(caplog, [(70, 1), (30, 2), (30, 3)])
    assert logged[0] == ["step 1/1000 | loss 2.500 | the first took 0:01:10, with compiling"]
    assert "whole run is expected to take 8:20:00" in logged[1][0]
    assert logged[2] == []


def test_a_short_run_needs_none(caplog):
    assert watched(caplog, [(1, 1), (2, 20), (2, 1000)]) == [[], [], []]


def test_a_resumed_run_tells_what_is_left(caplog):
    logged = watched(caplog, [(1, 901), (10, 911)], first_step=900)
    assert "expected to take 0:16:40, of which 0:01:29 are left" in logged[1][0]


def test_steps_that_take_longer_later_on_count_for_more(caplog):
    logged = watched(caplog, [(1, 1), (10, 11)], amounts=lambda step: (4000, 3600))
    assert "expected to take 1:06:40, of which 1:00:00 are left" in logged[1][0]


@pytest.mark.parametrize(
    ("num_steps", "on_cpu", "warned"),
    [(100_000, True, True), (100_000, False, False), (80_000, True, False)],
)
def test_more_than_a_day_without_a_gpu(caplog, num_steps, on_cpu, warned):
    logged = watched(caplog, [(1, 1), (10, 11)], num_steps=num_steps, on_cpu=on_cpu)
    warnings = logged[1][1:]
    expected = "There is no GPU or TPU, and this run will take 1.16 days. Use another machine."
    assert warnings == ([expected] if warned else [])
