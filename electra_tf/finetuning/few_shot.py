# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A discriminator learns from a few filled texts which options are original, in memory.

The head, the loss and the optimizer are those of a task with a prompt, see `kinds.prompted`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.config import EncoderConfig, FinetuningConfig, check, check_names
from electra_tf.config.encoder import hparams_of_shape
from electra_tf.config.prompts import GAP, TEXTS
from electra_tf.config.task_table import Prompt, Split, TaskSpec
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.split_data import Arrays, TrainingBatches
from electra_tf.finetuning.starting_weights import StartingPoint, assign_weights
from electra_tf.finetuning.trial import make_optimizer
from electra_tf.text import Tokenizer
from electra_tf.text.prompts import OUTER_ENDS, check_different, prompt_rows, row_ids, split_at_gap

DEFAULTS = {"num_train_epochs": 20.0, "train_batch_size": 16}
"""Hyperparameters that few examples change; others are those of any fine-tuning."""
SETTABLE = (
    *("learning_rate", "layerwise_lr_decay", "num_train_epochs", "train_batch_size", "seed"),
    *("warmup_proportion", "weight_decay_rate", "adam_bias_correction"),
)
_NAME = "few_shot"
# What stands here names the head; the texts bring their own templates and options.
_TASK = TaskSpec(
    _NAME,
    "prompted_classification",
    (Split("train", "", "tsv"),),
    "accuracy",
    labels=("0", "1"),
    prompt=Prompt(f"{TEXTS[0]}{GAP}", ("0", "1")),
)


@dataclasses.dataclass(frozen=True)
class Shots:
    """Texts with a gap and one option each: the rows to learn from.

    templates, options: R strings. is_right: R truth values, whether the option belongs there.
    """

    templates: Sequence[str]
    options: Sequence[str]
    is_right: Sequence[bool]


def tuned_logits(
    start: StartingPoint,
    tokenizer: Tokenizer,
    shots: Shots,
    max_seq_length: int,
    hparams: Mapping[str, Any],
) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
    """Train a copy of a discriminator.

    Args:
        start: with the head of a discriminator.
        tokenizer: of its texts.
        shots: what it learns from.
        max_seq_length: tokens of a row, at most.
        hparams: some of `SETTABLE`.

    Returns:
        A function of `input_ids, input_mask, segment_ids` [R, L] that gives logits [R, L]: whether
        each token was replaced.

    Raises:
        ValueError: a hyperparameter is unknown or out of range, two options have the same tokens,
            or there is no such head.
    """
    check_names(hparams, SETTABLE, "hyperparameter of few_shot")
    config = _config(start.encoder, max_seq_length, hparams)
    arrays = _arrays(tokenizer, shots, max_seq_length)
    batches = TrainingBatches([arrays], config.train_batch_size, config.seed)
    num_steps = batches.num_steps(config.num_train_epochs)
    check(config.learning_rate > 0, "learning_rate of few_shot", "above 0", config.learning_rate)
    model = FinetuningModel(config, [_TASK])
    assign_weights(model, start)
    # The rate of a schedule's last step is 0; here even a single step is to count.
    model.compile(optimizer=make_optimizer(config, num_steps + 1))
    dataset = batches.dataset(lambda: (0, num_steps))
    model.fit(dataset, steps_per_epoch=num_steps, shuffle=False, verbose=0)
    head = model.task_heads.heads[0]
    return lambda batch: head.replaced_logits(model.encoder(batch).last_hidden_state)


def _config(
    encoder: EncoderConfig, max_seq_length: int, hparams: Mapping[str, Any]
) -> FinetuningConfig:
    settings = {
        **hparams_of_shape(encoder),
        "max_seq_length": max_seq_length,
        "task_names": [_NAME],
        **DEFAULTS,
        **hparams,
    }
    return FinetuningConfig.from_hparams(_NAME, "", settings)


def _arrays(tokenizer: Tokenizer, shots: Shots, max_seq_length: int) -> Arrays:
    before, behind = split_at_gap(tf.constant(shots.templates))
    pieces = (before, tf.constant(shots.options), behind)
    rows = prompt_rows(tokenizer, pieces, 1, OUTER_ENDS, max_seq_length)
    is_usable = rows.fits & (rows.num_tokens > 0) & (rows.num_unknown == 0)
    for option, usable in zip(shots.options, is_usable.numpy(), strict=True):
        expected = f"one of known tokens, which fits into {max_seq_length}"
        check(usable, "an option of few_shot", expected, option)
    check_different(shots.templates, shots.options, row_ids(rows).numpy().tolist())
    columns = {
        "option_mask": rows.option_mask.numpy(),
        "option_ids": np.zeros(len(shots.options), np.int32),
        "label_ids": np.where(shots.is_right, 0, 1).astype(np.int32),
    }
    found = {name: values.numpy() for name, values in rows.batch.items()}
    found |= {f"{_NAME}_{name}": values for name, values in columns.items()}
    return found | {"task_id": np.zeros(len(shots.options), np.int32)}
