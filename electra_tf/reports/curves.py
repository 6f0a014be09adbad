# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The entries of a log as curves, and the charts that every kind of run has."""

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from electra_tf.given_files import LOG_FILE
from electra_tf.pretraining.health import RECORDS, number
from electra_tf.reports.charts import Chart, Curve, draw
from electra_tf.training.loop.logs import read_log

Entries = Sequence[Mapping[str, Any]]
MOST_POINTS = 1000
"""Of a curve, beside its first and last."""


class Log(NamedTuple):
    """The log of a run."""

    entries: Entries
    """All of them, in their order."""
    training: Entries
    """With the `middle` of the steps that their means are of."""
    evaluations: Entries


def log_of(folder: str) -> Log:
    """The log of a model folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a line is damaged, or no step of training is logged; names the file.
    """
    entries = read_log(folder, None)
    before = 0
    for entry in entries:
        if entry["kind"] == RECORDS:  # a run may begin behind step 0
            before = max(before, entry["step"])
        elif entry["kind"] == "train":
            entry["middle"] = (before + entry["step"]) / 2
            before = entry["step"]
    training, evaluations = ([e for e in entries if e["kind"] == k] for k in ("train", "eval"))
    if not training:
        path = os.path.join(folder, LOG_FILE)
        raise ValueError(f"{path} is expected to be the log of a run, but has no step of training.")
    return Log(entries, training, evaluations)


def curve(
    name: str, entries: Entries, key: str, is_points: bool = False, at: str = "step"
) -> Curve | None:
    """The values of a key over the steps; None where no entry has a number of that name."""
    values = ((e[at], number(e.get(key))) for e in entries)
    found = [(step, value) for step, value in values if not math.isnan(value)]
    return Curve(name, *zip(*thinned(found), strict=True), is_points) if found else None


def thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """About as many points as a plot can show; of each stretch the lowest and the highest.

    Args:
        points: steps and values.
    """
    if len(points) <= MOST_POINTS:
        return points
    kept = {0, len(points) - 1}
    ends = [number * len(points) // (MOST_POINTS // 2) for number in range(MOST_POINTS // 2 + 1)]
    for stretch in itertools.starmap(range, itertools.pairwise(ends)):
        kept.add(min(stretch, key=lambda number: points[number][1]))
        kept.add(max(stretch, key=lambda number: points[number][1]))
    return [points[number] for number in sorted(kept)]


def means(name: str, training: Entries, key: str) -> Curve | None:
    """The values of a key, each at the middle of the steps since the entry before."""
    return curve(name, training, key, at="middle")


def is_number(value: Any) -> bool:
    """Whether a logged value is a number."""
    return not math.isnan(number(value))


def charts(*made: Chart) -> str:
    """Charts that have curves, side by side as far as there is room."""
    return "<div>" + "\n".join(draw(chart) for chart in made if chart.curves) + "</div>"


def chart(title: str, *curves: Curve | None, **parts: Any) -> Chart:
    """A chart of the curves that are there; `parts` are further fields of `Chart`."""
    return Chart(title, [each for each in curves if each is not None], **parts)


def charts_of_pace(training: Entries) -> list[Chart]:
    """Learning rate and speed."""
    return [
        chart("learning rate", curve("", training, "learning_rate")),
        chart("tokens per second", means("", training, "tokens_per_second")),
        chart("share of the time spent waiting for input", means("", training, "input_wait_share")),
    ]
