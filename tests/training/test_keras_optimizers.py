# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Models trained by `compile` and `fit` with the optimizers of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_run import NO_DROPOUT, make_data_dir, make_examples, tensors, tiny_config

from electra_tf.config import FinetuningConfig
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.training.checkpoints.weights import weights_by_name

SHAPE = {**NO_DROPOUT, "num_hidden_layers": 1}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return make_data_dir(tmp_path_factory.mktemp("data"))


def fitted(data_dir, optimizer, strategy=None, **changes):
    """A pretrainer after two epochs of one batch, which is masked alike, and its history."""
    with (strategy or tf.distribute.get_strategy()).scope():
        pretrainer = ElectraPretrainer(tiny_config(data_dir, "fit", SHAPE, **changes))
        pretrainer.compile(optimizer=optimizer() if callable(optimizer) else optimizer)
    batch = pretrainer.mask(tensors(make_examples(8)), tf.constant([1, 2]))
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    history = pretrainer.fit(dataset, steps_per_epoch=2, epochs=2, verbose=0).history
    return pretrainer, history


@pytest.mark.parametrize(
    ("optimizer", "changes"),
    [
        (lambda: keras.optimizers.Adam(1e-3), {}),
        (lambda: keras.optimizers.Lion(1e-4), {"electra_objective": False}),
        pytest.param(
            lambda: keras.optimizers.AdamW(1e-3), {"precision": "bfloat16"}, marks=pytest.mark.slow
        ),
        pytest.param("adam", {"uniform_generator": True}, marks=pytest.mark.slow),
    ],
)
def test_pretraining_with_an_optimizer_of_keras(data_dir, optimizer, changes):
    pretrainer, history = fitted(data_dir, optimizer, **changes)
    assert int(pretrainer.optimizer.iterations) == 4
    assert history["total_loss"][1] < history["total_loss"][0]
    assert np.all(np.array(history["gradient_norm"]) > 0)


def test_a_step_of_gradient_descent_follows_the_gradients(data_dir):
    """The norm is that of the gradients, whatever scale the optimizer gives the loss."""
    rate, changes = 1e-3, {"electra_objective": False}
    pretrainer = ElectraPretrainer(tiny_config(data_dir, "fit", SHAPE, **changes))
    before = {name: v.numpy() for name, v in weights_by_name(pretrainer).items()}
    scaled = keras.optimizers.SGD(rate, loss_scale_factor=64.0)
    pretrainer.compile(optimizer=scaled)
    batch = pretrainer.mask(tensors(make_examples(8)), tf.constant([1, 2]))
    norm = float(pretrainer.train_step(batch)["gradient_norm"])
    after = {name: v.numpy() for name, v in weights_by_name(pretrainer).items()}
    moved = np.sqrt(sum(np.sum((after[name] - before[name]) ** 2.0) for name in before))
    assert norm > 0.1
    assert moved == pytest.approx(rate * norm, rel=1e-2)


def test_float16_leaves_updates_out_until_the_loss_is_scaled_well(data_dir):
    pretrainer, history = fitted(
        data_dir, keras.optimizers.SGD(1e-3), precision="float16", electra_objective=False
    )
    assert int(pretrainer.optimizer.iterations) == 4
    assert np.isfinite(history["loss"]).all()


@pytest.mark.slow
def test_replicas_sum_their_gradients_once(data_dir, two_replicas):
    changes = {"electra_objective": False}  # without samples, which each replica draws itself

    def descent():
        return keras.optimizers.SGD(0.05)

    one, _ = fitted(data_dir, descent, **changes)
    # Two replicas have half of the rows each.
    two, history = fitted(data_dir, descent, two_replicas, **changes)
    assert np.isfinite(history["gradient_norm"]).all()
    for name, value in weights_by_name(one).items():
        np.testing.assert_allclose(
            weights_by_name(two)[name].numpy(), value.numpy(), atol=1e-5, err_msg=name
        )


def test_finetuning_with_an_optimizer_of_keras():
    """A second task, of which no batch has a row and whose head has no gradient, stays."""
    config = FinetuningConfig.from_hparams(
        "fit",
        "/none",
        {
            "model_hparam_overrides": {**NO_DROPOUT, "hidden_size": 16, "num_hidden_layers": 1},
            "embedding_size": 8,
            "vocab_size": 100,
            "max_seq_length": 16,
            "task_names": ["a", "b"],
        },
    )
    tasks = [
        TaskSpec(name, "classification", (), "accuracy", labels=("no", "yes"))
        for name in ("a", "b")
    ]
    model = FinetuningModel(config, tasks)
    other_head = [variable.numpy() for variable in model.task_heads.heads[1].trainable_variables]
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    rows = tensors(make_examples(8))
    features = {
        **rows,
        "task_id": tf.zeros([8], tf.int32),
        "a_label_ids": tf.ones([8], tf.int32),
        "b_label_ids": tf.zeros([8], tf.int32),
    }
    dataset = tf.data.Dataset.from_tensors(features).repeat()
    history = model.fit(dataset, steps_per_epoch=3, epochs=3, verbose=0).history
    assert history["loss"][2] < history["loss"][0]
    assert np.all(np.array(history["gradient_norm"]) > 0)
    for variable, before in zip(
        model.task_heads.heads[1].trainable_variables, other_head, strict=True
    ):
        np.testing.assert_array_equal(variable.numpy(), before)
