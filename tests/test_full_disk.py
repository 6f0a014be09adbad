# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A full disk is one error that says where and what to do; with room the same command resumes."""

import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf
from commands import electra
from tiny_finetuning import SETTINGS, classification, finetune, make_data_dir
from tiny_run import HPARAMS, WORDS, make_examples, write_records

import electra_tf
from electra_tf.cli import arguments
from electra_tf.files import TEMPORARY, full_disk, writes
from electra_tf.folders import files_in
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, step_in_name
from electra_tf.training.loop.logs import RunLog, read_log

ROOT = pathlib.Path(electra_tf.__file__).parents[1]
TEMPORARY_NAMES = (TEMPORARY, ".partial", ".tmp", ".incomplete", "incomplete_checkpoint")


@pytest.fixture(scope="module")
def is_mountable(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mounted")
    command = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path, is_mountable):
    """A function that gives a small disk its size in KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)], check=True)

    def resize(kib):
        subprocess.run(["mount", "-o", f"remount,size={kib}k", str(folder)], check=True)
        return folder

    yield resize
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A vocabulary, a text, and the folders of a pre-trained and of a fine-tuned model."""
    folder = make_data_dir(tmp_path_factory.mktemp("full") / "data")
    (folder / "text").mkdir()
    text = "\n\n".join(" ".join(WORDS[i % 90 :][:5]) for i in range(4000))
    (folder / "text" / "a.txt").write_text(text + "\n")
    (folder / "pretrain_tfrecords").mkdir()
    write_records(
        folder / "pretrain_tfrecords" / "pretrain_data.tfrecord-0-of-1", make_examples(40)
    )
    config, _ = finetune(folder, [classification(folder)], do_eval=False)
    return folder, f"{config.model_dir}_1"


def commands(folder, model, out):
    """Name -> verb, sizes of a disk that are too small, flags."""
    text, vocabulary = ["--corpus-dir", str(folder / "text")], str(folder / "vocab.txt")
    pretrained = str(folder / "models" / "tiny")
    (folder / "lines.tsv").write_text("text\n" + "w1 w2\n" * 200)
    conversion = ["--input", pretrained, "--output", str(out / "converted"), "--to"]
    return {
        "vocabulary": (
            "vocab",
            [0, 4],
            [*text, "--output-file", str(out / "vocab.txt"), "--vocab-size", "2000"],
        ),
        "records": (
            "records",
            [4, 16, 80],
            [
                *(*text, "--vocab-file", vocabulary, "--output-dir", str(out / "records")),
                *("--num-out-files", "3"),
            ],
        ),
        "embeddings": (
            "embeddings",
            [4, 8, 12],
            [
                *(*text, "--vocab-file", vocabulary, "--output-dir", str(out / "embeddings")),
                *("--embedding-size", "16", "--block-tokens", "40"),
            ],
        ),
        "to Hugging Face": ("convert", [4, 16, 40], [*conversion, "huggingface"]),
        "to the original": ("convert", [4, 16, 40], [*conversion, "reference"]),
        "to ours": ("convert", [4, 16, 40], [*conversion, "electra_tf"]),
        "export": (
            "export",
            [4, 64, 256],
            ["--model-dir", model, "--export-dir", str(out / "export")],
        ),
        "prediction": (
            "predict",
            [4],
            [
                *("--model-dir", model, "--input", str(folder / "lines.tsv")),
                *("--layout", "test", "--output", str(out / "predictions.jsonl")),
            ],
        ),
    }


def run(verb, flags, capfd):
    """Status and what is written to the standard error."""
    capfd.readouterr()
    return electra(verb, *flags), capfd.readouterr().err


def check_error(status, err, folder):
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert status == 2 and "Traceback" not in err, err
    (line,) = lines
    assert line.startswith(f"error: Cannot write {folder}/") and "No space left on device" in line
    assert line.endswith("Make room there, or raise the limit; then the same command resumes.")
    names = files_in(str(folder))
    assert not [name for name in names if any(part in name for part in TEMPORARY_NAMES)], names


