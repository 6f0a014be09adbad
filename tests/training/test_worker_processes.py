# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs of two worker processes that talk over the loopback interface."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from run_results import assert_identical
from tiny_finetuning import MODEL, SETTINGS, classification, sentences, write_task
from tiny_finetuning import finetune as finetune_here
from tiny_finetuning import make_data_dir as make_finetuning_data_dir
from tiny_run import hparams_with, make_data_dir

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining import run
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.distribution import coordination
from electra_tf.training.loop.logs import read_log

SECONDS_OF_PLAN = 400
"""Two processes that talk step by step take minutes on a machine that is busy otherwise."""
SCRIPT = pathlib.Path(__file__).with_name("multi_worker_runs.py")
RUN = hparams_with(
    {"num_hidden_layers": 1}, num_train_steps=5, save_checkpoints_steps=2, iterations_per_loop=1
)


class Outcome(dict):
    """`statuses` of the workers, `lived_on` (seconds), and what they printed."""

    def __init__(self, report, texts):
        super().__init__(report)
        self.texts = texts


def run_workers(folder, *plans):
    """The outcome of each plan, see multi_worker_runs.py."""
    folder.mkdir(exist_ok=True)
    root = SCRIPT.parents[2]
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), *map(json.dumps, plans)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{root}", "CUDA_VISIBLE_DEVICES": "-1"},
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=SECONDS_OF_PLAN * len(plans))
        except BaseException:  # nobody else would end the workers
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0
    return [
        Outcome(
            json.loads(line),
            [(folder / f"{plan}_{worker}.txt").read_text(errors="replace") for worker in (0, 1)],
        )
        for plan, line in enumerate(printed.splitlines())
    ]


def pretrain(data_dir, model_name, hparams=RUN, **plan):
    arguments = ["--data-dir", str(data_dir), "--model-name", model_name]
    return {
        "command": "pretrain",
        "arguments": [*arguments, "--hparams", json.dumps(hparams)],
        **plan,
    }


def saved(config, step):
    reader = tf.train.load_checkpoint(f"{config.model_dir}/model.ckpt-{step}")
    names = set(reader.get_variable_to_shape_map()) - {"electra_tf/state"}
    return {name: reader.get_tensor(name) for name in names}


def assert_same(one, other):
    assert set(one) == set(other)
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], rtol=1e-5, atol=1e-7, err_msg=name)


def configured(data_dir, model_name, hparams=RUN):
    return PretrainingConfig.from_hparams(model_name, str(data_dir), hparams)


@pytest.fixture(scope="module")
def two_replica_run(tmp_path_factory, two_replicas):
    """The same run on two devices of one process: its data folder and configuration."""
    data_dir = make_data_dir(tmp_path_factory.mktemp("workers") / "data")
    hparams = {**RUN, "eval_every_steps": 5, "num_eval_steps": 3}
    config = configured(data_dir, "replicas", hparams)
    run.train(config, two_replicas)
    return data_dir, config, hparams


@pytest.fixture(scope="module")
def two_worker_run(two_replica_run, tmp_path_factory):
    """The same run of two workers: its outcome, its configuration, the other's copy of the data."""
    data_dir, _, hparams = two_replica_run
    folder = tmp_path_factory.mktemp("two_workers")
    copy = folder / "copy"
    shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns("models"))
    (outcome,) = run_workers(
        folder / "out",
        pretrain(data_dir, "workers", hparams, others=["--data-dir", str(copy)]),
    )
    assert outcome["statuses"] == [0, 0], outcome.texts
    return outcome, configured(data_dir, "workers", hparams), copy


def test_two_workers_are_two_replicas(two_replica_run, two_worker_run):
    """Masks, fakes and dropout included, which differ from replica to replica."""
    _, expected, _ = two_replica_run
    outcome, config, copy = two_worker_run
    assert_same(saved(config, 5), saved(expected, 5))

    # The chief alone writes, and logs what all have measured.
    folder = pathlib.Path(config.model_dir)
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    assert not (copy / "models").exists()
    for kind in ("train", "eval"):
        ours, theirs = read_log(str(folder), kind), read_log(expected.model_dir, kind)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            measured = {k: v for k, v in one.items() if not k.endswith(("per_second", "share"))}
            measured["replaced_share"] = one["replaced_share"]
            del measured["kind"]
            assert {k: other[k] for k in measured} == pytest.approx(measured, rel=1e-4), kind
    assert "step 5/5" in outcome.texts[0] and "step 5/5" not in outcome.texts[1]


