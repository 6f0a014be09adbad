# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reports on runs: one HTML file with plots, which needs nothing else."""

import os

from electra_tf.files import read_json
from electra_tf.given_files import CONFIG_FILE

__all__ = ["make_report"]


def make_report(folder: str) -> str:
    """The report on the run of a model folder, as HTML.

    Args:
        folder: of a pre-trained model, or of a trial of a fine-tuned one; the run may be going on.

    Raises:
        FileNotFoundError: the folder has no log, or no config.json.
        ValueError: a line of the log is damaged, or config.json is; names the file and the line.
    """
    # They need TensorFlow; what asks for a part of this package before it starts does not.
    from electra_tf.reports.finetuning import finetuning_report
    from electra_tf.reports.pretraining import pretraining_report

    folder = folder.rstrip("/") or "/"
    is_finetuned = "finetuning" in read_json(os.path.join(folder, CONFIG_FILE))
    return (finetuning_report if is_finetuned else pretraining_report)(folder)
