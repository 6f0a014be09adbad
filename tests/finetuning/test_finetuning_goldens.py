# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Heads, losses and layer-wise rates give the numbers recorded from the original."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.config import FinetuningConfig
from electra_tf.config.task_table import TASKS
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.trial import layerwise_factors
from electra_tf.training import ElectraAdam, WarmupPolynomialDecay
from electra_tf.training.checkpoints.checkpoint import load_variables, resolve_prefix
from electra_tf.training.optimization.optimizer import factor_of

FOLDER = pathlib.Path(__file__).parents[1] / "goldens" / "finetune"
CASES = sorted(folder.name for folder in FOLDER.iterdir())


def config_of(meta):
    hparams = {
        **meta["hparams"],
        "vocab_size": meta["vocab_size"],
        "model_hparam_overrides": meta["model_hparam_overrides"],
    }
    return FinetuningConfig.from_hparams("golden", "unused", hparams)


def tasks_of(meta):
    for name in meta["hparams"]["task_names"]:
        task, mapping = TASKS[name].spec, meta["label_mapping"].get(name)
        if mapping:
            task = dataclasses.replace(task, labels=tuple(sorted(mapping, key=mapping.get)))
        yield task


@pytest.fixture(params=CASES)
def case(request):
    """(model with the stored weights, its recorded numbers, its meta data)."""
    folder = FOLDER / request.param
    meta = json.loads((folder / "meta.json").read_text())
    model = FinetuningModel(config_of(meta), list(tasks_of(meta)))
    weights = {variable.path: variable.value for variable in model.trainable_variables}
    load_variables(resolve_prefix(str(folder / "ckpt")), weights, ignored="^global_step$")
    return model, dict(np.load(folder / "io.npz")), meta


def batch_of(numbers, index):
    prefix = f"batch{index}/"
    return {
        name.removeprefix(prefix): tf.constant(value)
        for name, value in numbers.items()
        if name.startswith(prefix)
    }


def test_outputs_in_evaluation(case):
    model, numbers, meta = case
    outputs = model.compute_outputs(batch_of(numbers, 0))
    compared = 0
    for task in meta["hparams"]["task_names"]:
        for name, value in numbers.items():
            if name.startswith(f"eval/{task}_"):
                found = outputs[task][name.removeprefix(f"eval/{task}_")]
                np.testing.assert_allclose(
                    found, value, rtol=1e-5, atol=1e-5 * max(1, np.abs(value).max()), err_msg=name
                )
                compared += 1
    assert compared == sum(name.startswith("eval/") for name in numbers) - 1  # not task_id


def test_three_steps_of_training(case):
    """Three updates with layer-wise rates.

    The original clips by a norm in which each use of a token's embedding counts for itself (the
    norm of gradient slices); the optimizer here clips by the norm of the gradient. To compare all
    else, the gradients are scaled by the original's norm before, and clipping is off: then every
    weight agrees. With the true norm the losses differ in the fourth digit.
    """
    model, numbers, meta = case
    config = model.config
    steps = meta["num_train_steps"]
    optimizer = ElectraAdam(
        WarmupPolynomialDecay(config.learning_rate, steps, steps * config.warmup_proportion),
        weight_decay=config.weight_decay_rate,
        clip_norm=None,
        learning_rate_factors=layerwise_factors(
            config.layerwise_lr_decay, config.encoder.num_hidden_layers
        ),
    )
    optimizer.build(model.trainable_variables)
    optimizer.iterations.assign(meta["global_step_start"])
    variables = [variable.value for variable in model.trainable_variables]
    for step in range(3):
        features = batch_of(numbers, step)
        with tf.GradientTape() as tape:
            loss = model.total_loss(model.compute_outputs(features, training=True), features)
        tolerance = 1e-4 if step else 1e-5
        np.testing.assert_allclose(loss, numbers[f"step{step}/train/loss"], rtol=tolerance)
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        scale = 1.0 / tf.maximum(tf.linalg.global_norm(gradients), 1.0)
        optimizer.apply([scale * tf.convert_to_tensor(g) for g in gradients])
    weights = {variable.path: variable.numpy() for variable in model.trainable_variables}
    norms = {name for name in numbers if name.startswith("final_norm/")}
    assert {name.removeprefix("final_norm/") for name in norms} == set(weights)
    for name in norms:
        norm = np.linalg.norm(weights[name.removeprefix("final_norm/")])
        np.testing.assert_allclose(norm, numbers[name], rtol=1e-4, err_msg=name)
    for name, value in numbers.items():
        if name.startswith("final/"):
            found = weights[name.removeprefix("final/")]
            np.testing.assert_allclose(found, value, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("case", ["multi"], indirect=True)
def test_rows_of_other_tasks_and_padding_rows_count_for_nothing(case):
    model, numbers, _ = case
    features = batch_of(numbers, 0)
    outputs = model.compute_outputs(features)
    own = [
        outputs[model.tasks[task].name]["loss"][row]
        for row, task in enumerate(features["task_id"].numpy())
    ]
    np.testing.assert_allclose(model.total_loss(outputs, features), sum(own), rtol=1e-6)
    nobody = {**features, "task_id": tf.fill(features["task_id"].shape, len(model.tasks))}
    assert float(model.total_loss(outputs, nobody)) == 0.0


def test_layerwise_rates_of_every_kind_of_variable():
    rules = layerwise_factors(0.5, num_layers=3)

    def rate(path):
        return factor_of(path, rules, "learning_rate_factors")

    assert rate("task_specific/cola/dense/kernel") == 1.0
    assert rate("electra/encoder/layer_2/output/dense/kernel") == 0.5**2
    assert rate("electra/encoder/layer_0/attention/self/query/bias") == 0.5**4
    assert rate("electra/embeddings/word_embeddings") == 0.5**5
    assert rate("electra/embeddings_project/kernel") == 0.5**5
    with pytest.raises(ValueError, match="elsewhere/kernel"):
        rate("elsewhere/kernel")
