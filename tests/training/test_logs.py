# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import json

import pytest
import tensorflow as tf

from electra_tf.training.loop.logs import LOG_FILE, RunLog, clock, read_log


def test_lines_and_scalars(tmp_path):
    log = RunLog(str(tmp_path), 0)
    log.write(3, {"total_loss": 2.5})
    log.write(3, {"loss": 2.25}, kind="eval")
    log.write(6, {"total_loss": 1.5})
    assert read_log(str(tmp_path)) == [
        {"kind": "train", "step": 3, "total_loss": 2.5},
        {"kind": "train", "step": 6, "total_loss": 1.5},
    ]
    assert read_log(str(tmp_path), "eval") == [{"kind": "eval", "step": 3, "loss": 2.25}]
    found = {
        (value.tag, event.step, float(tf.make_ndarray(value.tensor)))
        for file in tmp_path.glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert found == {
        ("train/total_loss", 3, 2.5),
        ("eval/loss", 3, 2.25),
        ("train/total_loss", 6, 1.5),
    }


def test_lines_behind_the_checkpoint_are_cut(tmp_path):
    log = RunLog(str(tmp_path), 0)
    for step in (3, 6, 9):
        log.write(step, {"total_loss": 1.0})
        log.write(step, {"loss": 1.0}, kind="eval")
    with open(tmp_path / LOG_FILE, "a") as file:
        file.write('{"kind": "train", "st')  # a kill cut the line short
    RunLog(str(tmp_path), 6).write(9, {"total_loss": 2.0})
    assert [(e["step"], e["total_loss"]) for e in read_log(str(tmp_path))] == [
        (3, 1.0),
        (6, 1.0),
        (9, 2.0),
    ]
    assert [entry["step"] for entry in read_log(str(tmp_path), "eval")] == [3, 6]


def test_nothing_is_cut_where_nothing_is_behind(tmp_path):
    RunLog(str(tmp_path), 0).write(3, {"total_loss": 1.0})
    before = (tmp_path / LOG_FILE).read_bytes()
    RunLog(str(tmp_path), 3)
    assert (tmp_path / LOG_FILE).read_bytes() == before
    assert json.loads(before)["step"] == 3


def test_no_log(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train_log\.jsonl is expected to be the log"):
        read_log(str(tmp_path))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00:00"), (3725.4, "1:02:05"), (200000, "2 days, 7:33:20")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text
