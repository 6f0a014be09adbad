# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Evaluation: results files, and metrics against scikit-learn's."""

import contextlib
import json
import pathlib
import pickle

import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from tiny_run import LENGTH, make_examples, tensors, tiny_config, tiny_pretrainer, write_records

from electra_tf.data import PretrainingRecords
from electra_tf.pretraining import run
from electra_tf.pretraining.discriminators import ReplacedTokens
from electra_tf.pretraining.held_out import Evaluator
from electra_tf.pretraining.metrics import PretrainingMetrics

ORIGINAL_NAMES = {
    "loss",
    "global_step",
    "masked_lm_accuracy",
    "masked_lm_loss",
    "sampled_masked_lm_accuracy",
    "disc_loss",
    "disc_auc",
    "disc_accuracy",
    "disc_precision",
    "disc_recall",
}


@pytest.fixture(scope="module")
def evaluated(finished):
    """Results of evaluating the finished run, and where they were written."""
    return run.evaluate(finished.config), pathlib.Path(finished.config.model_dir) / "results"


def test_results_have_the_names_of_the_original(evaluated):
    results, _ = evaluated
    assert set(results) == ORIGINAL_NAMES | {"most_frequent_token_accuracy", "replaced_share"}
    assert results["global_step"] == 12
    assert np.isfinite(list(results.values())).all()


@pytest.mark.parametrize(
    "objective",
    [
        {},
        pytest.param(
            {"electra_objective": False, "electric_objective": True}, marks=pytest.mark.slow
        ),
    ],
)
def test_loss_is_what_training_minimizes(data_dir, objective):
    """Two batches, of which the second has 10 examples and 6 rows that fill it up."""
    write_records(data_dir / "some.tfrecord", make_examples(26))
    pretrainer = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, **objective)
    losses, compute_outputs = [], pretrainer.compute_outputs

    def watched(batch, seed):
        outputs = compute_outputs(batch, seed=seed)
        losses.append(float(outputs["total_loss"]))
        return outputs

    pretrainer.compute_outputs = watched
    with eager_functions():
        results = Evaluator(pretrainer, PretrainingRecords(str(data_dir / "some.tfrecord")), 9)()
    assert results["loss"] == pytest.approx((16 * losses[0] + 10 * losses[1]) / 26, rel=1e-5)


@contextlib.contextmanager
def eager_functions():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_three_files(evaluated):
    results, folder = evaluated
    lines = (folder / "unsup_results.txt").read_text().splitlines()
    assert lines == sorted(lines)
    written = {name: float(value) for name, value in (line.split(" = ") for line in lines)}
    assert written == results
    assert json.loads((folder / "unsup_results.json").read_text()) == results
    assert pickle.loads((folder / "unsup_results.pkl").read_bytes()) == results
    assert len(list(folder.iterdir())) == 3


def test_deterministic(finished, evaluated):
    assert run.evaluate(finished.config) == evaluated[0]


def test_masked_lm_has_no_discriminator_results(data_dir):
    pretrainer = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, electra_objective=False)
    records = PretrainingRecords(pretrainer.config.pretrain_tfrecords)
    results = Evaluator(pretrainer, records, num_batches=1)()
    assert set(results) == {
        "loss",
        "masked_lm_accuracy",
        "masked_lm_loss",
        "most_frequent_token_accuracy",
    }


def test_baselines_and_number_of_batches(data_dir, monkeypatch):
    """With one word only, always predicting the most frequent token is always right."""
    examples = make_examples(50)
    examples["input_ids"] = np.where(examples["input_ids"] > 4, 9, examples["input_ids"])
    write_records(data_dir / "same.tfrecord", examples)
    pretrainer = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, uniform_generator=True)
    seen = []
    outputs = pretrainer.compute_outputs
    monkeypatch.setattr(
        pretrainer,
        "compute_outputs",
        lambda batch, seed: seen.append(1) or outputs(batch, seed=seed),
    )
    monkeypatch.setattr("electra_tf.pretraining.held_out.tf.function", lambda f, **_: f)
    evaluator = Evaluator(pretrainer, PretrainingRecords(str(data_dir / "same.tfrecord")), 3)
    results = evaluator()
    assert len(seen) == 3
    assert results["most_frequent_token_accuracy"] == 1.0
    # 2 or 3 of about 11 tokens are masked; a uniform fake differs in 99 of 100 cases.
    assert 0.1 < results["replaced_share"] < 0.3


