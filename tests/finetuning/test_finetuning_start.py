# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a run says when it starts: a warm-up without end, the time that it will take."""

import pytest
import tensorflow as tf
from tiny_finetuning import classification, finetune, make_data_dir

from electra_tf.finetuning.model import FinetuningModel
from electra_tf.training.loop import logs


@pytest.fixture
def said(tmp_path, monkeypatch, caplog):
    """Runs two trials with steps that only count; returns what was logged."""

    def train_step(model, features):
        model.optimizer.iterations.assign_add(1)
        model.running_loss.update_state(1.0)
        return {"loss": tf.constant(1.0)}

    monkeypatch.setattr(FinetuningModel, "update", train_step)
    monkeypatch.setattr(logs, "WAIT", 0.0)

    def run(**changes):
        data_dir = make_data_dir(tmp_path / "data")
        with caplog.at_level("INFO", logger="absl"):
            task = classification(data_dir)
            finetune(data_dir, [task], do_eval=False, iterations_per_loop=1, **changes)
        return caplog.text

    return run


def test_the_expected_time_is_that_of_all_trials(said):
    text = said(num_trials=2, warmup_proportion=1.0)
    assert text.count("whole run is expected to take") == 2
    assert text.count("step 2/6 | ") == 2
    assert text.count("warm-up") == 1  # once, not for each trial
    assert "warmup_proportion is 1.0: the warm-up does not end before the run does" in text
    assert "Set warmup_proportion to 0.1." in text


def test_a_warmup_that_ends_is_not_spoken_of(said):
    assert "warm-up" not in said(warmup_proportion=0.99)
