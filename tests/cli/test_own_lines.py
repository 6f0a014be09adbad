# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Standard error of commands: their own lines, and nothing that TensorFlow logs about itself."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from tiny_finetuning import SETTINGS, classification
from tiny_finetuning import make_data_dir as make_models
from tiny_run import WORDS, hparams_with, make_data_dir

ROOT = pathlib.Path(__file__).parents[2]
HIDDEN = ("TF_CPP_MIN_LOG_LEVEL", "PYTHONWARNINGS")
NOISE = re.compile(
    r"^[IWEF]\d{4} |^\d{4}-\d\d-\d\d |absl::InitializeLog|rebuild TensorFlow|oneDNN|CUDA|cuInit|"
    r"\w+\.cc:\d+|\w+\.py:\d+|Warning: |retracing|Sharding callback",
    re.M,
)
"""What TensorFlow, Keras and Python write of themselves."""


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def run(*line, folder, program=("-m", "electra_tf"), **more):
    """A command in a separate process."""
    command = [sys.executable, *program, *map(str, line)]
    return subprocess.run(
        command, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False
    )


def own_lines(*line, folder):
    done = run(*line, folder=folder)
    assert done.returncode == 0, done.stderr
    assert not NOISE.search(done.stderr), done.stderr
    return done.stderr.splitlines()


def test_a_command_that_computes_is_quiet(tmp_path):
    make_data_dir(tmp_path)
    records = ["--records", "pretrain_tfrecords", "--vocab-file", "vocab.txt"]
    assert own_lines("inspect", *records, folder=tmp_path) == []


@pytest.mark.slow
def test_verbose_shows_all(tmp_path):
    make_data_dir(tmp_path)
    records = ["--records", "pretrain_tfrecords", "--vocab-file", "vocab.txt"]
    done = run("inspect", "--verbose", *records, folder=tmp_path)
    assert NOISE.search(done.stderr) and done.returncode == 0


@pytest.mark.slow
def test_every_command_is_quiet(tmp_path):
    folder = make_models(tmp_path / "d")
    (folder / "text").mkdir()
    lines = [" ".join(WORDS[i % 90 :][:5]) for i in range(200)]
    (folder / "text" / "a.txt").write_text("\n\n".join(lines) + "\n")
    classification(folder)
    text = ["--corpus-dir", "text"]
    vocabulary = ["--vocab-file", "vocab.txt"]

    def said(*line):
        return own_lines(*line, folder=folder)

    assert said("vocab", *text, "--output-file", "v/vocab.txt", "--vocab-size", 60) == []
    unigram = ["--output-file", "u/u.model", "--vocab-size", 60, "--tokenizer", "unigram"]
    assert said("vocab", *text, *unigram) == []
    records = ["--output-dir", "pretrain_tfrecords", "--num-processes", 2, "--num-out-files", 2]
    bar = said("records", *text, *vocabulary, "--max-seq-length", 16, *records)
    # Its bar is drawn again after a carriage return.
    assert all("records: " in line for line in filter(None, bar))
    sizes = ["--embedding-size", 4, "--block-tokens", 40]
    assert len(said("embeddings", *text, *vocabulary, "--output-dir", "e", *sizes)) == 1
    (folder / "run.json").write_text(str(hparams_with()).replace("'", '"'))
    model = ["--data-dir", ".", "--model-name"]
    trained = said("pretrain", *model, "m", "--hparams", "run.json")
    assert trained[-1] == "Done: step 12 is saved in ./models/m."
    assert all(len(line) <= 100 for line in trained if line.startswith("step "))
    (folder / "tune.json").write_text(str(SETTINGS).replace("'", '"'))
    task = ["--set", 'task_names=["words.json"]']
    tuned = said("finetune", *model, "tiny", "--hparams", "tune.json", *task)
    assert any(line.startswith("Trial 1 took ") for line in tuned)
    tuned_dir = "models/tiny/finetuning_models/words_model_1"
    given = ["--input", "finetuning_data/words/test.tsv"]
    assert len(said("predict", "--model-dir", tuned_dir, *given)) == 2
    for name in (tuned_dir, "models/m"):
        assert said("export", "--model-dir", name, "--export-dir", f"{name}_export") == []
    for to in ("huggingface", "reference", "electra_tf"):
        assert said("convert", "--input", "models/m", "--output", to, "--to", to) == []
    assert said("flops") == []


# ---- What must be shown all the same


STARTING = """
import os, sys
from electra_tf import tensorflow_log
tensorflow_log.hide()
print("before", file=sys.stderr)
with tensorflow_log.kept_at_start():
    os.write(2, b"written at the start\\n")
    {inside}
print("after", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("inside", "status", "shown"),
    [
        ("pass", 0, ["before", "after"]),
        (
            "raise RuntimeError('wrong')",
            1,
            ["before", "written at the start", "RuntimeError: wrong"],
        ),
        ("os.abort()", -signal.SIGABRT, ["before", "written at the start"]),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, ["before", "written at the start"]),
        (
            "tensorflow_log.write_to_terminal('stopped\\n'); os._exit(143)",
            143,
            ["before", "stopped"],
        ),
    ],
)
def test_what_a_start_writes_is_shown_if_it_fails(tmp_path, inside, status, shown):
    program = STARTING.format(inside=inside)
    done = run(folder=tmp_path, program=("-c", program))
    lines = [line for line in done.stderr.splitlines() if not line.startswith((" ", "Traceback"))]
    assert (done.returncode, lines) == (status, shown)


COMMAND = """
import ctypes, logging, os, sys, warnings
from electra_tf.cli import arguments
from absl import logging
def main(args):
    import tensorflow as tf
    function = tf.function(lambda number: number, autograph=False)
    assert [function(number) for number in range(8)]  # a warning of retracing
    warnings.warn("of a library")
    logging.warning("our own")
    {inside}
arguments.run(main, arguments.make_parser("A command."), [])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inside", "status", "last"),
    [
        ("raise KeyError('a defect')", 1, "KeyError: 'a defect'"),
        ("raise ValueError('wrong input')", 2, "error: wrong input"),
        ("ctypes.CDLL(None).abort()", -signal.SIGABRT, "Fatal Python error: Aborted"),
        ("os.write(2, b'from a library in C')", 0, "from a library in C"),
    ],
)
def test_errors_and_crashes_are_shown(tmp_path, inside, status, last):
    done = run(folder=tmp_path, program=("-c", COMMAND.format(inside=inside)))
    lines = done.stderr.splitlines()
    assert done.returncode == status and last in lines, done.stderr
    assert lines[0] == "our own"
    assert "retracing" not in done.stderr.replace("a warning of retracing", "")
    assert "of a library" not in done.stderr
