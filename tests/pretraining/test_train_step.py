# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The step by hand, compiled by XLA, and driven by Keras' `fit`."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_run import NO_DROPOUT, make_examples, tensors, tiny_pretrainer

from electra_tf.training.checkpoints.weights import training_variables, weights_by_name
from electra_tf.training.loop.runners import StepRunner

HOST_OPS = {"PyFunc", "EagerPyFunc", "PyFuncStateless", "PrintV2", "Print", "Assert"}
SMALL = {**NO_DROPOUT, "num_hidden_layers": 1}
RATES = {"learning_rate": 0.01, "num_warmup_steps": 0}


def fake_tokens(logits, seed, temperature=1.0, disallowed_ids=None):
    """Instead of samples: at each position another token."""
    shape = tf.shape(logits)[:2]
    return 5 + tf.reshape(tf.range(tf.reduce_prod(shape)), shape) * 7 % 90


def ops_of(concrete):
    definition = concrete.graph.as_graph_def()
    nodes = list(definition.node)
    for inner in definition.library.function:
        nodes += inner.node_def
    return {node.op for node in nodes}


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param({}, id="electra"),
        pytest.param({"electra_objective": False}, id="mlm", marks=pytest.mark.slow),
        pytest.param(
            {"electra_objective": False, "electric_objective": True},
            id="electric",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_compiled_by_xla_gives_the_same_step(data_dir, monkeypatch, objective):
    monkeypatch.setattr("electra_tf.pretraining.pretrainer.sample_tokens", fake_tokens)
    batch = tensors(make_examples(8))
    losses, weights = {}, {}
    for compiled in (False, True):
        pretrainer = tiny_pretrainer(data_dir, SMALL, **RATES, **objective)
        masked = pretrainer.mask(batch, tf.constant([1, 2]))
        pretrainer.optimizer.build(pretrainer.trainable_variables)
        step = pretrainer.train_step
        if compiled:
            step = tf.function(step, jit_compile=True)
        losses[compiled] = [float(step(masked)["loss"]) for _ in range(3)]
        weights[compiled] = {k: v.numpy() for k, v in training_variables(pretrainer).items()}
    np.testing.assert_allclose(losses[True], losses[False], rtol=1e-5)
    assert losses[False][2] < losses[False][0]
    for name, value in weights[False].items():
        if name.endswith("adam_m"):
            np.testing.assert_allclose(
                weights[True][name], value, atol=1e-5 * max(1e-3, np.abs(value).max()), err_msg=name
            )


@pytest.mark.slow
def test_compiled_by_xla_with_own_masks_samples_and_dropout(data_dir):
    pretrainer = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, **RATES)
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    step = tf.function(pretrainer.train_step, jit_compile=True)
    batch = tensors(make_examples(8))
    losses = [float(step(batch)["loss"]) for _ in range(20)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    ops = ops_of(step.get_concrete_function(batch))
    assert not ops & HOST_OPS
    assert not [op for op in ops if "String" in op]


def test_fit_is_the_step_by_hand(data_dir):
    batches = [tensors(make_examples(8, seed=i)) for i in range(3)]
    by_hand = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, **RATES)
    losses = [float(by_hand.train_step(batch)["loss"]) for batch in [*batches, *batches]]

    fitted = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, **RATES)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature={name: tf.TensorSpec(v.shape, v.dtype) for name, v in batches[0].items()},
    ).repeat()
    history = fitted.fit(dataset, steps_per_epoch=3, epochs=2, verbose=0).history

    assert int(fitted.optimizer.iterations) == 6
    for name, value in weights_by_name(by_hand).items():
        np.testing.assert_allclose(
            weights_by_name(fitted)[name], value, rtol=1e-5, atol=1e-6, err_msg=name
        )
    np.testing.assert_allclose(history["loss"], [losses[2], losses[5]], rtol=1e-4)
    # What is reported is the mean since the epoch began.
    means = [np.mean(losses[:3]), np.mean(losses[3:])]
    np.testing.assert_allclose(history["total_loss"], means, rtol=1e-4)
    assert np.isfinite([*history.values()]).all()
    assert set(history) == {
        "loss",
        "total_loss",
        "gradient_norm",
        "masked_lm_accuracy",
        "masked_lm_loss",
        "sampled_masked_lm_accuracy",
        "disc_loss",
        "disc_auc",
        "disc_accuracy",
        "disc_precision",
        "disc_recall",
        "replaced_share",
    }