def finetune(data_dir, hparams, other_hparams):
    """A plan in which worker 1 has other hyperparameters."""
    arguments = ["--data-dir", str(data_dir), "--model-name", MODEL]
    return {
        "command": "finetune",
        "arguments": [*arguments, "--hparams", json.dumps(hparams)],
        "others": ["--hparams", json.dumps(other_hparams)],
    }


def other_table(folder, split, old, new):
    """A copy of the folder of fine-tuning data whose table `split` says something else."""
    shutil.copytree(folder.parent / "data" / "finetuning_data", folder)
    table = folder / "words" / f"{split}.tsv"
    table.write_text(table.read_text().replace(old, new, 1))
    return {"raw_data_dir": f"{folder}/{{:}}"}


@pytest.mark.slow
def test_other_hyperparameters_or_data_on_one_worker_are_errors(tmp_path):
    """On all workers, with what differs and nothing else, for training and for evaluation."""
    data_dir = make_finetuning_data_dir(tmp_path / "data")
    settings = {**SETTINGS, "task_names": [classification(data_dir)]}
    only_evaluated = {**settings, "do_train": False}
    other_train = other_table(tmp_path / "other_train", "train", "w1", "w5")
    other_dev = other_table(tmp_path / "other_dev", "dev", "w1", "w5")
    records = make_data_dir(tmp_path / "pretraining")
    other_records = make_data_dir(tmp_path / "other_pretraining")
    next((other_records / "pretrain_tfrecords").iterdir()).unlink()
    measured = {**RUN, "do_train": False, "do_eval": True}
    trained, *outcomes = run_workers(
        tmp_path / "out",
        finetune(data_dir, settings, settings),
        pretrain(
            records, "rates", others=["--hparams", json.dumps({**RUN, "learning_rate": 0.25})]
        ),
        pretrain(records, "records", others=["--data-dir", str(other_records)]),
        pretrain(
            records,
            "measured",
            measured,
            others=["--hparams", json.dumps({**measured, "num_eval_steps": 7})],
        ),
        finetune(data_dir, settings, {**settings, "num_trials": 2}),
        finetune(data_dir, settings, {**settings, **other_train}),
        finetune(data_dir, only_evaluated, {**only_evaluated, **other_dev}),
    )
    assert trained["statuses"] == [0, 0], trained.texts
    of_data = "data, the first weights and the results so far"
    own_values = [
        ("hyperparameters", f"learning_rate={RUN['learning_rate']}.", "learning_rate=0.25."),
        ("vocabulary and the records", "records of stage 1=", "records of stage 1="),
        ("hyperparameters", "num_eval_steps=100.", "num_eval_steps=7."),
        ("hyperparameters", "num_trials=1.", "num_trials=2."),
        (of_data, "words/train=", "words/train="),
        (of_data, "words/dev=", "words/dev="),
    ]
    for outcome, (what, *values) in zip(outcomes, own_values, strict=True):
        assert outcome["statuses"] == [2, 2], outcome.texts
        for text, value in zip(outcome.texts, values, strict=True):
            (line,) = [line for line in text.splitlines() if line.startswith("error:")]
            assert f"error: the {what}: all workers are expected to have the same" in line
            assert re.search(
                r"but worker 1 \(localhost:\d+\) and worker 0 \(.*\) differ in 1 of", line
            )
            assert f"this one has {value}" in line


@pytest.mark.slow
def test_two_workers_have_the_negatives_of_two_replicas(two_replicas, tmp_path):
    losses = []
    for place in ("replicas", "workers"):
        data_dir = make_finetuning_data_dir(tmp_path / place)
        rows = [f"{' '.join(words)}\t{' '.join(words[::-1])}" for words, _ in sentences(24, 0)]
        files = {f"{split}.tsv": "\n".join(["a\tb", *rows]) + "\n" for split in ("train", "dev")}
        columns = {"text_a": "a", "text_b": "b"}
        task = write_task(data_dir, "near", files, kind="embedding", format="tsv", columns=columns)
        if place == "replicas":
            finetune_here(data_dir, [task], two_replicas)
        else:
            settings = {**SETTINGS, "task_names": [task]}
            (outcome,) = run_workers(tmp_path / "out", finetune(data_dir, settings, settings))
            assert outcome["statuses"] == [0, 0], outcome.texts
        (log,) = data_dir.glob("models/*/finetuning_models/*_1")
        losses.append([entry["loss"] for entry in read_log(str(log))])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4) and len(losses[0]) > 1


