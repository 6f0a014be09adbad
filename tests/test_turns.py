# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Benchmarks' processes: what they measure, and that the end of one ends the benchmark."""

import itertools
import os
import pathlib
import signal
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
