# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The commands `run_finetuning` and `predict`: flags, output, exit status."""

import json
import sys

import pytest
from commands import electra, standard_input
from tiny_finetuning import MODEL, SETTINGS, classification, finetune, make_data_dir


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return make_data_dir(tmp_path_factory.mktemp("commands") / "data")


@pytest.fixture(scope="module")
def model_dir(data_dir):
    """A fine-tuned model."""
    config, _ = finetune(data_dir, [classification(data_dir)], num_train_epochs=1.0)
    return f"{config.model_dir}_1"


def test_results_are_printed(data_dir, monkeypatch, capfd, caplog):
    hparams = {**SETTINGS, "task_names": [classification(data_dir)], "num_trials": 2}
    flags = ["--data-dir", data_dir, "--model_name", MODEL, "--hparams", json.dumps(hparams)]
    assert electra("finetune", *flags) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("words accuracy: median ") and "| baseline 50.00" in lines[0]
    assert "of 2 trials" in lines[0]
    assert lines[-1] == f"results: {data_dir}/models/{MODEL}/results/words_results.txt"
    assert "trial 2 | step 6/6 | 100.0% | loss " in caplog.text
    assert "Beginning with the pre-trained model" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task_names": ["colla"]}, "The task 'colla' is not known"),
        ({"learning_rte": 1}, "did you mean 'learning_rate'"),
        ({"init_checkpoint": "absent"}, "For random weights, give null."),
        ({"model_size": "large"}, "model_size='large' asked for"),
        ({"task_names": ["cola"]}, "finetuning_data/cola/train.tsv does not exist"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(data_dir, monkeypatch, capfd, changes, message):
    hparams = {**SETTINGS, "task_names": [classification(data_dir)], **changes}
    flags = ["--data-dir", data_dir, "--model-name", MODEL, "--hparams", json.dumps(hparams)]
    assert electra("finetune", *flags) == 2
    error = capfd.readouterr().err
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    assert message in line and "Traceback" not in error


def test_predict_file(data_dir, model_dir, monkeypatch, tmp_path):
    source = data_dir / "finetuning_data" / "words" / "test.tsv"
    output = tmp_path / "predictions.jsonl"
    flags = ["--model-dir", model_dir, "--input", source, "--output", output]
    assert electra("predict", *flags) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["id"] for row in rows] == list(range(5))
    assert rows[0]["text_a"] == source.read_text().splitlines()[1]
    assert set(rows[0]) == {"id", "text_a", "prediction", "probabilities"}
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.jsonl"]


def test_predict_nothing(model_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", standard_input(""))
    output = tmp_path / "predictions.jsonl"
    assert electra("predict", "--model-dir", model_dir, "--output", output) == 0
    assert output.read_bytes() == b"" and list(tmp_path.iterdir()) == [output]


def test_predict_standard_input(model_dir, monkeypatch, capfd, caplog):
    monkeypatch.setattr(sys, "stdin", standard_input("w1 w2\n\nw3 w4 naïve\n"))
    assert electra("predict", "--model-dir", model_dir) == 0
    printed = capfd.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert [(row["id"], row["text_a"]) for row in rows] == [(0, "w1 w2"), (2, "w3 w4 naïve")]
    assert printed.err.endswith("1 of 5 tokens are unknown (20.0%).\n")
    assert "texts for words: 1 of 5 tokens are unknown (20.0%). What they" in caplog.text
    assert all(row["prediction"] in ("no", "yes") for row in rows)


@pytest.mark.parametrize(
    ("flags", "text", "message"),
    [
        (["--model-dir", "absent"], "", "absent is expected to be the folder of a fine-tuned"),
        (["--task", "other"], "", "one of those of"),
        ([], "one\ttwo\n", "standard input, line 1: expected one text, received 'one\\ttwo'"),
        ([], b"w1\n\nw\xe9\n", "standard input, line 3: expected UTF-8, received the byte 0xe9."),
        (["--input", "absent.tsv"], "", "absent.tsv does not exist"),
        (["--input", __file__], "", "expected one column named 'text'"),
    ],
)
def test_wrong_input_of_predict(model_dir, monkeypatch, capfd, flags, text, message):
    monkeypatch.setattr(sys, "stdin", standard_input(text))
    assert electra("predict", "--model-dir", model_dir, *flags) == 2
    error = capfd.readouterr().err
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    assert message in line
