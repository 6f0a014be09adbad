# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Disentangled embeddings leave pre-training as what the discriminator sees."""

import numpy as np
import pytest
from run_results import stored
from tiny_run import tiny_config

from electra_tf.interop.opening import find_starting_point, open_model
from electra_tf.pretraining import run
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder

TOKENS = "electra/embeddings/word_embeddings"


@pytest.mark.parametrize("ema_decay", [0.0, pytest.param(0.5, marks=pytest.mark.slow)])
def test_conversion_and_fine_tuning_get_folded_embeddings(data_dir, ema_decay):
    config = tiny_config(
        data_dir,
        "folded",
        {"num_hidden_layers": 1},
        disentangled_embeddings=True,
        ema_decay=ema_decay,
        num_train_steps=4,
    )
    run.train(config)
    values = stored(CheckpointFolder(config.model_dir).latest())
    suffix = "/ema" if ema_decay else ""
    expected = values[TOKENS + suffix] + values[f"{TOKENS}_difference{suffix}"]
    assert np.abs(expected - values[TOKENS]).max() > 0
    start = find_starting_point(config.model_dir)
    np.testing.assert_array_equal(start.weights[TOKENS], expected)
    assert not [name for name in start.weights if "difference" in name or name.endswith("/ema")]
    model = open_model(config.model_dir)
    assert set(model.parts) == {"discriminator", "generator"}
    transfer = model.folded()
    np.testing.assert_array_equal(transfer.weights[TOKENS], expected)
    assert not [name for name in transfer.weights if name.startswith("generator")]
    assert [name for name in transfer.left_behind if name.startswith("generator/")]
