# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""SIGTERM and Ctrl-C: one line, 143 or 130, and nothing half-written or alive behind it."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from commands import electra
from tiny_finetuning import classification, finetune, make_data_dir
from tiny_run import SPECIAL, WORDS

import electra_tf
import electra_tf.text as text_package
from electra_tf.data import shards
from electra_tf.interop import conversion
from electra_tf.pretraining import initial_embeddings
from electra_tf.serving import export

ROOT = pathlib.Path(electra_tf.__file__).parents[1]
LINES = {signal.SIGINT: "interrupted", signal.SIGTERM: "stopped by SIGTERM"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A vocabulary, a text, and the folders of a pre-trained and of a fine-tuned model."""
    folder = make_data_dir(tmp_path_factory.mktemp("signals") / "data")
    (folder / "text").mkdir()
    text = "\n\n".join(" ".join(WORDS[i % 90 :][:5]) for i in range(400))
    (folder / "text" / "a.txt").write_text(text + "\n")
    config, _ = finetune(folder, [classification(folder)], do_eval=False)
    return folder, f"{config.model_dir}_1"


class Lines:
    """Standard input: a line, and then a signal."""

    def __init__(self, send):
        self.send = send

    def __iter__(self):
        yield b"w1 w2\n"
        self.send()

    def read(self, _):
        self.send()
        return b"w1 w2 w3\n"


def on_call(owner, name):
    """A signal comes when a function begins that is called in the middle of a command."""

    def prepare(monkeypatch, send):
        function = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, **k: (send(), function(*a, **k))[1])

    return prepare


def while_reading(monkeypatch, send):
    lines = Lines(send)
    lines.buffer = lines
    monkeypatch.setattr(sys, "stdin", lines)


def commands(folder, model, out):
    text, vocabulary = ["--corpus-dir", str(folder / "text")], str(folder / "vocab.txt")
    pretrained = str(folder / "models" / "tiny")
    output = ["--output-file", str(out / "new" / "vocab.txt"), "--vocab-size", "60"]
    model_output = ["--output-file", str(out / "v.model"), "--vocab-size", "60"]
    return {
        "vocabulary": (
            "vocab",
            on_call(text_package, "train_wordpiece_vocabulary"),
            [*text, *output],
        ),
        "vocabulary of standard input": ("vocab", while_reading, ["--corpus-dir=-", *output]),
        "unigram": (
            "vocab",
            on_call(text_package, "train_sentencepiece_model"),
            [*text, *model_output, "--tokenizer", "unigram"],
        ),
        "records": (
            "records",
            on_call(shards.ShardWriter, "finish"),
            [*text, "--vocab-file", vocabulary, "--output-dir", str(out / "records")],
        ),
        "embeddings": (
            "embeddings",
            on_call(initial_embeddings, "save_tokenizer"),
            [
                *(*text, "--vocab-file", vocabulary, "--output-dir", str(out / "embeddings")),
                *("--embedding-size", "4", "--block-tokens", "40"),
            ],
        ),
        "export": (
            "export",
            on_call(export, "write_text"),
            ["--model-dir", model, "--export-dir", str(out / "export")],
        ),
        "conversion": (
            "convert",
            on_call(conversion, "convert"),
            ["--input", pretrained, "--output", str(out / "hf"), "--to", "huggingface"],
        ),
        "prediction": (
            "predict",
            while_reading,
            ["--model-dir", model, "--output", str(out / "predictions.jsonl")],
        ),
    }


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(
            *(name, (signal.SIGTERM, signal.SIGINT)[i % 2]),
            marks=[pytest.mark.slow] if name in ("export", "records") else [],
        )
        for i, name in enumerate(commands(pathlib.Path(), "", pathlib.Path()))
    ],
)
def test_a_command_cleans_up(data, tmp_path, monkeypatch, capfd, name, number):
    verb, prepare, flags = commands(*data, tmp_path)[name]
    sent = []

    def send():
        sent.append(number)
        os.kill(os.getpid(), number)

    prepare(monkeypatch, send)
    handlers = [signal.getsignal(each) for each in LINES]
    assert electra(verb, *flags) == 128 + number
    assert sent == [number]
    err = capfd.readouterr().err
    assert err.endswith(f"{LINES[number]}\n") and "Traceback" not in err
    assert [signal.getsignal(each) for each in LINES] == handlers
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert set(left) <= {"plan.sha256", "replaced.json"}  # of records, to go on with
    assert not list(tmp_path.glob("*.incomplete*"))


@pytest.mark.slow
def test_a_second_signal_is_not_waited_for():
    """The first one comes while the command runs, the second while it cleans up."""
    program = (
        "import os, signal, sys\n"
        "from electra_tf.cli import arguments\n"
        "def main(args):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        print('still here')\n"
        "arguments.run(main, arguments.make_parser('A command.'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGTERM and done.stdout == ""
    assert "Traceback" not in done.stderr


def test_of_two_signals_at_once_the_second_ends_the_process():
    """Both have come before Python calls a handler."""
    program = (
        "import os, signal\n"
        "from electra_tf.cli import main, running\n"
        "with running._raising_signals():\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, main.SIGNALS)\n"
        "    for number in main.SIGNALS:\n"
        "        os.kill(os.getpid(), number)\n"
        "    signal.pthread_sigmask(signal.SIG_UNBLOCK, main.SIGNALS)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")


# ---- Processes of their own


@pytest.fixture
def start(request):
    """Starts a command as the first process of a group, which is ended after the test."""
    started = []

    def start(*command):
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if processes_of(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def processes_of(group):
    """Those of a process group that are not over."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z" and int(fields[2]) == group:
            found.append(int(stat.parent.name))
    return found


def check_end(process, number):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert err.splitlines()[-1] == LINES[number] and "Traceback" not in err, err
    deadline = time.monotonic() + 10  # multiprocessing's own helper goes a moment later
    while processes_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(process.pid) == []
    return out


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (["-m", "electra_tf", "vocab", "--corpus-dir=-", "--output-file=v"], signal.SIGINT),
        (["run_pretraining.py", "--data-dir={}", "--model-name=m"], signal.SIGTERM),
    ],
)
def test_signals_during_imports(start, tmp_path, command, number):
    for name in ("vocab.txt", "pretrain_data.tfrecord-0"):  # what is looked at before
        (tmp_path / name).write_text("[PAD]\n")
    records = ["--set", f"pretrain_tfrecords={tmp_path}/pretrain_data.tfrecord-0"]
    command = [part.format(tmp_path) for part in command]
    process = start(*command, *(records if "vocab" not in command else []))
    maps = pathlib.Path(f"/proc/{process.pid}/maps")
    while "tensorflow" not in maps.read_text():  # it has begun to load
        time.sleep(0.01)
    process.send_signal(number)
    assert check_end(process, number) == ""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="finds processes by /proc")
