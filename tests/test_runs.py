# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra_tf.pretrain` and `electra_tf.finetune`: what the commands do, from Python."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_finetuning
import tiny_run
from absl import logging
from commands import electra

import electra_tf
from electra_tf import runs
from electra_tf.config import PretrainingConfig
from electra_tf.environment import XLA
from electra_tf.interop import convert, open_model
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.weights import usable_weights
from electra_tf.training.loop.logs import read_log
from electra_tf.training.loop.trainer import Trainer

SHORT = tiny_run.hparams_with(
    {"num_hidden_layers": 1}, num_train_steps=4, save_checkpoints_steps=2, log_every_steps=2
)
FINETUNING = {**tiny_finetuning.SETTINGS, "num_train_epochs": 1.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with records, a task, and a model that `pretrain` has made there."""
    folder = tiny_run.make_data_dir(tmp_path_factory.mktemp("runs") / "data")
    results = electra_tf.pretrain(folder, "made", **SHORT)
    return folder, tiny_finetuning.classification(folder, sizes=(16, 6, 3)), results


@pytest.fixture(scope="module")
def tuned(data):
    folder, task, _ = data
    return electra_tf.finetune("made", pathlib.Path(task), folder, **FINETUNING)


@pytest.fixture
def no_steps(monkeypatch):
    """Makes a test fail that trains."""

    def fail(*_):
        raise AssertionError("a step was trained")

    monkeypatch.setattr("electra_tf.training.loop.trainer.Trainer.run_steps", fail)


def weights_of(folder):
    return usable_weights(CheckpointFolder(str(folder)).latest())


def assert_same(mine, theirs):
    assert mine.keys() == theirs.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


# ---- Pre-training


def test_pretraining_gives_the_weights_of_the_command(data):
    folder, _, results = data
    assert (results.step, results.model_dir) == (4, str(folder / "models" / "made"))
    assert results.metrics == {
        name: value for name, value in read_log(results.model_dir)[-1].items() if name != "kind"
    }
    flags = ["--data-dir", folder, "--model-name", "command", "--hparams", json.dumps(SHORT)]
    assert electra("pretrain", *flags) == 0
    assert_same(weights_of(results.model_dir), weights_of(folder / "models" / "command"))


def test_a_finished_run_returns_what_it_came_to(data, no_steps):
    folder, _, results = data
    again = electra_tf.pretrain(folder, "made", **SHORT)
    assert again == results
    os.rename(f"{results.model_dir}/train_log.jsonl", folder / "log")
    try:
        without_log = electra_tf.pretrain(str(folder), "made", **SHORT)
    finally:
        os.rename(folder / "log", f"{results.model_dir}/train_log.jsonl")
    assert (without_log.step, without_log.metrics) == (4, {"step": 4})


def test_evaluation_returns_the_metrics_that_it_writes(data, no_steps):
    folder, _, _ = data
    evaluation = {**SHORT, "do_train": False, "do_eval": True, "num_eval_steps": 1}
    found = electra_tf.pretrain(folder, "made", **evaluation)
    assert found.step == found.metrics["global_step"] == 4
    assert found.metrics == json.loads(pathlib.Path(found.config.results_json).read_text())


def test_ctrl_c_saves_and_the_same_call_resumes(data, monkeypatch):
    """It resumes in another thread, where no signal handlers can be set."""
    folder, _, results = data
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    log = Trainer.log

    def stop(trainer, step):
        os.kill(os.getpid(), signal.SIGINT)
        log(trainer, step)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "log", stop)
        # It is no `Exception`, as Python's own is none.
        with pytest.raises(KeyboardInterrupt, match="SIGINT after step 2 of 4; saved in "):
            electra_tf.pretrain(folder, "stopped", **SHORT)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    found = []
    call = threading.Thread(
        target=lambda: found.append(electra_tf.pretrain(folder, "stopped", **SHORT))
    )
    call.start()
    call.join()
    assert found[0].step == 4
    assert_same(weights_of(results.model_dir), weights_of(folder / "models" / "stopped"))


# ---- Fine-tuning


def test_fine_tuning_gives_the_scores_and_the_model_of_the_command(data, tuned):
    folder, task, _ = data
    assert [trial["steps"] for trial in tuned.trials] == [2]
    assert repr(tuned) == "\n".join(tuned.lines()) and "words accuracy: median" in repr(tuned)
    hparams = {**FINETUNING, "task_names": [task], "model_dir": str(folder / "by_command")}
    results = {"results_txt": str(folder / "r.txt"), "results_pkl": str(folder / "r.pkl")}
    flags = ["--data-dir", folder, "--model-name", "made"]
    assert electra("finetune", *flags, "--hparams", json.dumps({**hparams, **results})) == 0
    (mine,) = tuned.model_dirs
    assert_same(weights_of(mine), weights_of(folder / "by_command_1"))
    assert json.loads((folder / "r.json").read_text())["summary"] == tuned.as_dict()["summary"]
    assert electra_tf.load(mine).predict(["w1 w3"])["label"][0] in ("no", "yes")


def test_finished_trials_are_evaluated_only(data, tuned, no_steps):
    folder, task, _ = data
    for options in ({}, {"do_train": False}):
        again = electra_tf.finetune("made", (task,), str(folder), **FINETUNING, **options)
        assert [t["scores"] for t in again.trials] == [t["scores"] for t in tuned.trials]
        assert again.model_dirs == tuned.model_dirs


def test_a_model_may_be_a_folder_of_any_kind(data, tuned, tmp_path, monkeypatch):
    """Its folder's name is that of the run; the same weights give the same scores."""
    folder, task, pretrained = data
    trained = [trial["scores"] for trial in tuned.trials]
    theirs = tmp_path / "their_model"
    convert(open_model(pretrained.model_dir), "huggingface", str(theirs))
    by_path = electra_tf.finetune(theirs, task, folder, **FINETUNING)
    assert by_path.config.model_name == "their_model"
    assert by_path.model_dirs[0].startswith(str(folder / "models" / "their_model"))
    assert [trial["scores"] for trial in by_path.trials] == trained
    # The folder of the results, which now is there, is no model.
    monkeypatch.chdir(tmp_path)
    again = electra_tf.finetune("their_model", task, folder, **FINETUNING)
    assert again.model_dirs == by_path.model_dirs
    checkpoint = CheckpointFolder(pretrained.model_dir).latest()
    own = electra_tf.finetune(checkpoint, task, folder, **FINETUNING)
    assert own.config.model_name == "made" and own.model_dirs == tuned.model_dirs


def test_random_weights_and_training_without_evaluation(data):
    folder, task, _ = data
    shape = {name: SHORT[name] for name in ("model_hparam_overrides", "embedding_size")}
    found = electra_tf.finetune(
        None, task, folder, model_name="random", do_eval=False, **FINETUNING, **shape
    )
    assert found.config.init_checkpoint is None and found.config.vocab_size == 100
    (model,) = found.model_dirs
    assert "/models/random/" in model and os.path.isdir(model)
    assert not os.path.exists(found.config.results_txt)


def test_another_name_keeps_results_apart(data, monkeypatch):
    folder, task, _ = data
    asked = []
    monkeypatch.setattr(runs, "run_finetuning", lambda *arguments: asked.append(arguments))
    electra_tf.finetune("made", ["cola", pathlib.Path(task)], folder, model_name="other", seed=5)
    electra_tf.finetune("made", "cola", folder, init_checkpoint="elsewhere", verbose=False)
    assert asked == [
        (
            str(folder),
            "other",
            {
                "seed": 5,
                "task_names": ["cola", task],
                "init_checkpoint": str(folder / "models" / "made"),
            },
            True,
        ),
        (str(folder), "made", {"init_checkpoint": "elsewhere", "task_names": ["cola"]}, False),
    ]


# ---- What Python gives


def test_paths_tuples_and_numbers_of_numpy_are_taken(data, tmp_path):
    folder, _, _ = data
    hparams = {
        **SHORT,
        "num_train_steps": np.int64(3),
        "learning_rate": np.float32(0.5),
        "length_buckets": (8, np.int32(16)),
        "vocab_file": folder / "vocab.txt",
        "do_train": False,
    }
    with pytest.raises(FileNotFoundError, match="models/absent is expected to be a checkpoint"):
        electra_tf.pretrain(folder, "absent", do_eval=True, **hparams)
    with pytest.raises(ValueError, match=r"num_train_steps is .* of type int.* 3\.5"):
        electra_tf.pretrain(folder, "absent", **{**hparams, "num_train_steps": np.float64(3.5)})
    with pytest.raises(ValueError, match=r"length_buckets .*, but is \[16, 8\]"):
        electra_tf.pretrain(folder, "absent", **{**hparams, "length_buckets": np.array([16, 8])})
    assert not (folder / "models" / "absent").exists()


WRONG = {
    "unknown hyperparameter": ({"max_seq_len": 16}, "unknown .*did you mean 'max_seq_length'"),
    "wrong type": ({"train_batch_size": "8"}, "train_batch_size is expected to be of type int"),
    "a strategy object": ({"strategy": tf.distribute.get_strategy()}, "strategy is expected to be"),
    "data_dir": ({"data_dir": None}, "data_dir is expected to be a .*, but is None"),
    "no such data_dir": ({"data_dir": "nowhere"}, "nowhere/(vocab.txt|models)"),
    "of Keras": ({"epochs": 3}, "unknown hyperparameter 'epochs'. *--list-hparams"),
    "data_dir of bytes": ({"data_dir": b"data"}, "data_dir is expected to be a .*, but is b'data'"),
}
WRONG_PRETRAINING = {
    **WRONG,
    "a path": ({"model_name": "models/made"}, "inside <data_dir>/models, not a path"),
    "no name": ({"model_name": None}, "model_name is expected to be a text, but is None"),
    "both": ({"do_eval": True}, "exactly one of do_train and do_eval"),
    "no records": ({"pretrain_tfrecords": "absent*"}, "'absent*' matches no file"),
}
WRONG_FINETUNING = {
    **WRONG,
    "of Keras": ({"epochs": 3}, "did you mean 'num_train_epochs'.* --list-hparams"),
    "unknown task": ({"task": "colla"}, "The task 'colla' is not known; expected a .json file"),
    "no task": ({"task": []}, "task is expected to be .*, but is \\[\\]"),
    "task of another type": ({"task": {"kind": "qa"}}, "task is expected to be .*'kind'"),
    "task twice": ({"task_names": ["cola"]}, "task_names is expected to be left out, since task"),
    "no such file": ({"task": "absent.json"}, "absent.json"),
    "no data": ({"task": "mrpc"}, "mrpc"),
    "no such model": ({"model": "absent"}, "absent is expected to be a checkpoint"),
    "no such path": ({"model": "a/b"}, "a/b is expected to be a checkpoint.*a/b --local-dir"),
    "a folder without model": ({"model": "{data}/finetuning_data"}, "model: .*finetuning_data"),
    "model of another type": ({"model": 3}, "model is expected to be the name of a model.* 3"),
    "empty model": ({"model": ""}, "model is expected to be the name of a model.* ''"),
    "no name": ({"model": None}, "model_name is expected to be given where model is None"),
    "model twice": (
        {"model": "{data}/models/made", "init_checkpoint": None},
        "init_checkpoint is expected to be left out, since model is given, but is None",
    ),
}


@pytest.mark.parametrize("case", WRONG_PRETRAINING)
def test_wrong_input_of_pretraining(data, case, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    changes, message = WRONG_PRETRAINING[case]
    arguments = {"data_dir": data[0], "model_name": "wrong", **SHORT, **changes}
    with pytest.raises((ValueError, OSError), match=f"(?s){message.replace('*', '.*')}"):
        electra_tf.pretrain(**arguments)
    assert not (data[0] / "models" / "wrong").exists() and not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", WRONG_FINETUNING)
def test_wrong_input_of_fine_tuning(data, case, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder, task, _ = data
    changes, message = WRONG_FINETUNING[case]
    arguments = {"model": "made", "task": task, "data_dir": folder, **FINETUNING, **changes}
    if isinstance(arguments["model"], str):
        arguments["model"] = arguments["model"].format(data=folder)
    with pytest.raises((ValueError, OSError), match=f"(?s){message}"):
        electra_tf.finetune(**arguments)
    assert not list(tmp_path.iterdir())


def test_inside_of_a_strategy_or_a_graph_is_refused(data, two_replicas):
    """Where a run computes would be decided twice."""
    folder, task, _ = data
    message = "called outside of a tf.function and .*, but is inside of "
    with two_replicas.scope():
        with pytest.raises(ValueError, match=f"{message}MirroredStrategy"):
            electra_tf.pretrain(folder, "scoped", **SHORT)
        with pytest.raises(ValueError, match=f"{message}MirroredStrategy"):
            electra_tf.finetune("made", task, folder, **FINETUNING)

    @tf.function(autograph=False)
    def graph():
        electra_tf.pretrain(folder, "scoped", **SHORT)

    with pytest.raises(ValueError, match=f"{message}tf.function"):
        graph()
    assert not (folder / "models" / "scoped").exists()


def test_the_policy_of_the_program_does_not_count(data, tuned):
    """Heads of tasks, too, compute as in a command."""
    folder, task, _ = data
    keras.config.set_dtype_policy("mixed_bfloat16")
    tf.config.experimental.enable_tensor_float_32_execution(True)
    try:
        other = electra_tf.finetune("made", task, folder, model_name="other", **FINETUNING)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert tf.config.experimental.tensor_float_32_execution_enabled()
    finally:
        keras.config.set_dtype_policy("float32")
    assert_same(weights_of(other.model_dirs[0]), weights_of(tuned.model_dirs[0]))


# ---- The log


def test_progress_is_logged_while_a_run_lasts(data):
    """In a fresh process, whose log is as Python's and absl's defaults have it."""
    program = (
        "import sys, json, electra_tf\n"
        "from absl import logging\n"
        "before = logging.get_verbosity()\n"
        "electra_tf.pretrain(sys.argv[1], 'made', **json.loads(sys.argv[2]))\n"
        "assert logging.get_verbosity() == before\n"
    )
    command = [sys.executable, "-c", program, str(data[0]), json.dumps(SHORT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "is trained already: 4 of num_train_steps=4" in done.stderr


def test_the_log_is_left_as_it_is_unless_verbose(data, no_steps, caplog):
    logging.set_verbosity(logging.WARNING)
    electra_tf.pretrain(data[0], "made", verbose=False, **SHORT)
    assert "trained already" not in caplog.text
    electra_tf.pretrain(data[0], "made", **SHORT)
    assert "trained already" in caplog.text
    logging.set_verbosity(logging.DEBUG)
    electra_tf.pretrain(data[0], "made", **SHORT)
    assert logging.get_verbosity() == logging.DEBUG


@pytest.mark.parametrize(
    ("flags", "warned"), [("", True), ("--xla_gpu_enable_triton_gemm=false", False)]
)
def test_a_gpu_without_the_flag_is_warned_of(monkeypatch, caplog, flags, warned):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setenv(XLA, flags)
    runs._log_settings(PretrainingConfig.from_hparams("name", "data", {}))
    assert ("electra_tf.configure()" in caplog.text) == warned
