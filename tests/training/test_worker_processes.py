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
from tiny_finetuning import MODEL, SETTINGS, classification
from tiny_finetuning import make_data_dir as make_finetuning_data_dir
from tiny_run import hparams_with, make_data_dir

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining import run
from electra_tf.training.logs import read_log

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
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *map(json.dumps, plans)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=400,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{root}", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    return [
        Outcome(
            json.loads(line),
            [(folder / f"{plan}_{worker}.txt").read_text(errors="replace") for worker in (0, 1)],
        )
        for plan, line in enumerate(done.stdout.splitlines())
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


def test_two_workers_are_two_replicas(two_replica_run, tmp_path):
    """Masks, fakes and dropout included, which differ from replica to replica."""
    data_dir, expected, hparams = two_replica_run
    (outcome,) = run_workers(tmp_path / "out", pretrain(data_dir, "workers", hparams))
    assert outcome["statuses"] == [0, 0], outcome.texts
    config = configured(data_dir, "workers", hparams)
    assert_same(saved(config, 5), saved(expected, 5))

    # The chief alone writes, and logs what all have measured.
    folder = pathlib.Path(config.model_dir)
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    for kind in ("train", "eval"):
        ours, theirs = read_log(str(folder), kind), read_log(expected.model_dir, kind)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            measured = {k: v for k, v in one.items() if not k.endswith(("per_second", "share"))}
            measured["replaced_share"] = one["replaced_share"]
            del measured["kind"]
            assert {k: other[k] for k in measured} == pytest.approx(measured, rel=1e-4), kind
    assert "step 5/5" in outcome.texts[0] and "step 5/5" not in outcome.texts[1]


def test_other_hyperparameters_or_data_on_one_worker_are_errors(tmp_path):
    """On all workers, with what differs and nothing else."""
    data_dir = make_finetuning_data_dir(tmp_path / "data")
    task = classification(data_dir)
    shutil.copytree(data_dir / "finetuning_data", tmp_path / "other")
    table = tmp_path / "other" / "words" / "train.tsv"
    table.write_text(table.read_text().replace("w1", "w5", 1))
    settings = {**SETTINGS, "task_names": [task]}
    with_other_data = {**settings, "raw_data_dir": str(tmp_path / "other" / "{:}")}
    finetune = {
        "command": "finetune",
        "arguments": ["--data-dir", str(data_dir), "--model-name", MODEL, "--hparams"],
    }
    finetune["arguments"].append(json.dumps(settings))
    others = ["--hparams", json.dumps({**RUN, "learning_rate": 0.25})]
    outcomes = run_workers(
        tmp_path / "out",
        pretrain(make_data_dir(tmp_path / "pretraining"), "rates", others=others),
        {**finetune, "others": ["--hparams", json.dumps({**settings, "num_trials": 2})]},
        {**finetune, "others": ["--hparams", json.dumps(with_other_data)]},
    )
    own_values = [
        ("hyperparameters", f"learning_rate={RUN['learning_rate']}.", "learning_rate=0.25."),
        ("hyperparameters", "num_trials=1.", "num_trials=2."),
        ("data and the first weights", "fingerprint=", "fingerprint="),
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
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_ends_the_others_and_starting_again_goes_on(
    two_replica_run, tmp_path, victim
):
    data_dir, expected, hparams = two_replica_run
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
    assert_same(saved(configured(data_dir, name), 5), saved(expected, 5))


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
