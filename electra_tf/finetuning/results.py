# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a run of several trials has shown: for people, for programs and for leaderboards."""

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig
from electra_tf.config.finetuning import filled
from electra_tf.config.task_table import TASKS
from electra_tf.files import (
    check_keys,
    exists,
    read_json,
    write_bytes,
    write_json,
    write_pickle,
    write_text,
)
from electra_tf.finetuning.evaluation import Evaluation, records_of
from electra_tf.finetuning.kinds.scorers import LOWER_IS_BETTER
from electra_tf.finetuning.trial_folders import folder_of
from electra_tf.patterns import listed

Scores = Mapping[str, Mapping[str, float]]
"""Task (or task and split) -> metric -> value."""

_TRIAL_KEYS = {"trial": int, "attempt": int, "scores": dict, "failures": dict}
"""What is read of a stored trial."""


class RunResults:
    """The trials of a run with their scores; its files are written anew after each.

    Args:
        primary_metrics: task -> the metric that counts.
        baselines: scores of trivial predictions, by the same names as a trial's.
    """

    def __init__(
        self, config: FinetuningConfig, primary_metrics: Mapping[str, str], baselines: Scores
    ):
        self.config = config
        self.primary_metrics = dict(primary_metrics)
        self.baselines = baselines
        self.trials = []

    def add(self, trial: Mapping[str, Any], write: bool = True) -> None:
        """Add a trial: trial, attempt, seed, folder, steps, scores, failures, key; write files."""
        self.trials.append(trial)
        if write:
            self.write()

    def as_dict(self) -> dict[str, Any]:
        return {
            "model_name": self.config.model_name,
            "tasks": list(self.primary_metrics),
            "primary_metrics": self.primary_metrics,
            "summary": summarize([trial["scores"] for trial in self.trials]),
            "baselines": self.baselines,
            **({"zero_shot": self.zero_shot} if self.zero_shot else {}),
            "failed_trials": [trial["trial"] for trial in self.trials if trial["failures"]],
            "trials": self.trials,
        }

    @property
    def zero_shot(self) -> Scores:
        """Scores before training, of tasks with a prompt, by the same names as a trial's."""
        return next((t["zero_shot"] for t in self.trials if t.get("zero_shot")), {})

    def write(self) -> None:
        """results_txt in the original's format, results_pkl, and a JSON file beside them."""
        scores = [trial["scores"] for trial in self.trials]
        write_text(self.config.results_txt, "".join(map(results_lines, scores)))
        write_pickle(self.config.results_pkl, scores)
        write_json(beside_results(self.config, ".json"), self.as_dict())

    @property
    def model_dirs(self) -> list[str]:
        """The folders of the trials' models, one each; `keep_all_models` false keeps the last."""
        return [folder_of(self.config, trial["trial"], trial["attempt"]) for trial in self.trials]

    def __repr__(self) -> str:
        return "\n".join(self.lines()) or "no scores"

    def lines(self) -> list[str]:
        """The summary for people: primary metrics with the baseline beside them, failed trials."""
        summary, lines = summarize([trial["scores"] for trial in self.trials]), []
        for name, metrics in summary.items():
            metric = next(iter(metrics))  # the primary metric is the first
            row, baseline = metrics[metric], self.baselines.get(name, {}).get(metric)
            text = f"{name} {metric}: median {row['median']:.2f}"
            if len(self.trials) > 1:
                text += (
                    f", mean {row['mean']:.2f}, std {row['std']:.2f}, best {row['best']:.2f} "
                    f"of {len(self.trials)} trials"
                )
            if name in self.zero_shot:
                text += f" | zero-shot {self.zero_shot[name][metric]:.2f}"
            lines.append(text + ("" if baseline is None else f" | baseline {baseline:.2f}"))
        for trial in self.trials:
            for name, reasons in trial["failures"].items():
                lines.append(f"trial {trial['trial']} failed on {name}: {'; '.join(reasons)}")
        return lines


