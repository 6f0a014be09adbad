# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs whose lengths, batch sizes and records change as they go."""

import os
import signal

import numpy as np
import pytest
import tensorflow as tf
from run_results import assert_identical, logged_steps
from tiny_run import LENGTH, half_length, make_examples, tiny_config, write_records

from electra_tf.data import PretrainingRecords
from electra_tf.pretraining import ElectraPretrainer, run
from electra_tf.pretraining.stage_records import StageRecords
from electra_tf.pretraining.training import make_schedule
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, read_state, step_in_name
from electra_tf.training.loop import trainer
from electra_tf.training.loop.runners import StepRunner
from electra_tf.training.loop.trainer import Stopped

ONE_LAYER = {"num_hidden_layers": 1}


@pytest.fixture
def staged(data_dir):
    """Hyperparameters: 3 steps of half the length, 3 of more rows, 4 and then 2 of full length."""
    short = half_length(data_dir)
    return {
        "stages": [
            {"steps": 3, "train_batch_size": 4, **short},
            {"steps": 3, "train_batch_size": 8, **short},
            {"steps": 4, "train_batch_size": 4, "gradient_accumulation_steps": 2},
            {"steps": 2, "train_batch_size": 2},
        ],
        "num_train_steps": 12,
    }


def test_stages_alike_are_one_run(finished):
    """To the last bit."""
    stages = [{"steps": 5}, {"steps": 7}]
    config = tiny_config(finished.data_dir, "alike", ONE_LAYER, stages=stages)
    run.train(config)
    assert_identical(config.model_dir, finished.config.model_dir)


def test_every_stage_says_which_records_it_reads(data_dir):
    write_records(data_dir / "others.tfrecord", make_examples(40, seed=5))
    others = {"pretrain_tfrecords": str(data_dir / "others.tfrecord")}

    def fingerprints(*stages):
        stages = [{"steps": 1, **stage} for stage in stages]
        plan = tiny_config(data_dir, stages=stages, num_train_steps=3).plan
        return StageRecords(plan, lambda patterns, _: PretrainingRecords(patterns)).fingerprints

    one, two = fingerprints({}, others, {}), fingerprints({}, others, others)
    assert [name for name in one if one[name] != two[name]] == ["records of stage 3"]


def stop_at(monkeypatch, numbers):
    """Send this process SIGTERM while each of these steps computes."""
    whole_step = ElectraPretrainer.train_step

    def train_step(pretrainer, batch):
        tf.numpy_function(
            lambda done: os.kill(os.getpid(), signal.SIGTERM) if done + 1 in numbers else None,
            [pretrainer.optimizer.iterations],
            [],
        )
        return whole_step(pretrainer, batch)

    monkeypatch.setattr(ElectraPretrainer, "train_step", train_step)


@pytest.mark.slow
def test_stopping_inside_and_between_stages_changes_no_bit(data_dir, staged, monkeypatch):
    staged |= {"extend_positions": True, "ema_decay": 0.9}
    whole = tiny_config(data_dir, "whole", ONE_LAYER, iterations_per_loop=2, **staged)
    run.train(whole)
    stopped = tiny_config(data_dir, "stopped", ONE_LAYER, iterations_per_loop=1, **staged)
    folder = CheckpointFolder(stopped.model_dir)
    for number in (2, 3, 7, 10):  # inside the first, at its end, inside the third, at its end
        with monkeypatch.context() as patch:
            stop_at(patch, {number})
            with pytest.raises(Stopped):
                run.train(stopped)
        assert step_in_name(folder.latest()) == number
    run.train(stopped)
    assert_identical(stopped.model_dir, whole.model_dir)
    state = read_state(CheckpointFolder(whole.model_dir).latest())
    assert state["examples_seen"] == [3 * 4 + 3 * 8, 4 * 4 + 2 * 2]
    assert state["num_examples"] == [40, 80]
    # Every stage ends with what is due: the log, a checkpoint.
    assert logged_steps(whole.model_dir) == [3, 6, 9, 10, 12]


def test_stages_share_what_is_compiled_where_they_may(data_dir, staged, monkeypatch):
    """Lengths are programs of one runner; rows and parts of a batch ask for another one."""
    made = []

    def train_step(pretrainer, batch):
        pretrainer.optimizer.iterations.assign_add(1)
        return {"loss": tf.constant(1.0)}

    def make_runner(strategy, step, batch_size, *rest):
        made.append(batch_size)
        return StepRunner(strategy, step, batch_size)

    monkeypatch.setattr(ElectraPretrainer, "train_step", train_step)
    monkeypatch.setattr(trainer, "make_runner", make_runner)
    stages = [*staged["stages"], {"steps": 1, "train_batch_size": 4}]
    run.train(tiny_config(data_dir, "shared", ONE_LAYER, stages=stages, num_train_steps=13))
    assert made == [4, 8, 4, 2]


