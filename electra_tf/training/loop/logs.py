# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The log of a run: for TensorBoard, its scalars as JSON lines too, and its expected time."""

import dataclasses
import datetime
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config.pretraining_checks import MOST_STEPS
from electra_tf.files import (
    check_keys,
    exists,
    parse_json,
    read_bytes,
    write_bytes,
    writes,
    writing,
)
from electra_tf.given_files import LOG_FILE

FINDING = "finding"
"""Kind of the entries that hold what was found to be off. They stay in a log whatever step a run
resumes from, since nobody is warned of the same thing twice."""
WAIT = 10.0
"""Seconds of steps from which the first line computes speed; a call takes some 4 more."""
DAY = 24 * 60 * 60.0


class RunLog:
    """Appends to a run's log; lines of steps that a killed run did, but did not save, are cut.

    Lines of the kind `FINDING` stay.
    """

    def __init__(self, folder: str, step: int):
        self.path = os.path.join(folder, LOG_FILE)
        _cut_after(self.path, step)
        self._summaries = writing(folder, tf.summary.create_file_writer, folder)

    def write(
        self,
        step: int,
        values: Mapping[str, float],
        kind: str = "train",
        texts: Mapping[str, str] = {},
        histograms: Mapping[str, np.ndarray] = {},
    ) -> None:
        """Log what belongs to a step, under the names `<kind>/<name>`.

        Args:
            step: steps done.
            values: scalars.
            kind: "train" or "eval".
            texts: Markdown, for TensorBoard only.
            histograms: numbers of any shape, of which TensorBoard shows the distribution.
        """
        with writes(os.path.dirname(self.path)), self._summaries.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(f"{kind}/{name}", value)
            for name, text in texts.items():
                tf.summary.text(f"{kind}/{name}", text)
            for name, numbers in histograms.items():
                tf.summary.histogram(f"{kind}/{name}", numbers)
            self._summaries.flush()
        self.note(step, kind, values)

    def note(self, step: int, kind: str, values: Mapping[str, Any]) -> None:
        """Append a line of a kind to the log's file alone, without TensorBoard."""
        with writes(self.path), tf.io.gfile.GFile(self.path, "a") as file:
            file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")


def read_log(folder: str, kind: str | None = "train") -> list[dict[str, Any]]:
    """The entries of a model folder's log, oldest first: those of a kind, or with None all of them.

    A last line without its end is being written, or a kill cut it short; it is no entry yet.

    Raises:
        FileNotFoundError: the folder has no log.
        ValueError: a line of it is damaged; names file and line.
    """
    path = os.path.join(folder, LOG_FILE)
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(f"{path} is expected to be the log of a run, but does not exist.")
    lines = read_bytes(path).split(b"\n")[:-1]
    entries = [_entry(line, path, number) for number, line in enumerate(lines, start=1)]
    return [entry for entry in entries if kind in (None, entry["kind"])]


def clock(seconds: float) -> str:
    """3725.4 -> "1:02:05"."""
    return str(datetime.timedelta(seconds=round(seconds)))


def _cut_after(path: str, step: int):
    if not exists(path):
        return
    lines = read_bytes(path).split(b"\n")
    # A line that a kill cut short is behind the last checkpoint, too.
    cut_short = lines.pop()
    entries = [_entry(line, path, number) for number, line in enumerate(lines, start=1)]
    kept = [
        line
        for line, entry in zip(lines, entries, strict=True)
        if entry["step"] <= step or entry["kind"] == FINDING
    ]
    cut = len(lines) - len(kept) + bool(cut_short)
    if cut:
        logging.info("%s: %d lines behind step %d cut, they will be written again", path, cut, step)
        write_bytes(path, b"".join(line + b"\n" for line in kept))


def _entry(line: bytes, path: str, number: int) -> dict[str, Any]:
    """A line of a log.

    Raises:
        ValueError: it is damaged; names file and line.
    """
    where = f"{path}, line {number}"
    try:
        entry = parse_json(line, where)
        check_keys(entry, {"kind": str, "step": int}, where)
        if not 0 <= entry["step"] <= MOST_STEPS:
            raise ValueError(f"{where}: 'step' is expected to be a number of steps.")
    except ValueError as error:
        raise ValueError(f"{error} Delete the line, or move the log away.") from error
    return entry


@dataclasses.dataclass
class FirstLine:
    """Logs how long a run will take, whatever the interval of the log.

    It looks at losses that the loop has fetched anyway, so it changes neither metrics nor weights.
    """

    first_step: int
    """Steps done before."""
    num_steps: int
    """Steps done at the end."""
    amounts: Callable[[int], tuple[float, float]]
    """Steps done -> steps of the whole run and steps that are left, both counted in steps as long
    as the present ones."""
    instead: str
    """What to do about a run of more than a day without an accelerator."""
    now: Callable[[], float] = time.monotonic
    """A clock, in seconds."""
    on_cpu: bool | None = None
    """Whether there is no accelerator; default: as is so."""

    def __post_init__(self):
        if self.on_cpu is None:
            devices = tf.config.list_logical_devices()
            self.on_cpu = {device.device_type for device in devices} <= {"CPU"}
        self._began, self._step = self.now(), self.first_step
        self._first_ended: float | None = None
        self._is_done = False

    def __call__(self, step: int, losses: np.ndarray):
        """Receive how many steps are done, and the losses of the last ones."""
        if self._is_done:
            return
        time_now, before = self.now(), f"step {step}/{self.num_steps}"
        if self._first_ended is None:
            # These steps were compiled first, so nothing is expected from their time.
            self._first_ended, self._step = time_now, step
            if time_now - self._began >= WAIT:
                taken = clock(time_now - self._began)
                loss = losses[-1]
                logging.info(
                    "%s | loss %.3f | the first took %s, with compiling", before, loss, taken
                )
        elif time_now - self._first_ended >= WAIT:
            self._is_done = True
            speed = (step - self._step) / (time_now - self._first_ended)
            whole, left = (amount / speed for amount in self.amounts(step))
            logging.info(
                "%s | %.3g steps/s | whole run is expected to take %s, of which %s are left",
                before,
                speed,
                clock(whole),
                clock(left),
            )
            if self.on_cpu and left > DAY:
                logging.warning(
                    "There is no GPU or TPU, and this run will take %.3g days. %s",
                    left / DAY,
                    self.instead,
                )
