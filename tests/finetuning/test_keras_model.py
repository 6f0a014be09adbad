# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A `FinetuningModel` is fitted, evaluated and stored as models of Keras are."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_run import HPARAMS, make_examples

from electra_tf.config import FinetuningConfig
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning import FinetuningModel
from electra_tf.finetuning.trial import make_optimizer

TASKS = (
    TaskSpec("words", "classification", (), "accuracy", labels=("no", "yes")),
    TaskSpec("score", "regression", (), "mse", value_range=(0.0, 4.0)),
)


def make_model(**changes):
    names = ("model_hparam_overrides", "embedding_size", "vocab_size", "max_seq_length")
    hparams = {name: HPARAMS[name] for name in names}
    hparams |= {"task_names": ["words", "score"], "learning_rate": 1e-2, **changes}
    return FinetuningModel(FinetuningConfig.from_hparams("keras", "/none", hparams), TASKS)


def compiled(**changes):
    model = make_model(**changes)
    model.compile(make_optimizer(model.config, 8))
    return model


def features(rows=16, seed=0):
    """Rows of both tasks in turn, whose labels follow from their first word."""
    arrays = make_examples(rows, seed)
    label = arrays["input_ids"][:, 1] % 2
    return {
        **arrays,
        "task_id": np.arange(rows, dtype=np.int32) % 2,
        "words_label_ids": label.astype(np.int32),
        "score_targets": label.astype(np.float32),
    }


def dataset(rows=16, seed=0):
    return tf.data.Dataset.from_tensor_slices(features(rows, seed)).batch(4)


def test_fit_evaluates_and_callbacks_find_what_they_need(tmp_path):
    model = compiled()
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            str(tmp_path / "best.keras"), monitor="val_loss", save_best_only=True
        ),
        keras.callbacks.TensorBoard(str(tmp_path / "events")),
        keras.callbacks.BackupAndRestore(str(tmp_path / "backup")),
    ]
    history = model.fit(
        dataset(), validation_data=dataset(8, 1), epochs=2, callbacks=callbacks, verbose=0
    ).history
    assert sorted(history) == ["gradient_norm", "loss", "val_loss"]
    assert all(len(values) == 2 for values in history.values())
    best = keras.models.load_model(tmp_path / "best.keras")
    loss = best.evaluate(dataset(8, 1), verbose=0)
    assert loss == pytest.approx(min(history["val_loss"]), rel=1e-5)
    assert list((tmp_path / "events" / "validation").iterdir())


def test_the_loss_is_the_mean_over_rows():
    """Of rows in any number of batches, and not of rows that fill a batch."""
    model, rows = compiled(), features(10)
    outputs = model.compute_outputs({name: tf.constant(v) for name, v in rows.items()})
    own = np.where(rows["task_id"] == 0, outputs["words"]["loss"], outputs["score"]["loss"])
    assert model.evaluate(dataset(10), verbose=0) == pytest.approx(own.mean(), rel=1e-5)
    assert model.evaluate(rows, verbose=0, return_dict=True) == pytest.approx({"loss": own.mean()})
    filled = {name: np.concatenate([v, np.zeros_like(v[:6])]) for name, v in rows.items()}
    filled["task_id"][10:] = 2
    assert model.evaluate(filled, verbose=0) == pytest.approx(own.mean(), rel=1e-5)
    weights = np.linspace(0, 2, 10, dtype=np.float32)
    weighed = model.evaluate({**rows, "sample_weight": weights}, verbose=0)
    assert weighed == pytest.approx((own * weights).mean(), rel=1e-5)


def test_metrics_by_task():
    model = make_model()
    model.compile(
        "sgd",
        metrics={"words": ["accuracy"], "score": [keras.metrics.MeanSquaredError(name="error")]},
    )
    rows = features(10)
    found = model.evaluate(rows, verbose=0, return_dict=True)
    outputs = model.compute_outputs({name: tf.constant(v) for name, v in rows.items()})
    own = rows["task_id"] == 0
    right = outputs["words"]["predictions"].numpy() == rows["words_label_ids"]
    assert found["words_accuracy"] == pytest.approx(right[own].mean())
    errors = 16 * (outputs["score"]["predictions"].numpy() - rows["score_targets"]) ** 2
    assert found["score_error"] == pytest.approx(errors[~own].mean(), rel=1e-5)


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_a_file_has_weights_optimizer_and_configuration(tmp_path, precision):
    model = compiled(precision=precision)
    model.fit(dataset(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.config, loaded.tasks, loaded.seed) == (model.config, model.tasks, model.seed)
    rows = {name: tf.constant(v) for name, v in features().items()}
    for task, outputs in model(rows).items():
        for name, value in outputs.items():
            np.testing.assert_array_equal(loaded(rows)[task][name], value)
    for each in (model, loaded):  # both go on alike, moments and dropout included
        each.fit(dataset(seed=1), verbose=0)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_weights_alone(tmp_path):
    model, other = compiled(), compiled(seed=5)
    model.save_weights(tmp_path / "all.weights.h5")
    other.load_weights(tmp_path / "all.weights.h5")
    rows = features()
    assert model.evaluate(rows, verbose=0) == other.evaluate(rows, verbose=0)


def test_training_without_a_seed_draws_anew():
    model = make_model()
    rows = {name: tf.constant(v) for name, v in features(4).items()}
    first, second = (model(rows, training=True)["words"]["logits"] for _ in range(2))
    assert np.any(first != second)
    np.testing.assert_array_equal(
        model(rows)["words"]["logits"], model(rows, training=False)["words"]["logits"]
    )


def test_labels_apart_and_losses_are_refused():
    model = compiled()
    rows = features()
    with pytest.raises(ValueError, match="the labels of the tasks among them, and y to be None"):
        model.fit(rows, rows["words_label_ids"], verbose=0)
    with pytest.raises(ValueError, match="loss is expected to be None, since heads have their own"):
        model.compile("sgd", loss="mse")