@pytest.mark.parametrize(
    ("number", "seconds"),
    [
        (signal.SIGINT, 0.2),
        *(
            pytest.param(number, seconds, marks=pytest.mark.slow)
            for number in LINES
            for seconds in (1, 3, None)
        ),
    ],
)
def test_records_with_several_processes(start, tmp_path, number, seconds):
    """So long after the first worker was started and the folder was made, or when shards are being
    written, all processes get the signal."""
    (tmp_path / "text").mkdir()
    for i in range(4):
        (tmp_path / "text" / f"{i}.txt").write_text(f"{' '.join(WORDS)}\n\n" * 8000)
    (tmp_path / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    process = start(
        *("build_pretraining_dataset.py", "--corpus-dir", str(tmp_path / "text")),
        *("--vocab-file", str(tmp_path / "vocab.txt"), "--num-processes", "2"),
        *("--output-dir", str(tmp_path / "records"), "--num-out-files", "4"),
    )
    while len(processes_of(process.pid)) < 3 or not (tmp_path / "records").exists():
        assert process.poll() is None
        time.sleep(0.05)
    while seconds is None and not list(tmp_path.rglob("*.partial")):
        time.sleep(0.01)
    time.sleep(seconds or 0.2)
    os.killpg(process.pid, number)
    check_end(process, number)
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["unfinished"]
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unigram", "bpe", "wordpiece"])
def test_vocabularies_in_the_middle_of_their_training(start, tmp_path, kind):
    """The trainer of SentencePiece does not heed signals; its process ends all the same."""
    (tmp_path / "text").mkdir()
    words = (f"{i:x}".translate(str.maketrans("0123456789", "ghijklmnop")) for i in range(10**6))
    (tmp_path / "text" / "a.txt").write_text("\n".join(words))
    name = "vocab.txt" if kind == "wordpiece" else "vocab.model"
    process = start(
        *("-m", "electra_tf", "vocab", "--corpus-dir", str(tmp_path / "text"), "--tokenizer", kind),
        *("--output-file", str(tmp_path / name), "--vocab-size", "20000"),
    )
    time.sleep(3)  # a slow machine still imports then, which ends alike
    process.send_signal(signal.SIGTERM)
    check_end(process, signal.SIGTERM)
    assert [path.name for path in tmp_path.iterdir()] == ["text"]
