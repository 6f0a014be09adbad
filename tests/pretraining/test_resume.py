# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""However a run is stopped, it resumes to end bit-identical to an uninterrupted one."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest
import tensorflow as tf
from commands import electra
from run_results import assert_identical, logged_steps
from tiny_run import hparams_with, tiny_config

from electra_tf.pretraining import ElectraPretrainer, run
from electra_tf.pretraining.training import PretrainingTrainer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, step_in_name
from electra_tf.training.loop.trainer import Stopped

ONE_LAYER = {"num_hidden_layers": 1}
HERE = pathlib.Path(__file__).parent


KILLED = {"step-7": (4, False, False), "write-8": (4, True, False), "saved-8": (8, True, True)}
"""Where a run is killed -> its newest checkpoint, and whether data and index of number 8 exist."""


@pytest.mark.parametrize(
    "points", [["write-8"], pytest.param(list(KILLED), marks=pytest.mark.slow)], ids=len
)
def test_killed_at_any_point(points, finished, data_dir):
    model_dir = data_dir / "models" / "killed"
    paths = [str(HERE.parents[1]), str(HERE.parent)]
    hparams = json.dumps(hparams_with(ONE_LAYER))
    process = subprocess.run(
        [sys.executable, HERE / "killed_run.py", data_dir, "killed", hparams, *points],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    reports = [json.loads(line) for line in process.stdout.splitlines()]
    assert [report["where"] for report in reports] == points
    data, index = "model.ckpt-8.data-00000-of-00001", "model.ckpt-8.index"
    for report in reports:
        files = report["files"]
        found = step_in_name(report["latest"]), data in files, index in files
        assert (report["signal"], found) == (signal.SIGKILL, KILLED[report["where"]])

    run.train(tiny_config(data_dir, "killed", ONE_LAYER))
    assert_identical(model_dir, finished.config.model_dir)
    assert logged_steps(model_dir) == [3, 6, 9, 12]
    assert not (model_dir / "incomplete_checkpoint").exists()


@pytest.mark.slow
def test_a_run_resumes_from_an_older_checkpoint_as_the_error_says(finished, data_dir):
    model_dir = data_dir / "models" / "finished"
    shutil.copytree(finished.config.model_dir, model_dir)
    path = model_dir / "model.ckpt-12.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    config = tiny_config(data_dir, "finished", ONE_LAYER)
    with pytest.raises(OSError, match=rf"newest intact .* is {model_dir}/model.ckpt-8: .* delete"):
        run.train(config)
    for file in model_dir.glob("model.ckpt-12.*"):
        file.unlink()
    run.train(config)
    assert_identical(model_dir, finished.config.model_dir)
    assert logged_steps(model_dir) == [3, 6, 9, 12]


def signal_in_step(monkeypatch, number, which):
    """Send this process a signal while step `number` computes."""
    whole_step = ElectraPretrainer.train_step

    def train_step(pretrainer, batch):
        tf.numpy_function(
            lambda done: os.kill(os.getpid(), which) if done == number - 1 else None,
            [pretrainer.optimizer.iterations],
            [],
        )
        return whole_step(pretrainer, batch)

    monkeypatch.setattr(ElectraPretrainer, "train_step", train_step)


def pretrain(data_dir, **changes) -> int:
    """Run the command in this process; returns its exit status."""
    line = ["pretrain", "--data-dir", data_dir, "--model-name", "stopped"]
    return electra(*line, "--hparams", json.dumps(hparams_with(ONE_LAYER, **changes)))


def test_a_signal_before_the_first_step_saves_the_first_weights(data_dir, monkeypatch, capfd):
    def train(trainer, first_step):
        os.kill(os.getpid(), signal.SIGTERM)
        return first_step

    model_dir = data_dir / "models" / "not_begun"
    monkeypatch.setattr(PretrainingTrainer, "train", train)
    assert pretrain(data_dir, model_dir=str(model_dir)) == 143
    assert f"after step 0 of 12; saved in {model_dir}" in capfd.readouterr().err
    assert step_in_name(CheckpointFolder(str(model_dir)).latest()) == 0


def stop(data_dir, number, which, monkeypatch, capfd) -> int:
    """Send a run a signal in a step, and check what it saves; returns its exit status."""
    model_dir = data_dir / "models" / "stopped"
    handlers = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    with monkeypatch.context() as patch:
        signal_in_step(patch, number, which)
        status = pretrain(data_dir)
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)] == handlers
    saved = step_in_name(CheckpointFolder(str(model_dir)).latest())
    assert number <= saved < number + 5  # at the end of its host call
    message = capfd.readouterr().err
    assert f"stopped by {which.name} after step {saved} of 12; saved in {model_dir}" in message
    assert "Traceback" not in message
    return status


