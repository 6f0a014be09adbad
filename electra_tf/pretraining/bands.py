# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reference bands: where recorded runs of a configuration were, step by step.

They are in bands.json, which `benchmarks/record_bands.py` writes from the logs of runs. Of a
configuration that is not in it no run was recorded.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from electra_tf.config import PretrainingConfig
from electra_tf.config.fields import Role, names_of
from electra_tf.config.stored import from_stored
from electra_tf.files import read_json

FILE = pathlib.Path(__file__).parent / "bands.json"
WORSE_ABOVE = {
    "masked_lm_loss": True,
    "disc_loss": True,
    "disc_auc": False,
    "replaced_share": True,
    "gradient_norm": True,
}
"""Logged value -> whether values above the band are the worse ones; else those below."""
SAME_TEXT = 0.1
"""Nats by which entropies of records may differ for losses to be comparable."""

_ANY = {
    *names_of(PretrainingConfig, Role.RUN | Role.PATH | Role.MAY_BE_PATH),
    *("eval_every_steps", "eval_batch_size", "num_eval_steps", "do_eval", "log_every_steps"),
    *("iterations_per_loop", "save_checkpoints_steps", "keep_checkpoint_max"),
    *("precision", "jit_compile", "recompute_activations", "gradient_accumulation_steps"),
} - {"debug"}
"""Hyperparameters that change a curve no more than another seed does."""


@dataclasses.dataclass(frozen=True)
class Band:
    """Lowest and highest values of several runs of one configuration."""

    card: str
    """Name of the run card."""
    hparams: Mapping[str, Any]
    """What the card said when they were recorded."""
    seeds: tuple[int, ...]
    """Of the runs."""
    recorded: str
    """How, on what."""
    unigram_entropy: float
    """Nats, of the records."""
    steps: tuple[float, ...]
    """The middle of each interval of the log."""
    low: Mapping[str, tuple[float, ...]]
    """By logged value, one number per step; those of `WORSE_ABOVE`."""
    high: Mapping[str, tuple[float, ...]]

    def at(self, name: str, step: float) -> tuple[float, float] | None:
        """Lowest and highest value at a step; None where nothing was recorded."""
        if name not in self.low or not self.steps[0] <= step <= self.steps[-1]:
            return None
        low, high = (np.interp(step, self.steps, side[name]) for side in (self.low, self.high))
        return float(low), float(high)

    def is_of_text(self, unigram_entropy: float) -> bool:
        """Whether losses on records of this entropy, in nats, can be compared."""
        return abs(unigram_entropy - self.unigram_entropy) <= SAME_TEXT


@functools.cache
def recorded_bands() -> tuple[Band, ...]:
    """All bands of the package."""
    stored = read_json(str(FILE), list)
    return tuple(from_stored(Band, band, f"{FILE}, number {i}") for i, band in enumerate(stored))


def find_band(config: PretrainingConfig) -> Band | None:
    """The band of runs with the hyperparameters of a configuration, if some were recorded."""
    given = deciding(config)
    return next((b for b in recorded_bands() if given == deciding_of_card(b.hparams)), None)


def deciding_of_card(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """`deciding` of a run with the hyperparameters of a card."""
    return deciding(PretrainingConfig.from_hparams("model", ".", dict(hparams)))


def deciding(config: PretrainingConfig) -> dict[str, Any]:
    """The hyperparameters that make curves differ."""
    return {name: v for name, v in config.without_paths().items() if name not in _ANY}
