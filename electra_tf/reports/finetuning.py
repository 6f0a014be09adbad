# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The report on a trial of fine-tuning: its curves, and the scores that are stored beside it."""

import os
from collections.abc import Mapping
from typing import Any

from electra_tf.files import exists, names_in, read_json
from electra_tf.given_files import CONFIG_FILE
from electra_tf.reports.curves import chart, charts, charts_of_pace, curve, is_number, log_of, means
from electra_tf.reports.page import page, paragraph, table

RESULTS = "_results.json"


def finetuning_report(folder: str) -> str:
    """The report as HTML; see `make_report` for errors."""
    _, training, dev = log_of(folder)
    measured = dict.fromkeys(name for entry in dev for name in entry if is_number(entry[name]))
    scores = [name for name in measured if name != "step"]
    config = read_json(os.path.join(folder, CONFIG_FILE))["finetuning"]
    given = config.items() if isinstance(config, dict) else ()
    return page(
        f"{os.path.basename(folder)}: {training[-1]['step']:,} steps of fine-tuning",
        [
            "<h2>Scores</h2>",
            *_of_results(folder),
            "<h2>Curves</h2>",
            charts(
                chart("loss", means("", training, "loss")),
                chart("gradient norm, before clipping", means("", training, "gradient_norm")),
                *(chart(f"dev: {name}", curve("", dev, name, is_points=True)) for name in scores),
                *charts_of_pace(training),
            ),
            "<h2>Run</h2>",
            table(("hyperparameter", "value"), [(name, str(value)) for name, value in given]),
        ],
    )


def _of_results(folder: str) -> list[str]:
    """Tables of the trial's scores, of each file of results that has the trial."""
    place = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(folder))), "results")
    names = sorted(names_in(place)) if exists(place) else []
    found = []
    for name in (name for name in names if name.endswith(RESULTS)):
        stored = read_json(os.path.join(place, name))
        for trial in _list(stored.get("trials")):
            own = os.path.basename(str(_object(trial).get("folder", "")).rstrip("/"))
            if own == os.path.basename(folder):
                found += _tables(stored, _object(trial), name)
    return found or [paragraph("None are stored: the trial has not been evaluated.")]


def _tables(stored: Mapping[str, Any], trial: Mapping[str, Any], name: str) -> list[str]:
    parts = []
    for task, scores in _object(trial.get("scores")).items():
        baselines = _object(_object(stored.get("baselines")).get(task))
        summary = _object(_object(stored.get("summary")).get(task))
        rows = [
            (
                metric,
                f"{score:.2f}",
                _number(_object(summary.get(metric)).get("median")),
                _number(baselines.get(metric)),
            )
            for metric, score in _object(scores).items()
            if is_number(score)
        ]
        parts.append(paragraph(f"{task}, of {name}; the baseline looks at no text."))
        parts.append(table(("", "this trial", "median of the trials", "baseline"), rows))
    return parts


def _number(value: Any) -> str:
    return f"{value:.2f}" if is_number(value) else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