def test_updates_differ_by_step(data_dir):
    """Masks follow from the step's number: the same batch is masked differently each time."""
    pretrainer = tiny_pretrainer(data_dir, NO_DROPOUT, learning_rate=0.0)
    batch = tensors(make_examples(8))
    losses = [float(pretrainer.train_step(batch)["loss"]) for _ in range(2)]
    assert losses[0] != losses[1]
    pretrainer.optimizer.iterations.assign(0)
    assert float(pretrainer.train_step(batch)["loss"]) == losses[0]


def test_gradients_that_are_not_finite_count_as_such_a_loss(data_dir, monkeypatch):
    """They spoil the weights, so a run has to stop before it saves them."""
    pretrainer = tiny_pretrainer(data_dir)
    monkeypatch.setattr(pretrainer.optimizer, "apply", lambda *_: tf.constant(float("inf")))
    assert not np.isfinite(pretrainer.train_step(tensors(make_examples(8)))["loss"])


def test_evaluate_of_keras(data_dir):
    pretrainer = tiny_pretrainer(data_dir)
    batch = tensors(make_examples(8))
    first, again = (
        pretrainer.evaluate(
            tf.data.Dataset.from_tensors(batch).repeat(2), verbose=0, return_dict=True
        )
        for _ in range(2)
    )
    assert first == again
    assert 0 < first["masked_lm_loss"] < 10


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="plain"),
        pytest.param({"jit_compile": True}, id="xla", marks=pytest.mark.slow),
        pytest.param(
            {"gradient_accumulation_steps": 2, "recompute_activations": True},
            id="parts",
            marks=pytest.mark.slow,
        ),
        pytest.param({"ema_decay": 0.5}, id="averages", marks=pytest.mark.slow),
        pytest.param({"optimizer": "lamb"}, id="lamb", marks=pytest.mark.slow),
    ],
)
def test_two_replicas_give_the_weights_of_one(data_dir, monkeypatch, two_replicas, options):
    """On the same global batches, with masks and fakes fixed and no dropout."""
    monkeypatch.setattr(
        "electra_tf.pretraining.pretrainer.sample_tokens",
        lambda logits, seed, temperature, disallowed_ids: 5 + disallowed_ids * 7 % 90,
    )
    masker = tiny_pretrainer(data_dir)
    batches = []
    for i in range(5):
        masked = masker.mask(tensors(make_examples(8, seed=i)), tf.constant([i, 0]))
        batches.append({name: rows.numpy() for name, rows in masked.items()})
    losses, weights, reports = [], [], []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            pretrainer = tiny_pretrainer(data_dir, SMALL, disallow_correct=True, **RATES, **options)
            pretrainer.optimizer.build(pretrainer.trainable_variables)
        losses.append(StepRunner(strategy, pretrainer.train_step, 8)(batches))
        state = {**weights_by_name(pretrainer), **pretrainer.updates.state}
        weights.append({k: v.numpy() for k, v in state.items()})
        reports.append({k: float(v) for k, v in pretrainer.running.results().items()})
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    assert reports[1] == pytest.approx(reports[0], rel=1e-4)
    for name, value in weights[0].items():
        np.testing.assert_allclose(weights[1][name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_replicas_draw_masks_of_their_own(data_dir, two_replicas, monkeypatch):
    """Both get the same rows; what they mask would be the same as well with a common seed."""
    with two_replicas.scope():
        pretrainer = tiny_pretrainer(data_dir, SMALL)
        pretrainer.optimizer.build(pretrainer.trainable_variables)
    seen, mask = [], pretrainer.mask

    def remember(*arguments):
        masked = mask(*arguments)
        tf.py_function(lambda rows: seen.append(rows.numpy()), [masked["masked_positions"]], [])
        return masked

    monkeypatch.setattr(pretrainer, "mask", remember)
    rows = make_examples(4, seed=0)
    StepRunner(two_replicas, pretrainer.train_step, 8)(
        [{name: np.concatenate([values, values]) for name, values in rows.items()}]
    )
    first, second = seen
    assert (first != second).any()
