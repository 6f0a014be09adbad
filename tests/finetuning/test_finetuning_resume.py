# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""However a run is stopped, it resumes to end bit-identical to an uninterrupted one."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest
import tensorflow as tf
from commands import electra
from run_results import assert_identical, logged_steps
from tiny_finetuning import MODEL, SETTINGS, classification, finetune

from electra_tf.finetuning import FinetuningModel
from electra_tf.finetuning.prediction import Predictor
from electra_tf.interop.opening import open_model

HERE = pathlib.Path(__file__).parent
RUN = {"num_trials": 2, "eval_every_steps": 2}


@pytest.fixture(scope="module")
def finished(pretrained, tmp_path_factory):
    """An uninterrupted run of two trials of 6 steps: its folder of models, and its results."""
    data_dir = shutil.copytree(pretrained, tmp_path_factory.mktemp("finished") / "data")
    config, results = finetune(data_dir, [classification(data_dir)], **RUN)
    return config.model_dir, [trial["scores"] for trial in results.trials]


def model_dir(data_dir):
    return str(data_dir / "models" / MODEL / "finetuning_models" / "words_model")


@pytest.mark.slow
def test_killed_at_three_points(finished, tuning_dir):
    expected_dir, expected_scores = finished
    task = classification(tuning_dir)
    process = subprocess.run(
        [
            sys.executable,
            HERE / "killed_finetuning.py",
            tuning_dir,
            json.dumps({"task_names": [task], **RUN}),
            *("write-1-4", "results-1", "step-2-6"),
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (HERE.parents[1], HERE.parent))),
        },
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    reports = [json.loads(line) for line in process.stdout.splitlines()]
    assert [report["signal"] for report in reports] == [signal.SIGKILL] * 3

    _, results = finetune(tuning_dir, [task], **RUN)
    assert [trial["scores"] for trial in results.trials] == expected_scores
    for number in (1, 2):
        folder = f"{model_dir(tuning_dir)}_{number}"
        assert_identical(folder, f"{expected_dir}_{number}")
        assert_identical(f"{folder}/best", f"{expected_dir}_{number}/best")
        assert logged_steps(folder) == [3, 6]
        assert logged_steps(folder, "eval") == [2, 4, 6]


def signal_in_step(monkeypatch, number, which):
    whole_step = FinetuningModel.update

    def train_step(model, batch):
        tf.numpy_function(
            lambda done: os.kill(os.getpid(), which) if done == number - 1 else None,
            [model.optimizer.iterations],
            [],
        )
        return whole_step(model, batch)

    monkeypatch.setattr(FinetuningModel, "update", train_step)


def command(data_dir, task, **changes) -> int:
    """Run the command in this process; returns its exit status."""
    hparams = {**SETTINGS, **RUN, "task_names": [task], **changes}
    line = ["finetune", "--data-dir", data_dir, "--model-name", MODEL]
    return electra(*line, "--hparams", json.dumps(hparams))


def warnings_of_use(folder, caplog):
    """What is said when the model of a trial is loaded for predictions and for an export."""
    caplog.clear()
    for load in (Predictor, open_model):
        load(folder)
    return [record.message for record in caplog.records if "interrupted" in record.message]


def test_stopped_by_signals(finished, tuning_dir, monkeypatch, capfd, caplog):
    task = classification(tuning_dir)
    for number, which, status in ((2, signal.SIGTERM, 143), (5, signal.SIGINT, 130)):
        with monkeypatch.context() as patch:
            signal_in_step(patch, number, which)
            assert command(tuning_dir, task) == status
        assert f"stopped by {which.name} after step" in capfd.readouterr().err
        said = warnings_of_use(f"{model_dir(tuning_dir)}_1", caplog)
        expected = "_1 is a trial whose training was interrupted, after 2 of 6 steps, .* of step 2"
        is_trained = number > 4  # up to the end, but not evaluated
        assert [bool(re.search(expected, text)) for text in said] == [True, True] * (not is_trained)
    # Steps per host call change no number.
    assert command(tuning_dir, task, iterations_per_loop=1, log_every_steps=5) == 0
    for number in (1, 2):
        assert_identical(f"{model_dir(tuning_dir)}_{number}", f"{finished[0]}_{number}")
    assert warnings_of_use(f"{model_dir(tuning_dir)}_1", caplog) == []
    assert "words accuracy: median" in capfd.readouterr().out


def test_a_trial_without_a_checkpoint_says_why(finished, tmp_path, caplog):
    folder = shutil.copytree(f"{finished[0]}_1", tmp_path / "words_model_1")
    for path in [*folder.glob("model.ckpt*"), folder / "checkpoint"]:
        path.unlink()
    # What evaluation kept can be used, but the training did not come to its end.
    assert len(warnings_of_use(str(folder), caplog)) == 2
    shutil.rmtree(folder / "best")
    with pytest.raises(FileNotFoundError, match=r"has no checkpoint: its training was interrupted"):
        Predictor(str(folder))


def test_lines_to_predict_for_may_begin_with_a_byte_order_mark(finished):
    predictor = Predictor(f"{finished[0]}_1")
    marked, plain = (list(predictor.of_lines([text], "lines")) for text in ("\ufeffw1", "w1"))
    assert marked == plain


def test_what_is_trained_already_is_left_and_what_changed_starts_over(tuning_dir, caplog, info_log):
    task = classification(tuning_dir)
    _, first = finetune(tuning_dir, [task])
    weights = pathlib.Path(f"{model_dir(tuning_dir)}_1/model.ckpt-6.index")
    written = weights.stat().st_mtime_ns
    _config, second = finetune(tuning_dir, [task], eval_batch_size=3)
    assert "_model_1 is trained already, 6 steps" in caplog.text
    assert weights.stat().st_mtime_ns == written
    scores = [results.trials[0]["scores"]["words"] for results in (first, second)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    # Evaluation alone finds the same.
    _, third = finetune(tuning_dir, [task], do_train=False)
    assert third.trials[0]["scores"]["words"] == pytest.approx(scores[0])
    assert third.trials[0]["steps"] == 6
    finetune(tuning_dir, [task], learning_rate=1e-3)
    assert "_model_1 is of another run and starts over" in caplog.text
    assert weights.stat().st_mtime_ns != written