def test_stages_get_their_lengths_rows_and_places(data_dir, staged, monkeypatch):
    seen, starts = [], []
    batches = run.PretrainingRecords.batches

    def train_step(pretrainer, batch):
        seen.append((*batch["input_ids"].shape, pretrainer.accumulation_steps))
        pretrainer.optimizer.iterations.assign_add(1)
        masked = pretrainer.mask(batch)
        return {"loss": tf.cast(tf.shape(masked["masked_positions"])[1], tf.float32)}

    def remembered(*arguments, start, **options):
        starts.append(start)
        return batches(*arguments, start=start, **options)

    monkeypatch.setattr(ElectraPretrainer, "train_step", train_step)
    monkeypatch.setattr(run.PretrainingRecords, "batches", remembered)
    run.train(tiny_config(data_dir, "shapes", ONE_LAYER, **staged))
    half = LENGTH // 2
    assert list(dict.fromkeys(seen)) == [
        (4, half, 1),
        (8, half, 1),
        (4, LENGTH, 2),
        (2, LENGTH, 1),
    ]
    assert starts == [0, 3 * 4, 0, 4 * 4]


@pytest.mark.parametrize("extended", [pytest.param(False, marks=pytest.mark.slow), True])
def test_longer_stages_may_begin_with_copies_of_trained_positions(data_dir, staged, extended):
    # The last update of a run has the rate 0: the second stage changes nothing by itself.
    staged = {"stages": [staged["stages"][0], {"steps": 1}], "num_train_steps": 4}
    config = tiny_config(data_dir, "longer", ONE_LAYER, extend_positions=extended, **staged)
    run.train(config)
    table = "electra/embeddings/position_embeddings"

    def load(step, name):
        return tf.train.load_variable(os.path.join(config.model_dir, f"model.ckpt-{step}"), name)

    half, copied = LENGTH // 2, [1, 2, 3, 4, 5, 6, 1, 2]
    weights, moments = load(4, table), load(4, f"{table}/adam_v")
    assert np.array_equal(weights[half:], weights[copied]) == extended
    assert np.ptp(weights[1:half]) > 0
    # A copy of the moments, to which one update has added its own.
    assert np.all(moments[half:] >= 0.99 * load(3, f"{table}/adam_v")[copied]) == extended


def test_extended_positions_need_longer_stages(data_dir, staged):
    staged["stages"].reverse()
    with pytest.raises(ValueError, match="extend_positions is expected to be false unless"):
        tiny_config(data_dir, extend_positions=True, **staged)


def test_masks_follow_the_length(data_dir, staged):
    config = tiny_config(data_dir, **staged)
    assert [config.num_masked_of(stage.max_seq_length) for stage in config.plan] == [1, 1, 3, 3]


def test_the_learning_rate_spans_all_stages(data_dir, staged):
    schedule = make_schedule(tiny_config(data_dir, **staged))
    np.testing.assert_allclose(schedule(6), 1e-3 * 0.5)
    assert float(schedule(12)) == 0.0


def test_steps_add_up_to_the_run(data_dir, staged):
    assert [stage.last_step for stage in tiny_config(data_dir, **staged).plan] == [3, 6, 10, 12]
    with pytest.raises(ValueError, match="num_train_steps is expected to be left out or 12"):
        tiny_config(data_dir, **{**staged, "num_train_steps": 13})


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("no object", r"stages\[0\] is expected to be an object"),
        ({"train_batch_size": 8}, r"stages\[0\] is expected to be an object with the key 'steps'"),
        ({"steps": 5, "batch_size": 8}, "did you mean 'train_batch_size'"),
        ({"steps": 0}, r"stages\[0\]: steps is expected to be at least 1"),
        ({"steps": 1.5}, r"stages\[0\]: steps is expected to be of type int"),
        ({"steps": 5, "max_seq_length": 17}, r"stages\[0\]: max_seq_length .* 5 and .*=16"),
        ({"steps": 5, "gradient_accumulation_steps": 3}, "a divisor of train_batch_size=8"),
    ],
)
def test_wrong_stages_are_errors(data_dir, stage, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(data_dir, stages=[stage], num_train_steps=5)


def test_batches_of_all_stages_must_divide_among_replicas(data_dir, staged, two_replicas):
    staged["stages"][2]["gradient_accumulation_steps"] = 4
    with pytest.raises(
        ValueError, match=r"stages\[2\]: gradient_accumulation_steps .* 2 sequences"
    ):
        run.train(tiny_config(data_dir, "parts", ONE_LAYER, **staged), two_replicas)
    staged["stages"][2]["gradient_accumulation_steps"] = 1
    staged["stages"][3]["train_batch_size"] = 3
    with pytest.raises(ValueError, match=r"stages\[3\]: train_batch_size .* the 2 replicas"):
        run.train(tiny_config(data_dir, "rows", ONE_LAYER, **staged), two_replicas)


def test_records_of_another_length_are_found_before_training(data_dir, staged):
    staged["stages"][0]["pretrain_tfrecords"] = staged["stages"][1]["pretrain_tfrecords"] = str(
        data_dir / "pretrain_tfrecords" / "*"
    )
    with pytest.raises(ValueError, match="a record is 16 tokens long"):
        run.train(tiny_config(data_dir, "long", ONE_LAYER, **staged))
