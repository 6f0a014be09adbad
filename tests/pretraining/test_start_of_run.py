# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a run says when it starts: a warm-up without end, the time that it will take."""

import pytest
from tiny_run import tiny_config

from electra_tf.pretraining import run
from electra_tf.training.loop import logs


def run_idly(data_dir, **changes):
    run.train(tiny_config(data_dir, "idle", {"num_hidden_layers": 1}, **changes))


@pytest.mark.parametrize("warmup", [12, 10000])
def test_a_warmup_without_end(data_dir, idle_steps, caplog, warmup):
    run_idly(data_dir, num_warmup_steps=warmup)
    (message,) = [r.getMessage() for r in caplog.records if "warm-up" in r.getMessage()]
    assert message.startswith(f"num_warmup_steps is {warmup}, but num_train_steps 12: ")
    assert message.endswith("Set num_warmup_steps to a tenth of num_train_steps, 1.")


def test_a_warmup_that_ends_is_not_spoken_of(data_dir, idle_steps, caplog):
    run_idly(data_dir, num_warmup_steps=11)
    assert "warm-up" not in caplog.text


def test_the_expected_time_comes_before_the_first_line_of_the_log(
    data_dir, idle_steps, info_log, caplog, monkeypatch
):
    monkeypatch.setattr(logs, "WAIT", 0.0)
    run_idly(data_dir, log_every_steps=100, save_checkpoints_steps=100, iterations_per_loop=1)
    lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("step ")]
    assert len(lines) == 3  # with the one of the log at the end
    assert lines[0].startswith("step 1/12 | loss 1.000 | the first took ")
    assert "whole run is expected to take" in lines[1] and lines[1].startswith("step 2/12 ")
    # A resumed run says it, too.
    caplog.clear()
    run_idly(data_dir, num_train_steps=20, iterations_per_loop=1)
    assert "step 14/20 | " in caplog.text
    assert caplog.text.count("is expected to take") == 1
