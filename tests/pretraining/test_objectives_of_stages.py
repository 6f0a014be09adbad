# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Stages that train masked LM alone in a run of replaced token detection."""

import numpy as np
import pytest
import tensorflow as tf
from killed_run import stop_after_save
from option_steps import SMALL, built, masked_batches, trained
from run_results import assert_identical, stored
from tiny_run import tiny_config

from electra_tf.pretraining import run
from electra_tf.pretraining.run_flops import flops_of_run, flops_of_sequence
from electra_tf.training.checkpoints.weights import training_variables, weights_by_name
from electra_tf.training.loop.logs import read_log
from electra_tf.training.loop.runners import StepRunner

TIED = {"untied_generator": False}
HEAD = "discriminator_predictions/"


@pytest.mark.parametrize("parts", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_step_of_masked_lm_alone_is_that_of_a_masked_lm(data_dir, parts):
    """Of the same weights; the head that rests keeps weights and moments."""
    batches = masked_batches(data_dir, 2)
    options = {"gradient_accumulation_steps": parts}
    masked_lm = built(data_dir, electra_objective=False, **options)
    pretrainer = built(data_dir, **TIED, **options)
    for name, weight in weights_by_name(masked_lm).items():
        weight.assign(weights_by_name(pretrainer)[name])
    plain = trained(masked_lm, batches)
    everything = {metric.name for metric in pretrainer.running.trained(False)}
    assert everything == {metric.name for metric in pretrainer.metrics}
    resting = {v.path: v.numpy() for v in pretrainer.weights if v.path.startswith(HEAD)}
    pretrainer.masked_lm_only = True
    losses, values = trained(pretrainer, batches)
    np.testing.assert_allclose(losses, plain[0], rtol=1e-6)
    for name, value in plain[1].items():
        np.testing.assert_allclose(values[name], value, atol=1e-6, err_msg=name)
    for name, value in resting.items():
        np.testing.assert_array_equal(values[name], value)
        assert not values[f"{name}/adam_v"].any()
    # What nothing is measured of is not logged.
    measured = {metric.name for metric in pretrainer.running.trained(True)}
    assert measured == {metric.name for metric in masked_lm.metrics} < everything


@pytest.mark.slow
def test_a_model_changes_between_objectives(data_dir, same_fakes):
    """Each has a program of its own, which is taken again."""
    batch = masked_batches(data_dir, 1)[0]
    pretrainer = built(data_dir, jit_compile=True, **TIED)
    head = pretrainer.discriminator.head.weights[0]
    changed = []
    for masked_lm_only in (True, False, True, False):
        before = head.numpy()
        pretrainer.masked_lm_only = masked_lm_only
        pretrainer.train_step(batch)
        changed.append(bool(np.abs(head.numpy() - before).max() > 0))
    assert changed == [False, True, False, True]


@pytest.mark.slow
def test_two_replicas_give_the_weights_of_one(data_dir, two_replicas):
    """A step may update a part of the weights there, too; also with clipped updates."""
    batches = masked_batches(data_dir, 3)
    values = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            pretrainer = built(data_dir, optimizer="stable_adamw", **TIED)
        pretrainer.masked_lm_only = True
        rows = [{name: row.numpy() for name, row in batch.items()} for batch in batches]
        StepRunner(strategy, pretrainer.train_step, 8)(rows)
        values.append({name: v.numpy() for name, v in training_variables(pretrainer).items()})
    for name, value in values[0].items():
        np.testing.assert_allclose(values[1][name], value, atol=1e-6, rtol=1e-5, err_msg=name)


def staged(data_dir, name, **options):
    stages = [{"steps": 5}, {"steps": 7, "objective": "masked_lm"}]
    return tiny_config(data_dir, name, SMALL, **TIED, stages=stages, **options)


def test_flops_are_those_of_the_stages(data_dir):
    config = staged(data_dir, "flops")
    both = flops_of_sequence(config, config.max_seq_length)
    alone = flops_of_sequence(config.replace(electra_objective=False, stages=[]), 16)
    assert flops_of_run(config) == pytest.approx(8 * (5 * both + 7 * alone))


@pytest.mark.slow
def test_a_run_of_two_objectives_resumes_exactly(data_dir):
    whole = staged(data_dir, "whole", ema_decay=0.9)
    run.train(whole)
    parts = staged(data_dir, "parts", ema_decay=0.9)
    for _ in range(3):  # inside the first stage, at its end, inside the second
        stop_after_save(parts)
    run.train(parts)
    assert_identical(parts.model_dir, whole.model_dir)
    logged = [(entry["step"], "disc_auc" in entry) for entry in read_log(whole.model_dir)]
    assert (5, True) in logged and (12, False) in logged
    assert all(is_measured == (step <= 5) for step, is_measured in logged)
    first, last = (stored(f"{whole.model_dir}/model.ckpt-{step}") for step in (5, 12))
    for name, value in first.items():
        if name.startswith(HEAD) and not name.endswith("/ema"):
            np.testing.assert_array_equal(last[name], value)
    assert np.isfinite(run.evaluate(whole)["disc_loss"])


@pytest.mark.slow
def test_a_second_run_trains_masked_lm_of_the_discriminators_encoder(data_dir):
    """What the documentation says for two encoders; without a rate, its encoder is the first's."""
    first = tiny_config(data_dir, "first", SMALL, num_train_steps=4)
    run.train(first)
    second = tiny_config(
        data_dir,
        "second",
        SMALL,
        num_train_steps=1,
        learning_rate=0.0,
        electra_objective=False,
        init_checkpoint=first.model_dir,
        init_checkpoint_ignore="^(generator|discriminator_predictions)",
    )
    run.train(second)
    source = stored(f"{first.model_dir}/model.ckpt-4")
    for name, value in stored(f"{second.model_dir}/model.ckpt-1").items():
        if name.startswith("electra/") and not name.endswith(("/adam_m", "/adam_v")):
            np.testing.assert_array_equal(value, source[name], err_msg=name)


@pytest.mark.parametrize(
    "options",
    [{}, {"electra_objective": False}, {"uniform_generator": True}, {**TIED, "gen_weight": 0.0}],
)
def test_one_encoder_has_to_have_both_heads(data_dir, options):
    stages = [{"steps": 4}, {"steps": 8, "objective": "masked_lm"}]
    with pytest.raises(ValueError, match=r"stages\[1\]: objective is expected to be null unless"):
        tiny_config(data_dir, stages=stages, **options)


def test_objectives_that_there_are_not(data_dir):
    with pytest.raises(ValueError, match=r"stages\[0\]: objective is expected to be null or one"):
        tiny_config(data_dir, stages=[{"steps": 12, "objective": "electra"}])
