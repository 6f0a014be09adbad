# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Benchmarks of steps: their processes, and that they print what they promise."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.turns import Turns  # noqa: E402


def counter(start):
    counts = itertools.count(start)
    return lambda: {"count": next(counts)}


def killed_while_made():
    os.kill(os.getpid(), signal.SIGKILL)


def killed_in_its_turn():
    return killed_while_made


def killed_between_turns():
    def turn():
        threading.Timer(0.2, killed_while_made).start()
        return {}

    return turn


def waiting():
    time.sleep(600)


def slow():
    def turn():
        time.sleep(0.5)
        return {}

    return turn


def wrong_argument():
    raise ValueError("--size is expected to be 1.")


def wrong_in_its_turn():
    return wrong_argument


def test_medians_are_of_the_turns_behind_the_warm_up():
    with Turns({"a": (counter, 0), "b": (counter, 10)}) as turns:
        found = turns.run(rounds=3, warm_up=2)
    assert [found["a"]["count"], found["b"]["count"]] == [3, 13]
    assert found["a"]["peak_bytes"] > 0


def test_the_end_of_a_process_is_an_error():
    """At once, though another one is still being made."""
    with pytest.raises(ChildProcessError, match=r"the process of 'b' was ended, with status -9"):
        Turns({"a": (waiting,), "b": (killed_while_made,)})
    with Turns({"a": (counter, 0), "b": (killed_in_its_turn,)}) as turns:
        with pytest.raises(ChildProcessError, match="'b'"):
            turns.run(rounds=1)
    with Turns({"a": (killed_between_turns,), "b": (slow,)}) as turns:
        with pytest.raises(ChildProcessError, match="'a'"):
            turns.run(rounds=3)


def test_wrong_arguments_are_told_apart_from_defects():
    with pytest.raises(ValueError, match="--size is expected"):
        Turns({"a": (waiting,), "b": (wrong_argument,)})
    with Turns({"b": (wrong_in_its_turn,)}) as turns:
        with pytest.raises(RuntimeError, match=r"b failed:\n.*Traceback"):
            turns.run(rounds=1)


# ---- What is printed, of a tiny model


def printed(script, *options):
    """The words of each line."""
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 32}
    shape |= {"num_attention_heads": 2, "max_position_embeddings": 16}
    hparams = {"model_hparam_overrides": shape, "embedding_size": 8, "vocab_size": 1100}
    command = [sys.executable, str(ROOT / "benchmarks" / script), "--hparams", json.dumps(hparams)]
    sizes = ["--batch-size", "4", "--max-seq-length", "16", "--rounds", "1"]
    done = subprocess.run(
        [*command, *sizes, *options], stdout=subprocess.PIPE, text=True, check=True
    )
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_step_is_shown_in_every_precision():
    lines = printed("pretraining_step.py", "--real-share", "0.5", "--square", "64")
    assert [line[0] for line in lines[-2:]] == ["float32", "bfloat16"]
    for line in lines[-2:]:
        numbers = [float(word.rstrip("%").replace(",", "")) for word in line[1:]]
        seconds, sequences, tokens = numbers[:3]
        assert len(numbers) == 7 and min(seconds, sequences, tokens) > 0
        assert tokens == pytest.approx(8 * sequences, rel=0.01)  # half of 16 are real


@pytest.mark.slow
def test_torch_is_shown_beside():
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    lines = printed("compare_torch.py", "--precision", "float32", "--ways", "eager")
    assert [line[:2] for line in lines[2:4]] == [["here", "float32"], ["torch", "eager"]]
    assert lines[-1][:2] == ["here", "float32:"] and float(lines[-1][2]) > 0