def stored_trials(config: FinetuningConfig) -> list[dict[str, Any]]:
    """The trials in the JSON file that an earlier run wrote; none if there is no such file.

    Raises:
        ValueError: the file is damaged; names it and the key.
    """
    path = beside_results(config, ".json")
    if not exists(path):
        return []
    stored = read_json(path)
    check_keys(stored, {"trials": list}, path)
    for number, trial in enumerate(stored["trials"]):
        where = f"{path}: trials[{number}]"
        check_keys({"trial": trial}, {"trial": dict}, where)
        check_keys(trial, _TRIAL_KEYS, where)
        for task, metrics in trial["scores"].items():
            check_keys({task: metrics}, {task: dict}, f"{where}: scores")
            check_keys(metrics, dict.fromkeys(metrics, float), f"{where}: scores: {task}")
    return stored["trials"]


def beside_results(config: FinetuningConfig, ending: str) -> str:
    """A path beside results_txt: cola_results.txt with ending .json is cola_results.json."""
    return os.path.splitext(config.results_txt)[0] + ending


def results_lines(scores: Scores) -> str:
    """A trial in the original's format (run_finetuning.py write_results)."""
    return "".join(
        f"{name}: "
        + " - ".join(f"{metric}: {value:.2f}" for metric, value in values.items())
        + "\n"
        for name, values in scores.items()
    )


def summarize(trials: Sequence[Scores]) -> dict[str, dict[str, dict[str, float]]]:
    """Median, mean, sample standard deviation (0 of one trial) and best of every metric."""
    summary = {}
    # A trial that diverged has no scores.
    metrics = {name: scores for trial in reversed(trials) for name, scores in trial.items()}
    for name in metrics:
        for metric in metrics[name]:
            values = [trial[name][metric] for trial in trials if metric in trial.get(name, {})]
            best = min if metric in LOWER_IS_BETTER else max
            summary.setdefault(name, {})[metric] = {
                "median": float(np.median(values)),
                "mean": float(np.mean(values)),
                "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
                "best": float(best(values)),
            }
    return summary


def write_details(config: FinetuningConfig, evaluation: Evaluation, trial: int) -> None:
    """Predictions of a split as JSON lines; of classes also confusion matrix and table."""
    data = evaluation.data
    folder = beside_results(config, "_details")
    path = os.path.join(folder, f"{data.task.name}_{data.split}_{trial}")
    lines = [json.dumps(record, ensure_ascii=False) for record in records_of(evaluation)]
    write_text(f"{path}_predictions.jsonl", "\n".join(lines) + "\n")
    report = data.task.kind.report(data, evaluation.predictions) if data.is_labelled else None
    if report is not None:
        write_text(f"{path}_classes.txt", report + "\n")


def write_test_predictions(config: FinetuningConfig, evaluation: Evaluation, trial: int) -> None:
    """Write the predictions for a test split; GLUE's also as a TSV file in a zipped folder."""
    data = evaluation.data
    path = filled(config.test_predictions, config.data_dir, data.task.name, data.split, trial)
    data.task.kind.write_predictions(path, evaluation)
    row = TASKS.get(data.task.name)
    if row is not None and data.split in row.submission:
        name = row.submission[data.split]
        folder = os.path.join(os.path.dirname(path), "glue", f"trial_{trial}")
        write_text(os.path.join(folder, f"{name}.tsv"), glue_table(evaluation))
        _zip(folder)


def glue_table(evaluation: Evaluation) -> str:
    """Lines "index, prediction" of a test split; classes by name, scores within their range."""
    spec, values = evaluation.data.task.spec, evaluation.predictions.values
    cells = evaluation.data.task.kind.cells(spec, values)
    ids = [example.id for example in evaluation.data.examples]
    lines = [f"{i}\t{cell}" for i, cell in zip(ids, cells, strict=True)]
    return "\n".join(["index\tprediction", *lines]) + "\n"


def _zip(folder: str):
    """Zip the tables of a folder, of this run and of those before, for the leaderboard."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in listed(folder, "*.tsv"):
            with tf.io.gfile.GFile(path, "rb") as file:
                archive.writestr(os.path.basename(path), file.read())
    write_bytes(f"{folder}.zip", content.getvalue())
