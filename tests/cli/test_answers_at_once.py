# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a command says without TensorFlow: help, and what is wrong with flags and files."""

import json
import pathlib
import resource
import subprocess
import sys

import pytest

from electra_tf.cli.main import VERBS
from electra_tf.files import write_text

ROOT = pathlib.Path(__file__).parents[2]
RUN = ["--data-dir", "d", "--model-name", "m"]
TEXT, VOCABULARY = ["--corpus-dir", "text"], ["--vocab-file", "v.txt"]
MODEL, LISTS = ["--model-dir", "tuned"], ["--input", "v.txt", "--output", "o"]

PROGRAM = """
import json, sys
HEAVY = {"tensorflow", "keras", "tensorflow_text", "sklearn", "scipy", "numpy"}
from electra_tf.cli.main import run_command
for line in json.load(sys.stdin):
    try:
        run_command(line)
    except SystemExit as ended:
        print(f"status {ended.code or 0} {HEAVY & sys.modules.keys() or 'light'}", flush=True)
"""

TASK = {
    "kind": "classification",
    "format": "tsv",
    "files": {"train": "a", "dev": "b"},
    "columns": {"text_a": 0, "label": 1},
    "header": False,
}
WRONG = {
    "spelling": ({"lables": ["a", "b"]}, "has no key 'lables': did you mean 'labels'? The keys"),
    "kind": ({"kind": "clasification"}, "expected 'kind' to be one of classification, regression"),
    "metric": ({"metric": "f3"}, "metric.json: expected 'metric' to be one of accuracy, f1"),
    "tags": (
        {"kind": "tagging", "format": "tsv"},
        "expected 'format' to be one of conll, received",
    ),
    "range": ({"kind": "regression", "value_range": [1, 0]}, "to be [lowest, highest] score, rec"),
    "column": ({"columns": {"text_a": "t", "label": 1}}, "'columns' to be numbers, since there"),
}
"""File -> what it changes of a task, and what is said of that."""
HEADS = 'model_hparam_overrides={"num_attention_heads": 3}'

