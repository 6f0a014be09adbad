# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which files of a model folder a run has written: only they go when a run starts over."""

import os
import re

from electra_tf.files import TEMPORARY
from electra_tf.folders import remove_made
from electra_tf.training.checkpoints.checkpoint import PARTIAL, foreign_prefixes

CONFIG_FILE = "config.json"
"""Of every model folder: the mark of what made it."""
BEST_FOLDER = "best"

_CHECKPOINT = re.compile(
    rf"(?P<folder>(?:{BEST_FOLDER}/)?(?:{PARTIAL}/)?)"
    r"(?:checkpoint|(?P<prefix>model\.ckpt-\d+)\.(?:index|data-\d+-of-\d+)(?:\.tempstate\d+)?)"
)
_OTHER = re.compile(
    r"config\.json|tokenizer\.json|vocab\.txt|spiece\.model|train_log\.jsonl|"
    r"events\.out\.tfevents\.[^/]+|nonfinite_batch_step_\d+(?:_worker_\d+)?\.npz|"
    r"results/unsup_results\.(?:txt|pkl|json)"
)


def remove_run(folder: str, is_debug: bool = False) -> list[str]:
    """Remove what a run wrote into its model folder, which bears `CONFIG_FILE`.

    Args:
        folder: of the run.
        is_debug: whether it is to be thrown away: all files go but released weights, and those
            in folders that the run did not make, such as models that were fine-tuned from it.

    Returns:
        Names of the files that remain, which the run did not write.
    """
    foreign = {
        (inner, prefix)
        for inner in ("", f"{BEST_FOLDER}/")
        for prefix in foreign_prefixes(os.path.join(folder, inner))
    }

    def is_made(name: str) -> bool:
        name = name.removesuffix(TEMPORARY).removesuffix(".tmp")  # ".tmp": of earlier versions
        if _OTHER.fullmatch(name):
            return True
        match = _CHECKPOINT.fullmatch(name)
        if match is None:
            return is_debug and "/" not in name
        return (match["folder"], match["prefix"]) not in foreign

    return remove_made(folder, is_made, CONFIG_FILE)