NAMES = [
    *("vocabulary", "records", "to Hugging Face", "prediction"),
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("embeddings", "to the original", "to ours", "export")
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_goes_on_when_there_is_room(data, disk, capfd, name):
    verb, sizes, flags = commands(*data, disk(4))[name]
    fill = disk(4) / "fill"
    for kib in sizes:
        folder = disk(max(4, kib))
        fill.unlink(missing_ok=True)
        if not kib:
            fill.write_bytes(b"x" * 4096)
        check_error(*run(verb, flags, capfd), folder)
    fill.unlink(missing_ok=True)
    folder = disk(8192)
    status, err = run(verb, flags, capfd)
    assert not status, err
    names = files_in(str(folder))
    assert names and not [name for name in names if any(part in name for part in TEMPORARY_NAMES)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pretraining", "finetuning"])
def test_a_run_goes_on_when_there_is_room(data, disk, capfd, kind):
    folder = disk(4)
    if kind == "pretraining":
        verb, name, settings = "pretrain", "new", {**HPARAMS, "eval_every_steps": 6}
        settings |= {"model_dir": str(folder / "model"), "num_eval_steps": 1}
    else:
        task = str(data[0] / "words.json")
        verb, name, settings = "finetune", "tiny", {**SETTINGS, "task_names": [task]}
        settings |= {
            "model_dir": str(folder / "model"),
            "preprocessed_data_dir": str(folder / "features"),
            "results_txt": str(folder / "results" / "results.txt"),
            "results_pkl": str(folder / "results" / "results.pkl"),
            "test_predictions": str(folder / "predictions" / "{:}_{:}_{:}.pkl"),
            "eval_every_steps": 3,
        }
    path = data[0] / f"{kind}.json"
    path.write_text(str(settings).replace("'", '"').replace("True", "true"))
    flags = ["--data-dir", str(data[0]), "--model-name", name, "--hparams", str(path)]
    kib, failures = 4, 0
    while True:
        status, err = run(verb, flags, capfd)
        if not status:
            break
        failures += 1
        check_error(status, err, folder)
        kib += max(24, kib // 2)
        disk(kib)
    assert failures >= 3
    names = files_in(str(folder))
    assert not [name for name in names if any(part in name for part in TEMPORARY_NAMES)]
    assert [name for name in names if name.endswith(".index")]


def test_a_checkpoint_that_does_not_fit_leaves_the_older_one(disk):
    folder = CheckpointFolder(str(disk(400) / "model"), keep=2)
    for step in range(1, 99):
        try:
            folder.save(step, {"a": tf.Variable(tf.zeros([150, 200]))}, {})
        except OSError as error:
            assert f"Cannot write {folder.folder}/model.ckpt-{step}: No space" in str(error)
            break
        folder.keep = None
    assert folder.latest().endswith(f"model.ckpt-{step - 1}") and step == 4
    assert not [name for name in os.listdir(folder.folder) if f"-{step}" in name]
    assert "incomplete_checkpoint" not in os.listdir(folder.folder)


def test_a_log_that_does_not_fit_is_named_and_goes_on(disk):
    folder = disk(12)
    (folder / "model").mkdir()
    with pytest.raises(OSError, match=f"Cannot write {folder}/model.*: No space left on device. M"):
        for step in range(1, 1000):
            if step == 1:
                log = RunLog(str(folder / "model"), 0)
            log.write(step, {"loss": 1.0})
    disk(64)
    log = RunLog(str(folder / "model"), step - 1)
    log.write(step, {"loss": 1.0})
    assert [entry["step"] for entry in read_log(str(folder / "model"))] == [*range(1, step + 1)]


@pytest.mark.slow
def test_standard_output_that_is_full():
    program = (
        "import sys\nfrom electra_tf.cli import arguments\n"
        "arguments.run(lambda args: print('x' * 10), arguments.make_parser('A command.'))\n"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    lines = done.stderr.splitlines()
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert lines[-1].startswith("error: Cannot write standard output: No space left on device. ")


@pytest.mark.slow
def test_a_limit_on_the_size_of_files(tmp_path):
    """Also where no small disk can be mounted."""
    program = (
        "import resource, sys, tensorflow as tf\n"
        "from electra_tf.cli import arguments\n"
        "from electra_tf.training.checkpoints.checkpoint import CheckpointFolder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "def main(args):\n"
        "    for n in (10, 10_000):\n"
        "        CheckpointFolder(sys.argv[0]).save(n, {'a': tf.Variable(tf.zeros([n]))}, {})\n"
        "sys.argv = [sys.argv[1]]\n"
        "arguments.run(main, arguments.make_parser('A command.'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: Cannot write {tmp_path}/model/model.ckpt-10000: File too large")
    assert step_in_name(CheckpointFolder(str(tmp_path / "model")).latest()) == 10
    assert len(files_in(str(tmp_path / "model"))) == 3


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "/a; No space left on device"), "No space"),
        (tf.errors.ResourceExhaustedError(None, None, "/a; Disk quota exceeded"), "Disk quota"),
        (tf.errors.OutOfRangeError(None, None, "/a; File too large"), "File too large"),
        (OSError(28, "No space left on device", "/a"), "No space left on device"),
        (OSError(122, "Disk quota exceeded"), "Disk quota exceeded"),
    ],
)
def test_what_a_full_disk_is(error, expected):
    assert full_disk(error).startswith(expected)
    with pytest.raises(OSError, match=f"Cannot write /b: {expected}.*Make room"), writes("/b"):
        raise error


def test_too_little_memory_is_no_full_disk(monkeypatch, capfd):
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    assert full_disk(error) is None and full_disk(OSError(13, "Permission denied")) is None

    def main(args):
        raise error

    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(tf.errors.ResourceExhaustedError, match="OOM"):
        arguments.run(main, arguments.make_parser("A command."))
    assert "Make room" not in capfd.readouterr().err