SAID = {
    "vocab": [
        (["--corpus-dir", "no", "--output-file", "v.txt"], "corpus folder 'no' does not exist"),
        ([*TEXT, "--output-file", "v.model"], "must not end in .model for --tokenizer wordpiece"),
        (["--input-files", "no*.txt", "--output-file", "v"], "no file matches it as a pattern"),
        ([*TEXT, "--output-file", "v.txt", "--vocab-size", "5"], "must be above 5"),
    ],
    "records": [
        ([*TEXT, "--vocab-file", "no.txt", "--output-dir", "r"], "file no.txt does not exist"),
        (["--corpus-dir", "no", *VOCABULARY, "--output-dir", "r"], "folder 'no' does not exist"),
        ([*TEXT, *VOCABULARY, "--output-dir", "r", "--num-shards", "2"], "given together"),
        (["--input-files", ",", *VOCABULARY, "--output-dir", "r"], "names none"),
    ],
    "embeddings": [
        ([*TEXT, *VOCABULARY, "--output-dir", "text"], "text is expected to be a new folder"),
        ([*TEXT, *VOCABULARY, "--output-dir", "e", "--norm", "0"], "--norm must be above 0"),
    ],
    "pretrain": [
        (RUN, "pretrain_tfrecords/pretrain_data.tfrecord*' matches no file"),
        ([*RUN, "--hparams", '{"seed": 1'], "--hparams is expected to be a JSON object"),
        ([*RUN, "--hparams", "no.json"], "there is no file of that name"),
        ([*RUN, "--hparams", "smal"], "name: did you mean 'small'? The cards are base, debug, "),
        ([*RUN, "--set", "vocab_sise=8"], "did you mean 'vocab_size'?"),
        ([*RUN, "--set", "lr=1e-4"], "'lr'. `electra pretrain --list-hparams` lists them."),
        ([*RUN, "--set", "warmup_steps=9"], "did you mean 'num_warmup_steps'?"),
        ([*RUN, "--set", 'model_hparam_overrides={"depth": 2}'], "'depth'. Known: attention_pr"),
        ([*RUN, "--set", HEADS], "expected to be a divisor of hidden_size=256, but is 3."),
        ([*RUN, "--set", "embedding_size=0"], "embedding_size is expected to be at least 1, but"),
        ([*RUN, "--set", "generator_hidden_size=0.001"], "a generator of generator_hidden_size"),
        ([*RUN, "--set", "mask_prob=2"], "mask_prob is expected to be in (0, 1), but is 2"),
        ([*RUN, "--set", "vocab_size"], "--set is expected to be name=value"),
        ([*RUN, "--set", "vocab_file=$NO_SUCH/v.txt"], "vocabulary file $NO_SUCH/v.txt does not"),
        ([*RUN, "--data-dir", "no"], "The vocabulary file no/vocab.txt does not exist."),
    ],
    "finetune": [
        ([*RUN, "--set", 'task_names=["cola"]'], "data file d/finetuning_data/cola/train.tsv"),
        ([*RUN, "--set", 'task_names=["colla"]'], "The task 'colla' is not known"),
        ([*RUN, "--set", 'task_names=["no.json"]'], "No such file or directory: 'no.json'"),
        ([*RUN, "--set", 'task_names=["bad.json"]'], "bad.json is expected to be a JSON object"),
        ([*RUN, "--set", 'task_names=["t.json"]'], "init_checkpoint: d/models/m is expected to be"),
        ([*RUN, "--set", 'model_hparam_overrides={"x": 1}'], "unknown model_hparam_overrides key"),
        ([*RUN, "--set", "lr=1e-4"], "'lr'. `electra finetune --list-hparams` lists them."),
        ([*RUN, "--set", "init_checkpoint=null", "--set", HEADS], "a divisor of hidden_size=256"),
        (
            [*RUN, "--set", HEADS.replace("}", ', "hidden_size": 64}')],
            "a divisor of hidden_size=64",
        ),
        (
            [*RUN, "--set", HEADS.replace("3", "0")],
            "num_attention_heads is expected to be at least",
        ),
        (
            [*RUN, "--set", "embedding_size=1.5"],
            "embedding_size is expected to be of type int, but",
        ),
        ([*RUN, "--set", "vocab_size=0"], "vocab_size is expected to be at least 1, but is 0."),
        ([*RUN, "--set", "max_seq_length=4"], "max_seq_length is expected to be at least 5, but"),
        *(
            ([*RUN, "--set", f'task_names=["{name}.json"]'], said)
            for name, (_, said) in WRONG.items()
        ),
    ],
    "predict": [
        (["--model-dir", "no"], "no is expected to be the folder of a fine-tuned model, such as"),
        (["--model-dir", "tuned", "--input", "no.tsv"], "The data file no.tsv does not exist."),
    ],
    "score-texts": [
        ([*LISTS, "--model-dir", "no"], "no is expected to be a checkpoint"),
        ([*LISTS[2:], *MODEL, "--input", "no.tsv"], "The data file no.tsv does not exist."),
        ([*LISTS, *MODEL, "--weight", "0.5"], "--score-column is expected with it"),
        ([*LISTS, *MODEL, "--text-column", "0"], "--text-column is expected to be at least 1"),
        ([*LISTS, *MODEL, "--score-column", "2"], "--text-column 2, --score-column 2."),
        ([*LISTS, *MODEL, "--length-weight", "nan"], "--length-weight is expected to be a finite"),
        ([*LISTS, *MODEL, "--batch-size", "0"], "--batch-size is expected to be at least 1"),
    ],
    "demo": [
        (["--model-dir", "no"], "no is expected to be a checkpoint"),
        (["--model-dir", "d", "--port", "70000"], "--port is expected to be 1 to 65535, but is"),
        (["--model-dir", "d", "--vocab-file", "no"], "vocabulary file no does not exist"),
    ],
    "report": [
        (["--model-dir", "no"], "no/train_log.jsonl is expected to be the log of a run, but does"),
        (["--model-dir", "d", "--output", "text"], "d/train_log.jsonl is expected"),
    ],
    "score-options": [
        (["--model-dir", "no"], "no is expected to be a checkpoint"),
        (["--model-dir", "tuned", "--input", "no.tsv"], "The data file no.tsv does not exist."),
        (["--model-dir", "tuned", "--few-shot", "no.tsv"], "The data file no.tsv does not exist."),
        (["--model-dir", "tuned", "--options", "one"], "--options is expected to have two or more"),
        (["--model-dir", "tuned", "--options", "[1"], "--options is expected to be a JSON list"),
        (["--model-dir", "d", "--few-shot-hparams", '{"seed": 1}'], "--few-shot is expected with"),
        (["--model-dir", "d", "--rule", "x"], "invalid choice: 'x'"),
        (["--model-dir", "d", "--batch-size", "0"], "--batch-size is expected to be at least 1"),
    ],
    "find-errors": [
        (["--model-dir", "no"], "no is expected to be a checkpoint (the part of its name before"),
        (["--model-dir", "tuned", "--input", "no.txt"], "The data file no.txt does not exist."),
        (["--model-dir", "tuned", "--calibrate", "no.txt"], "The data file no.txt does not exist."),
        (["--model-dir", "tuned", "--calibrate", "-"], "The data file - does not exist."),
        (["--model-dir", "tuned", "--precision", "0.9"], "--precision is expected with --calibrat"),
        (
            ["--model-dir", "tuned", "--calibrate", "text", "--false-alarm-rate", "0"],
            "--false-alarm-rate is expected to be between 0 and 1, both excluded, but is 0.0.",
        ),
        (
            ["--model-dir", "tuned", "--calibrate", "text", "--error-rate", "1"],
            "--error-rate is expected to be between 0 and 1, both excluded, but is 1.0.",
        ),
        (["--model-dir", "tuned", "--threshold", "nan"], "--threshold is expected to be in 0..1"),
        (["--model-dir", "tuned", "--top-k", "0"], "--top-k is expected to be at least 1, but is"),
        (["--model-dir", "tuned", "--color", "--output", "o"], "--color is for a terminal, so --o"),
    ],
    "export": [
        (["--model-dir", "no/model", "--export-dir", "e"], "`hf download no/model --local-dir"),
        (["--model-dir", "d", "--export-dir", "e", "--vocab-file", "no"], "vocabulary file no"),
        (["--model-dir", "d", "--export-dir", "text"], "export-dir text is expected to be new, b"),
        (["--model-dir", "d", "--export-dir", "a[b"], "expected to be a path without [ and"),
        (["--model-dir", "d", "--export-dir", "e", "--top-k", "0"], "top-k is expected to be 1"),
    ],
    "convert": [
        (["--input", "d", "--output", "text", "--to", "reference"], "expected to be a new folder"),
        (["--input", "no", "--output", "o", "--to", "reference"], "no is expected to be a check"),
        (["--input", "d", "--output", "o", "--to", "onnx"], "invalid choice: 'onnx'"),
    ],
    "inspect": [(["--records", "no*", *VOCABULARY], "'no*' matches no file")],
    "flops": [(["--set", "train_batch_size=0"], "train_batch_size is expected to be at least 1")],
}
"""Verb -> its flags and what is said of them."""