def masked_outputs(pretrainer, count=64):
    """Outputs with logits far enough apart for scores to differ."""
    outputs = dict(pretrainer.compute_outputs(tensors(make_examples(count))))
    noise = tf.random.stateless_normal([count, LENGTH], [1, 2])
    outputs["rtd_logits"] = 2 * noise + 2 * tf.cast(outputs["is_replaced"], tf.float32) - 1
    return outputs


def results_of(outputs):
    metrics = PretrainingMetrics(ReplacedTokens())
    metrics.update(outputs)
    return {
        name: float(value) for name, value in metrics.results().items() if name not in metrics.step
    }


def test_discriminator_metrics_agree_with_scikit_learn(data_dir):
    outputs = masked_outputs(tiny_pretrainer(data_dir))
    results = results_of(outputs)
    real = outputs["input_mask"].numpy() == 1
    labels = outputs["is_replaced"].numpy()[real]
    scores = outputs["rtd_logits"].numpy()[real]
    assert 0.05 < labels.mean() < 0.5
    flagged = scores > 0
    assert results["disc_accuracy"] == pytest.approx(
        sklearn.metrics.accuracy_score(labels, flagged), rel=1e-5
    )
    assert results["disc_precision"] == pytest.approx(
        sklearn.metrics.precision_score(labels, flagged), rel=1e-5
    )
    assert results["disc_recall"] == pytest.approx(
        sklearn.metrics.recall_score(labels, flagged), rel=1e-5
    )
    assert results["replaced_share"] == pytest.approx(labels.mean(), rel=1e-5)
    # Keras' area is interpolated between 200 thresholds.
    area = sklearn.metrics.roc_auc_score(labels, scores)
    assert results["disc_auc"] == pytest.approx(area, abs=5e-3)


def test_generator_metrics(data_dir):
    outputs = masked_outputs(tiny_pretrainer(data_dir))
    np.testing.assert_array_equal(outputs["guessed_ids"], outputs["mlm_logits"].numpy().argmax(-1))
    is_known = tf.random.stateless_uniform([64, 3], [3, 4]) < 0.3
    outputs["guessed_ids"] = tf.where(is_known, outputs["masked_ids"], outputs["guessed_ids"])
    results = results_of(outputs)
    weights = outputs["masked_weights"].numpy().ravel()
    labels = outputs["masked_ids"].numpy().ravel()
    for name, guesses in (
        ("masked_lm_accuracy", outputs["guessed_ids"].numpy().ravel()),
        ("sampled_masked_lm_accuracy", outputs["sampled_ids"].numpy().ravel()),
    ):
        expected = sklearn.metrics.accuracy_score(labels, guesses, sample_weight=weights)
        assert results[name] == pytest.approx(expected, rel=1e-5)
    assert 0.2 < results["masked_lm_accuracy"] < 0.5
    assert results["masked_lm_loss"] == pytest.approx(float(outputs["mlm_loss"]), rel=1e-5)


def test_disc_loss_is_the_mean_over_sequences(data_dir):
    outputs = masked_outputs(tiny_pretrainer(data_dir), count=4)
    losses, mask = outputs["rtd_token_losses"].numpy(), outputs["input_mask"].numpy()
    means = [row[real == 1].mean() for row, real in zip(losses, mask, strict=True)]
    assert results_of(outputs)["disc_loss"] == pytest.approx(np.mean(means), rel=1e-5)


def test_rows_of_padding_change_nothing(data_dir):
    pretrainer = tiny_pretrainer(data_dir)
    masked = pretrainer.mask(tensors(make_examples(6)))
    padded = {name: tf.pad(rows, [[0, 5], [0, 0]]) for name, rows in masked.items()}
    expected = results_of(pretrainer.compute_outputs(masked, masked["masked_ids"] // 2))
    found = results_of(pretrainer.compute_outputs(padded, padded["masked_ids"] // 2))
    assert found == pytest.approx(expected, rel=1e-5)


def test_results_add_up_over_batches(data_dir):
    pretrainer = tiny_pretrainer(data_dir)
    outputs = masked_outputs(pretrainer, count=12)
    metrics = PretrainingMetrics(ReplacedTokens())
    for rows in (slice(0, 4), slice(4, 12)):
        metrics.update({name: value[rows] for name, value in outputs.items() if value.shape.rank})
    whole = results_of(outputs)
    for name, value in metrics.results().items():
        if name in whole:
            assert float(value) == pytest.approx(whole[name], rel=1e-5), name


def test_no_checkpoint(data_dir):
    with pytest.raises(FileNotFoundError, match="models/tiny is expected to be a checkpoint"):
        run.evaluate(tiny_config(data_dir))
    assert not (data_dir / "models").exists()