def test_stopped_by_a_signal(finished, data_dir, monkeypatch, capfd):
    assert stop(data_dir, 2, signal.SIGTERM, monkeypatch, capfd) == 143
    # Steps per host call change no number.
    assert pretrain(data_dir, iterations_per_loop=1) == 0
    model_dir = data_dir / "models" / "stopped"
    assert_identical(model_dir, finished.config.model_dir)
    assert logged_steps(model_dir) == [3, 6, 9, 12]


def test_stopped_by_signals_one_after_the_other(data_dir, idle_steps, monkeypatch, capfd):
    assert stop(data_dir, 2, signal.SIGTERM, monkeypatch, capfd) == 143
    assert stop(data_dir, 5, signal.SIGINT, monkeypatch, capfd) == 130
    assert pretrain(data_dir) == 0
    assert logged_steps(data_dir / "models" / "stopped") == [3, 6, 9, 12]


@pytest.mark.slow
def test_compiled_steps_are_gone_on_with_exactly(data_dir, monkeypatch):
    """Calls of other lengths than the whole run's, of programs for as many steps."""
    whole = tiny_config(data_dir, "whole_compiled", ONE_LAYER, jit_compile=True)
    run.train(whole)
    parts = tiny_config(data_dir, "parts_compiled", ONE_LAYER, jit_compile=True, log_every_steps=1)
    for number in (2, 7):

        def log(training, step, number=number):
            if step == number:
                os.kill(os.getpid(), signal.SIGTERM)

        with monkeypatch.context() as patch:
            patch.setattr("electra_tf.training.loop.trainer.Trainer.log", log)
            with pytest.raises(Stopped):
                run.train(parts)
        assert step_in_name(CheckpointFolder(parts.model_dir).latest()) == number
    run.train(parts)
    assert_identical(parts.model_dir, whole.model_dir)


def test_steps_per_call_and_intervals_change_no_number(finished, data_dir):
    config = tiny_config(
        data_dir,
        "single_steps",
        ONE_LAYER,
        iterations_per_loop=1,
        log_every_steps=5,
        save_checkpoints_steps=100,
    )
    run.train(config)
    assert_identical(config.model_dir, finished.config.model_dir)
    assert logged_steps(config.model_dir) == [5, 10, 12]
    assert len(list(pathlib.Path(config.model_dir).glob("*.index"))) == 1


def test_longer_runs_go_on_where_the_shorter_one_ended(data_dir, idle_steps):
    """What comes next does not depend on how long the first run was meant to be."""
    seen = []
    batches = run.PretrainingRecords.batches

    def remembered(*arguments, start, **options):
        seen.append(start)
        return batches(*arguments, start=start, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.PretrainingRecords, "batches", remembered)
        for steps in (5, 9):
            run.train(tiny_config(data_dir, "longer", ONE_LAYER, num_train_steps=steps))
        run.train(
            tiny_config(data_dir, "longer", ONE_LAYER, num_train_steps=11, train_batch_size=4)
        )
        run.train(tiny_config(data_dir, "longer", ONE_LAYER, num_train_steps=12))
    assert seen == [0, 5 * 8, 9 * 8, 9 * 8 + 2 * 4]


def test_records_that_changed_are_pointed_out(data_dir, idle_steps, caplog):
    run.train(tiny_config(data_dir, "changed", ONE_LAYER, num_train_steps=2))
    (data_dir / "pretrain_tfrecords" / "pretrain_data.tfrecord-1-of-2").unlink()
    run.train(tiny_config(data_dir, "changed", ONE_LAYER, num_train_steps=4))
    assert "The records have 40 examples, but 80 when" in caplog.text


def test_all_states_are_in_the_checkpoint(finished):
    names = set(tf.train.load_checkpoint(finished.config.model_dir).get_variable_to_shape_map())
    weights = {name for name in names if not name.endswith(("adam_m", "adam_v"))}
    weights -= {"global_step", "electra_tf/state"}
    assert {name.split("/")[0] for name in weights} == {
        "electra",
        "generator",
        "generator_predictions",
        "discriminator_predictions",
    }
    assert names == weights | {"global_step", "electra_tf/state"} | {
        f"{name}/{slot}" for name in weights for slot in ("adam_m", "adam_v")
    }
