# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One long run with a constant rate, from which runs of several lengths are decayed."""

import os
import shutil
import types

import pytest
import tensorflow as tf
from killed_run import stop_after_save
from run_results import assert_identical, logged_steps
from tiny_run import hparams_with, make_data_dir, tiny_config

from electra_tf.files import read_json, write_json
from electra_tf.pretraining import ElectraPretrainer, model_folder, run
from electra_tf.pretraining.training import make_schedule

SHAPE = {"num_hidden_layers": 1}


def schedule_and_data_step(pretrainer, batch):
    """An update without a model: of the rate, the rows of the batch, and a moment."""
    optimizer = pretrainer.optimizer
    optimizer.build(pretrainer.trainable_variables)
    weight, moment = pretrainer.trainable_variables[0].value, optimizer.momentums[0].value
    moment.assign(0.9 * moment + tf.reduce_mean(tf.cast(batch["input_ids"], tf.float32)))
    optimizer.iterations.assign_add(1)
    weight.assign_sub(make_schedule(pretrainer.config)(optimizer.iterations) * moment)
    return {"loss": tf.constant(1.0)}


def saved_run(data_dir, name, **hparams):
    config = tiny_config(data_dir, name, SHAPE, lr_schedule="trapezoid", **hparams)
    run.train(config)
    return types.SimpleNamespace(data_dir=data_dir, folder=config.model_dir)


CONSTANT = {"num_train_steps": 8, "lr_decay_share": 0.0}


@pytest.fixture(scope="module")
def constant(tmp_path_factory):
    """A run of 8 steps whose rate does not decay, saved every 4 steps."""
    data_dir = make_data_dir(tmp_path_factory.mktemp("constant") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ElectraPretrainer, "train_step", schedule_and_data_step)
        return saved_run(data_dir, "constant", **CONSTANT)


@pytest.fixture
def quick_steps(monkeypatch):
    monkeypatch.setattr(ElectraPretrainer, "train_step", schedule_and_data_step)


def decayed_config(constant, name, **hparams):
    """As a user asks for it: all that is not given is that of the run that is continued."""
    hparams = {"decay_from": constant.folder, **hparams}
    return model_folder.resolve_config(name, str(constant.data_dir), hparams)


def check_a_decayed_run(constant):
    """It is the run of its length to the last bit, and so is the constant part of the latter."""
    decay = {"num_train_steps": 10, "lr_decay_share": 0.5}
    whole = saved_run(constant.data_dir, "whole", **decay)
    assert_identical(f"{whole.folder}/model.ckpt-4", f"{constant.folder}/model.ckpt-4")
    config = decayed_config(constant, "decayed", **decay)
    run.train(config)
    assert_identical(config.model_dir, whole.folder)
    assert logged_steps(config.model_dir) == [6, 9, 10]  # of the steps after the fourth


def test_rates_moments_and_data_of_a_decayed_run(constant, quick_steps):
    check_a_decayed_run(constant)


@pytest.mark.slow
def test_a_decayed_run_is_the_run_of_its_length(tmp_path):
    check_a_decayed_run(saved_run(make_data_dir(tmp_path / "data"), "constant", **CONSTANT))


@pytest.mark.slow
def test_a_decayed_run_resumes_and_the_constant_one_goes_on(constant, quick_steps):
    data_dir = constant.data_dir
    decay = {"num_train_steps": 12, "lr_decay_share": 0.4}
    whole = decayed_config(constant, "at_once", **decay)
    run.train(whole)
    parts = decayed_config(constant, "parts", **decay)
    stop_after_save(parts, 8)
    run.train(parts)
    assert_identical(parts.model_dir, whole.model_dir)
    shutil.copytree(constant.folder, data_dir / "models" / "longer")
    longer = {**CONSTANT, "num_train_steps": 12}
    assert_identical(
        saved_run(data_dir, "longer", **longer).folder,
        saved_run(data_dir, "plain", **longer).folder,
    )


def test_what_is_not_given_is_as_in_the_continued_run(constant):
    config = decayed_config(constant, "short", num_train_steps=10)
    expected = hparams_with(SHAPE, num_train_steps=10)
    assert {name: getattr(config, name) for name in expected} == expected
    assert (config.lr_schedule, config.num_decay_steps) == ("trapezoid", 2)
    assert os.path.basename(config.model_dir) == "short"