@pytest.mark.slow
def test_models_in_folders_that_are_not_shared_are_errors(tmp_path):
    """They cannot be told from each other by steps and names."""
    records = f"{make_data_dir(tmp_path / 'pretraining')}/pretrain_tfrecords/*"
    data_dir = make_finetuning_data_dir(tmp_path / "data")
    settings = {**SETTINGS, "task_names": [classification(data_dir)]}
    shutil.copytree(data_dir, tmp_path / "copy")
    folder = make_finetuning_data_dir(tmp_path / "other") / "models" / MODEL
    reader = tf.train.load_checkpoint(f"{folder}/model.ckpt-5")
    names = set(reader.get_variable_to_shape_map()) - {"electra_tf/state"}
    weights = {name: 1 + reader.get_tensor(name) for name in names}
    CheckpointFolder(str(folder)).save(5, weights, {})
    measured = {**RUN, "do_train": False, "do_eval": True, "eval_tfrecords": records}
    in_copy = {**settings, "save_checkpoints_steps": 3, "eval_every_steps": 3}
    outcomes = run_workers(
        tmp_path / "out",
        pretrain(data_dir, MODEL, measured, others=["--data-dir", str(tmp_path / "other")]),
        {
            **finetune(data_dir, in_copy, in_copy),
            "others": ["--data-dir", str(tmp_path / "copy")],
        },
    )
    differing = [
        ("the checkpoint to evaluate, from a folder that all hosts share", "weights=", "weights="),
        ("the best checkpoint", "name='model.ckpt-", "name='none'."),
    ]
    for outcome, (what, *values) in zip(outcomes, differing, strict=True):
        assert outcome["statuses"] == [2, 2], outcome.texts
        for text, value in zip(outcome.texts, values, strict=True):
            (line,) = [line for line in text.splitlines() if line.startswith("error:")]
            assert f"error: {what}: all workers are expected to have the same" in line
            assert f"this one has {value}" in line


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_ends_the_others_and_starting_again_goes_on(
    two_replica_run, two_worker_run, tmp_path, victim
):
    data_dir, _, hparams = two_replica_run
    _, whole, _ = two_worker_run
    name = f"killed_{victim}"
    stop = {"worker": victim, "signal": signal.SIGKILL, "step": 4}
    killed, resumed = run_workers(
        tmp_path / "out",
        pretrain(data_dir, name, hparams, stop=stop),
        pretrain(data_dir, name, hparams),
    )
    survivor = 1 - victim
    assert killed["statuses"][victim] == -signal.SIGKILL
    assert killed["statuses"][survivor] == 2
    assert killed["lived_on"] < 60
    lines = [line for line in killed.texts[survivor].splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert f"lost worker {victim} (localhost:" in lines[0]

    assert resumed["statuses"] == [0, 0], resumed.texts
    assert all("step 2." in text for text in resumed.texts)
    assert_identical(configured(data_dir, name).model_dir, whole.model_dir)


def test_a_dead_worker_ends_the_others_within_two_minutes():
    """By the times that the tests with real processes shorten."""
    longest = coordination.HEARTBEAT_SECONDS + coordination.CHECK_SECONDS
    assert longest + coordination.GRACE_SECONDS < 120


@pytest.mark.slow
def test_a_worker_that_is_busy_elsewhere_ends_too(two_replica_run, tmp_path):
    data_dir, _, hparams = two_replica_run
    stop = {"worker": 1, "signal": signal.SIGKILL, "step": 3}
    plan = pretrain(data_dir, "busy", hparams, stop=stop, hang=0)
    (outcome,) = run_workers(tmp_path / "out", plan)
    assert outcome["statuses"] == [2, -signal.SIGKILL]
    assert outcome["lived_on"] < 60
    assert "error: lost worker 1 (localhost:" in outcome.texts[0]


@pytest.mark.slow
def test_a_signal_to_one_worker_stops_all_and_saves(two_replica_run, tmp_path):
    data_dir, expected, hparams = two_replica_run
    stop = {"worker": 1, "signal": signal.SIGTERM, "step": 3}
    stopped, resumed = run_workers(
        tmp_path / "out",
        pretrain(data_dir, "stopped", hparams, stop=stop),
        pretrain(data_dir, "stopped", hparams),
    )
    assert stopped["statuses"] == [128 + signal.SIGTERM] * 2, stopped.texts
    assert all("stopped by SIGTERM after step 3 of 5" in text for text in stopped.texts)
    assert resumed["statuses"] == [0, 0], resumed.texts
    assert_same(saved(configured(data_dir, "stopped"), 5), saved(expected, 5))
