# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The command line: flags, exit status, one line for wrong input."""

import json

import pytest
from commands import electra
from tiny_run import SPECIAL, WORDS, hparams_with

from electra_tf.files import write_text
from electra_tf.pretraining import run
from electra_tf.training.loop import trainer


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """What a run needs, in the folders "d" and "data" of a working folder."""
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    for name in ("d", "data"):
        write_text(f"{name}/vocab.txt", "\n".join(SPECIAL + WORDS) + "\n")
        write_text(f"{name}/pretrain_tfrecords/pretrain_data.tfrecord-0", "")


@pytest.fixture
def configs(monkeypatch):
    """Configurations that training or evaluation was asked for, instead of doing it."""
    asked = []
    monkeypatch.setattr(run, "train", lambda config, **_: asked.append(config) or {"step": 12})
    results = {"global_step": 12, "b": 0.5, "a": 1.0}
    monkeypatch.setattr(run, "evaluate", lambda config: asked.append(config) or results)
    return asked


@pytest.mark.parametrize("spelling", ["-", "_"])
@pytest.mark.parametrize("equals", [True, False])
def test_flags(configs, monkeypatch, spelling, equals):
    line = []
    for name, value in (
        ("--data-dir", "data"),
        ("--model-name", "small_model"),
        ("--hparams", '{"max_seq_length": 64}'),
    ):
        name = "--" + name[2:].replace("-", spelling)
        line += [f"{name}={value}"] if equals else [name, value]
    assert electra("pretrain", *line) == 0
    (config,) = configs
    assert (config.data_dir, config.model_name) == ("data", "small_model")
    assert config.max_seq_length == 64
    assert config.model_dir == "data/models/small_model"


def test_hparams_from_a_file(configs, monkeypatch, tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"train_batch_size": 4}))
    assert electra("pretrain", "--data-dir", "d", "--model-name", "m", "--hparams", path) == 0
    assert configs[0].train_batch_size == 4


def test_hparams_are_optional(configs, monkeypatch):
    assert electra("pretrain", "--data-dir", "d", "--model-name", "m") == 0
    assert configs[0].train_batch_size == 128 and configs[0].do_train


def test_evaluation_prints_results(configs, monkeypatch, capfd):
    hparams = '{"do_train": false, "do_eval": true}'
    assert electra("pretrain", "--data-dir", "d", "--model-name", "m", "--hparams", hparams) == 0
    assert capfd.readouterr().out == "  a = 1.0\n  b = 0.5\n  global_step = 12\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--data-dir"),
        (["--data-dir", "d"], "--model-name"),
        (["--data-dir", "d", "--model-name", "m", "--hparms", "{}"], "--hparms"),
    ],
)
def test_wrong_flags(configs, monkeypatch, capfd, flags, message):
    assert electra("pretrain", *flags) == 2
    assert message in capfd.readouterr().err
    assert not configs


EVALUATION = {"do_train": False, "do_eval": True}
WRONG = {
    "no JSON": ("{max_seq_length: 16}", "--hparams is expected to be a JSON object"),
    "a list": ("[1]", "JSON object"),
    "a key twice": ('{"seed": 1, "seed": 2}', "given more than once: seed"),
    "no such file": ("absent.json", "absent.json"),
    "unknown key": ({"max_seq_len": 16}, "did you mean 'max_seq_length'"),
    "wrong type": ({"train_batch_size": "8"}, "train_batch_size is expected to be of type int"),
    "mask_prob": ({"mask_prob": 1.0}, "mask_prob is expected to be in (0, 1)"),
    "too long": ({"max_seq_length": 17}, "max_position_embeddings=16"),
    "heads": (
        {"model_hparam_overrides": {"hidden_size": 16, "num_attention_heads": 3}},
        "num_attention_heads is expected to be a divisor of hidden_size=16",
    ),
    "both": ({"do_eval": True}, "exactly one of do_train and do_eval"),
    "neither": ({"do_train": False}, "exactly one of do_train and do_eval"),
    "small vocabulary": ({"vocab_size": 99}, "vocab_size is expected to be at least 100"),
    "no vocabulary": ({"vocab_file": "absent.txt"}, "absent.txt"),
    "no records": ({"pretrain_tfrecords": "absent*"}, "'absent*' matches no file"),
    "no checkpoint": (EVALUATION, "models/m is expected to be a checkpoint"),
    "no init checkpoint": ({"init_checkpoint": "absent"}, "absent is expected to be a checkpoint"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(data_dir, monkeypatch, capfd, case):
    hparams, message = WRONG[case]
    if isinstance(hparams, dict):
        hparams = json.dumps({**hparams_with({"num_hidden_layers": 1}), **hparams})
    assert (
        electra("pretrain", "--data-dir", data_dir, "--model-name", "m", "--hparams", hparams) == 2
    )
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("I")]
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0], lines
    assert not [line for line in lines if "Traceback" in line]
    assert not (data_dir / "models").exists()


def test_missing_special_tokens(data_dir, monkeypatch, capfd):
    tokens = (data_dir / "vocab.txt").read_text().replace("[MASK]\n", "")
    (data_dir / "vocab.txt").write_text(tokens)
    hparams = json.dumps(hparams_with())
    line = ["--data-dir", data_dir, "--model-name", "m", "--hparams", hparams]
    assert electra("pretrain", *line) == 2
    error = capfd.readouterr().err
    assert "[MASK]" in error and "vocab.txt" in error
    assert not (data_dir / "models").exists()


def test_stopped_runs_have_the_status_of_their_signal(monkeypatch, capfd):
    def stopped(config, **_):
        raise trainer.Stopped("stopped by SIGTERM after step 3 of 12", 15)

    monkeypatch.setattr(run, "train", stopped)
    assert electra("pretrain", "--data-dir", "d", "--model-name", "m") == 143
    assert "stopped by SIGTERM after step 3 of 12" in capfd.readouterr().err


def test_arithmetic_errors_are_one_line_and_status_1(monkeypatch, capfd):
    def fail(config, **_):
        raise ArithmeticError("the loss of step 6 is nan")

    monkeypatch.setattr(run, "train", fail)
    assert electra("pretrain", "--data-dir", "d", "--model-name", "m") == 1
    error = capfd.readouterr().err
    assert "error: the loss of step 6 is nan\n" in error and "Traceback" not in error
