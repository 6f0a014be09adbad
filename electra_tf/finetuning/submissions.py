# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predictions for test sets: pickles as the original's, and what the GLUE leaderboard takes."""

import io
import os
import zipfile

import tensorflow as tf

from electra_tf.config import FinetuningConfig
from electra_tf.config.paths import filled
from electra_tf.files import listed, write_bytes, write_text
from electra_tf.finetuning.evaluation import Evaluation
from electra_tf.finetuning.task_table import SUBMISSIONS


def write_test_predictions(config: FinetuningConfig, evaluation: Evaluation, trial: int) -> None:
    """Write the predictions for a test split; GLUE's also as a TSV file in a zipped folder."""
    data, predictions = evaluation.data, evaluation.predictions
    path = filled(config.test_predictions, config.data_dir, data.task.name, data.split, trial)
    ids = [example.id for example in data.examples]
    data.task.kind.write_predictions(path, ids, predictions, config)
    name = SUBMISSIONS.get((data.task.name, data.split))
    if name is not None:
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
