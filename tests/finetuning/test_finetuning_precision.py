# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Lower precision and XLA, against the plain float32 step."""

import json

import numpy as np
import pytest
import tensorflow as tf
from test_finetuning_goldens import FOLDER, batch_of, config_of, tasks_of

from electra_tf.finetuning.model import FinetuningModel
from electra_tf.training import ElectraAdam
from electra_tf.training.checkpoints.checkpoint import load_variables, resolve_prefix
from electra_tf.training.checkpoints.weights import training_variables, weights_by_name


def trained(**options):
    """The model of the recorded MNLI case after one update, and its loss."""
    folder = FOLDER / "mnli"
    meta = json.loads((folder / "meta.json").read_text())
    meta["hparams"] = {**meta["hparams"], **options}
    model = FinetuningModel(config_of(meta), list(tasks_of(meta)))
    load_variables(
        resolve_prefix(str(folder / "ckpt")), weights_by_name(model), ignored="^global_step$"
    )
    model.compile(optimizer=ElectraAdam(1e-3))
    model.optimizer.build(model.trainable_variables)
    batch = batch_of(dict(np.load(folder / "io.npz")), 0)
    for _ in range(10):  # float16 leaves updates out until its loss scale has come down
        result = model.update(batch)
        if any(np.any(moment.numpy()) for moment in model.optimizer.momentums):
            return model, float(result["loss"])
    raise AssertionError("no update was made")


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        pytest.param({"jit_compile": True}, 1e-4, id="xla"),
        pytest.param({"precision": "bfloat16"}, 0.1, id="bfloat16"),
        pytest.param({"precision": "float16"}, 0.02, id="float16"),
    ],
)
def test_the_step_is_that_of_float32(options, tolerance):
    plain, loss = trained(precision="float32", jit_compile=False)
    other, other_loss = trained(**options)
    assert other_loss == pytest.approx(loss, rel=tolerance / 5)
    moments = training_variables(other)
    for name, value in training_variables(plain).items():
        if name.endswith("/adam_m") and np.abs(value).max() > 1e-4:
            error = np.linalg.norm(moments[name] - value) / np.linalg.norm(value)
            assert error < tolerance, name
    ids = tf.ones([1, 8], tf.int32)
    features = {"input_ids": ids, "input_mask": ids, "segment_ids": 0 * ids}
    hidden = other.encoder(features).last_hidden_state
    assert hidden.dtype == options.get("precision", "float32")


def test_an_unknown_precision_is_an_error():
    with pytest.raises(ValueError, match="precision is expected to be null or one of"):
        trained(precision="half")