@pytest.fixture
def folder(tmp_path):
    """A text, a vocabulary, and the beginnings of a data folder and of a fine-tuned model."""
    files = {
        "text/a.txt": "a\n",
        "v.txt": "[PAD]\n",
        "d/vocab.txt": "[PAD]\n",
        "d/finetuning_data/t/a": "x\n",
        "d/finetuning_data/t/b": "x\n",
        "t.json": json.dumps(TASK),
        **{f"{name}.json": json.dumps({**TASK, **changes}) for name, (changes, _) in WRONG.items()},
        "bad.json": "{",
        "tuned/config.json": '{"finetuning": {}}',
    }
    for name, text in files.items():
        write_text(str(tmp_path / name), text)
    return tmp_path


def answers(folder, lines):
    """What commands print and their statuses, all of them in one process; its CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(lines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        check=True,
    )
    parts = done.stdout.split("status ")
    endings = [part.partition("\n") for part in parts[1:]]
    printed = [parts[0], *(rest for _, _, rest in endings[:-1])]
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return list(zip(printed, [first for first, _, _ in endings], strict=True)), seconds


def test_what_is_wrong_with_flags_and_files(folder):
    given = [([verb, *flags], said) for verb, rows in SAID.items() for flags, said in rows]
    assert SAID.keys() == VERBS.keys()
    found, _ = answers(folder, [line for line, _ in given])
    for (line, said), (printed, ending) in zip(given, found, strict=True):
        assert said in printed.splitlines()[-1] and ending == "2 light", (line, printed)


def test_help_of_everything_in_less_than_a_second(folder):
    lines = [["--help"], ["--version"], ["pretarin"], ["vocab"]]
    lines += [[verb, "--help"] for verb in VERBS]
    lines += [[verb, "--list-hparams"] for verb in ("pretrain", "finetune")]
    found, seconds = answers(folder, lines)
    assert [ending for _, ending in found] == ["0 light"] * 2 + ["2 light"] * 2 + ["0 light"] * (
        len(lines) - 4
    )
    assert seconds < 1
    assert not [printed for printed, _ in found if "default: None" in printed]
    assert (
        "folder of data, vocabulary and models (required)"
        in found[4 + list(VERBS).index("pretrain")][0]
    )


def test_scripts_of_the_original_answer_at_once(folder):
    (folder / "tensorflow.py").write_text("raise RuntimeError('imported')")
    done = subprocess.run(
        [sys.executable, ROOT / "build_openwebtext_pretraining_dataset.py", "--data-dir", "d"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
    )
    expected = "error: The corpus folder 'd/openwebtext' does not exist.\n"
    assert (done.returncode, done.stderr) == (2, expected)
