# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One finished run for many tests, and steps that cost nothing."""

import json
import types

import pytest
import tensorflow as tf
from made_once import made_once
from tiny_run import make_data_dir, tiny_config

from electra_tf.pretraining import ElectraPretrainer, run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """An uninterrupted run of 12 steps: its data folder, configuration and last values.

    Tests copy what they change.
    """

    def config_in(folder):
        return tiny_config(folder / "data", "finished", {"num_hidden_layers": 1})

    def make(folder):
        make_data_dir(folder / "data")
        (folder / "last.json").write_text(json.dumps(run.train(config_in(folder))))

    folder = made_once(tmp_path_factory, "finished", make)
    last = json.loads((folder / "last.json").read_text())
    return types.SimpleNamespace(data_dir=folder / "data", config=config_in(folder), last=last)


@pytest.fixture
def idle_steps(monkeypatch):
    """Steps that only count, so that a run's other parts are tested in no time."""

    def train_step(pretrainer, batch):
        pretrainer.optimizer.iterations.assign_add(1)
        return {"loss": tf.constant(1.0)}

    monkeypatch.setattr(ElectraPretrainer, "train_step", train_step)


@pytest.fixture
def info_log(caplog):
    """What the command line shows, in `caplog`."""
    with caplog.at_level("INFO", logger="absl"):
        yield


@pytest.fixture
def same_fakes(monkeypatch):
    """Fakes that do not depend on how a batch is cut."""

    def fakes(logits, seed, temperature, disallowed_ids):
        if disallowed_ids is None:
            return tf.fill(tf.shape(logits)[:2], 9)
        return 5 + disallowed_ids * 7 % 90

    monkeypatch.setattr("electra_tf.pretraining.pretrainer.sample_tokens", fakes)