def test_a_decayed_run_needs_its_source_only_to_begin(constant, idle_steps, tmp_path):
    """Its hyperparameters are those of the checkpoint, then those of its own folder."""
    source = tmp_path / "source"
    shutil.copytree(constant.folder, source)
    path = str(source / "config.json")
    stored = read_json(path)
    others = {"learning_rate": 0.5, "mask_prob": 0.4}
    write_json(path, {**stored, "pretraining": {**stored["pretraining"], **others}})
    given = {"decay_from": str(source), "num_train_steps": 9, "save_checkpoints_steps": 100}
    first = decayed_config(constant, "own", **given)
    assert (first.learning_rate, first.mask_prob) == (1e-3, 0.2)
    run.train(first)
    shutil.rmtree(source)
    assert decayed_config(constant, "own", **given) == first
    assert run.train(first) == {}  # it is trained already
    with pytest.raises(ValueError, match=r"decay_from is expected to be '.*source', since the run"):
        decayed_config(constant, "own", num_train_steps=9)
    with pytest.raises(ValueError, match=r"decay_from is expected to be null, since .*constant"):
        decayed_config(constant, "constant", num_train_steps=9)
    (tmp_path / "gone").mkdir()
    with pytest.raises(FileNotFoundError, match=r"decay_from: .*gone is expected"):
        decayed_config(constant, "new", decay_from=str(tmp_path / "gone"), num_train_steps=9)


@pytest.mark.slow
def test_the_newest_checkpoint_before_the_decay_is_taken(constant, idle_steps, info_log, caplog):
    run.train(decayed_config(constant, "newest", num_train_steps=10))
    assert f"Continuing from {constant.folder}/model.ckpt-8, step 8." in caplog.text


@pytest.mark.parametrize(
    ("hparams", "message"),
    [
        ({"num_train_steps": 4}, r"have a checkpoint of at most step 3.* the steps \[4, 8\]"),
        ({"num_train_steps": 9, "learning_rate": 0.1}, "learning_rate is expected to be that of"),
        ({"num_train_steps": 9, "seed": 3}, "made with other hyperparameters: seed: saved 7"),
        ({"num_train_steps": 9, "lr_schedule": "cosine"}, "lr_schedule is expected to be 'trap"),
        ({"num_train_steps": 9, "mask_prob_end": 0.3}, "mask_prob_end is expected to be null"),
        ({"decay_from": "/nowhere"}, "decay_from: /nowhere is expected to be a checkpoint"),
        ({"decay_from": 3}, "decay_from is expected to be a path or null, but is 3"),
    ],
)
def test_runs_that_cannot_be_continued(constant, hparams, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run.train(decayed_config(constant, "wrong", **hparams))


def test_a_checkpoint_past_the_constant_part_is_refused(constant, finished):
    config = decayed_config(constant, "late", num_train_steps=9, lr_decay_share=0.5)
    late = config.replace(decay_from=f"{constant.folder}/model.ckpt-8")
    with pytest.raises(ValueError, match=r"at most step 5, .* begins to decay, .* is of step 8"):
        run.train(late)
    others = finished.config.model_dir
    plain = tiny_config(finished.data_dir, "plain", SHAPE, num_train_steps=99, decay_from=others)
    with pytest.raises(ValueError, match=r"lr_schedule is expected to be that .* 'reference'"):
        run.train(plain)


def test_a_rate_for_each_schedule(data_dir):
    rates = {}
    for name in ("reference", "trapezoid", "cosine"):
        schedule = make_schedule(tiny_config(data_dir, lr_schedule=name))
        rates[name] = [float(schedule(step)) for step in (2, 9, 12)]
    peak = 1e-3
    assert rates["reference"] == pytest.approx([peak * 10 / 12, peak * 3 / 12, 0])
    assert rates["trapezoid"] == pytest.approx([peak, peak, 0])
    assert rates["cosine"][::2] == pytest.approx([peak, 0]) and 0 < rates["cosine"][1] < 0.3 * peak
    with pytest.raises(ValueError, match="lr_decay_share is expected to be left out"):
        tiny_config(data_dir, lr_decay_share=0.5)


def test_a_folder_without_a_configuration_of_a_run(constant, tmp_path):
    shutil.copytree(constant.folder, tmp_path / "copy")
    stored = read_json(str(tmp_path / "copy" / "config.json"))
    write_json(str(tmp_path / "copy" / "config.json"), {**stored, "pretraining": 3})
    with pytest.raises(ValueError, match=r"copy/config\.json.*pretraining"):
        decayed_config(constant, "copied", decay_from=str(tmp_path / "copy"))
