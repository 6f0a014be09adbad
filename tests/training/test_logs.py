# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import json

import pytest
import tensorflow as tf

from electra_tf.training.loop.logs import LOG_FILE, RunLog, clock, progress_line, read_log


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


def test_line_for_people():
    values = {
        "total_loss": 12.3456,
        "masked_lm_loss": 5.5,
        "disc_loss": 0.125,
        "masked_lm_accuracy": 0.25,
        "disc_auc": 0.75,
        "steps_per_second": 2.0,
        "tokens_per_second": 12345.6,
        "input_wait_share": 0.034,
    }
    line = progress_line(250, 1000, values, elapsed=125.2)
    for part in (
        "step 250/1000 (25.0%)",
        "loss 12.346",
        "mlm 5.500",
        "rtd 0.125",
        "mlm acc 0.250",
        "auc 0.750",
        "2.00 steps/s",
        "12,346 tokens/s",
        "input wait 3%",
        "elapsed 0:02:05",
        "ETA 0:06:15",
    ):
        assert part in line.split(" | "), part
    del values["disc_loss"], values["disc_auc"]  # masked LM
    assert "rtd" not in progress_line(250, 1000, values, elapsed=125.2)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00:00"), (3725.4, "1:02:05"), (200000, "2 days, 7:33:20")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text
