# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The recorded runs of the original in tests/goldens/pretrain, as this project's objects."""

import json
import pathlib

import numpy as np
import tensorflow as tf

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.pretraining.run import make_optimizer

FOLDER = pathlib.Path(__file__).parents[1] / "goldens" / "pretrain"
CASES = sorted(folder.name for folder in FOLDER.iterdir())
KEYS = {
    "input_ids": "input_ids",
    "input_mask": "input_mask",
    "segment_ids": "segment_ids",
    "masked_lm_positions": "masked_positions",
    "masked_lm_ids": "masked_ids",
    "masked_lm_weights": "masked_weights",
    "masked_input_ids": "masked_input_ids",
}


def config_of(case: str, **changes) -> PretrainingConfig:
    meta = json.loads((FOLDER / case / "meta.json").read_text())
    hparams = {
        **meta["hparams"],
        "vocab_size": meta["vocab_size"],
        "vocab_file": str(FOLDER / case / "vocab.txt"),
        "model_hparam_overrides": meta["model_hparam_overrides"],
        "train_batch_size": meta["batch"],
        **changes,
    }
    return PretrainingConfig.from_hparams(case, "unused", hparams)


def checkpoint_of(case: str) -> str:
    return str(FOLDER / case / "ckpt")


def numbers_of(case: str) -> dict[str, np.ndarray]:
    return dict(np.load(FOLDER / case / "io.npz"))


def batch_of(numbers, index: int) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Batch `index` of a case under our keys, and its fakes."""
    batch = {ours: tf.constant(numbers[f"batch{index}/{key}"]) for key, ours in KEYS.items()}
    return batch, tf.constant(numbers[f"batch{index}/sampled_ids"])


def compiled_pretrainer(config: PretrainingConfig) -> ElectraPretrainer:
    pretrainer = ElectraPretrainer(config)
    pretrainer.compile(optimizer=make_optimizer(config))
    return pretrainer
