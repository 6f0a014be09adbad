# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How far a run is: lines of at most 100 characters, or a bar at a terminal."""

import io
import sys

import pytest
from absl import logging

from electra_tf.training.loop.progress import Progress, progress_line

VALUES = {
    "total_loss": 12.3456,
    "masked_lm_loss": 5.5,
    "disc_loss": 0.125,
    "masked_lm_accuracy": 0.25,
    "disc_auc": 0.75,
    "steps_per_second": 2.0,
    "tokens_per_second": 12345.6,
    "input_wait_share": 0.034,
    "flops_per_second": 1e12,
}


def test_line_for_people():
    line = progress_line(250, 1000, VALUES, elapsed=125.2, width=200)
    assert line == (
        "step 250/1000 | 25.0% | loss 12.346 | mlm 5.500 | rtd 0.125 | mlm acc 0.250 | auc 0.750 | "
        "2 steps/s | 12,346 tokens/s | 1,000.0 GFLOP/s | input wait 3% | elapsed 0:02:05 | "
        "ETA 0:06:15"
    )


def test_what_matters_least_is_left_out():
    line = progress_line(250, 1000, VALUES, elapsed=125.2)
    assert line == (
        "step 250/1000 | loss 12.346 | mlm 5.500 | rtd 0.125 | auc 0.750 | 2 steps/s | ETA 0:06:15"
    )
    line = progress_line(250, 1000, {**VALUES, "input_wait_share": 0.5}, elapsed=125.2, width=110)
    assert line.endswith("2 steps/s | input wait 50% | ETA 0:06:15")


@pytest.mark.parametrize("speed", [0.0123, 13.2, 1234.5])
@pytest.mark.parametrize("mlm", [10.6, 3.2])
def test_lines_of_long_runs_fit(speed, mlm):
    values = {**VALUES, "masked_lm_loss": mlm, "total_loss": 50.123, "steps_per_second": speed}
    assert len(progress_line(123_456, 1_000_000, values, elapsed=1e6)) <= 100


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_at_a_terminal(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    filters = list(logging.get_absl_handler().python_handler.filters)
    progress = Progress(0, 1000, "trial 1 | ")
    progress.show(250, VALUES, elapsed=125.2)
    progress.update(500)
    progress.close()
    shown = terminal.getvalue()
    assert "trial 1:" in shown and "1000" in shown and "\n" not in shown
    assert logging.get_absl_handler().python_handler.filters == filters and not caplog.messages


def test_lines_elsewhere_and_nothing_where_the_log_is_off(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    progress = Progress(0, 1000, "trial 1 | ")
    progress.show(250, VALUES, elapsed=125.2)
    progress.close()
    assert caplog.messages[0].startswith("trial 1 | step 250/1000 | ")
    assert len(caplog.messages[0]) <= 100
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logging.set_verbosity(logging.WARNING)
    Progress(0, 1000).close()
    assert terminal.getvalue() == ""
