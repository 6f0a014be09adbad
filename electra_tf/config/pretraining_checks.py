# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the hyperparameters of pre-training may be, alone and together."""

import re
from typing import TYPE_CHECKING

from electra_tf.config.checks import TOKENIZERS, check, check_at_most, check_model_name, check_names
from electra_tf.config.encoder import MODEL_SIZES, OVERRIDABLE
from electra_tf.config.precision import check_precision
from electra_tf.config.stages import MOST_ROWS, MOST_STEPS

if TYPE_CHECKING:  # that module uses this one
    from electra_tf.config.pretraining import PretrainingConfig

OPTIMIZERS = ("adam", "lamb")
MASKING_RULES = ("without_replacement", "reference")
LARGEST = {
    "num_train_steps": MOST_STEPS,
    "num_eval_steps": 2**63 - 1,  # "all of them" may be said with any number
    "iterations_per_loop": 10**6,
    "log_every_steps": 2**63 - 1,
    "save_checkpoints_steps": 2**63 - 1,
    "train_batch_size": MOST_ROWS,
    "eval_batch_size": MOST_ROWS,
    "num_tpu_cores": 2**16,
}
"""What is at least 1, and at most this."""


def check_pretraining(config: "PretrainingConfig") -> None:
    """Raise a ValueError for the first value of a `PretrainingConfig` that is out of range."""
    _check_values(config)
    _check_files(config)
    _check_lengths(config)
    if config.has_generator:
        config.generator_encoder  # noqa: B018  (its own checks)
    _check_objective(config)


def _check_values(config: "PretrainingConfig"):
    check_names(config.model_hparam_overrides, OVERRIDABLE, "model_hparam_overrides key")
    config.devices  # noqa: B018  (its own checks)
    check(
        config.model_size in MODEL_SIZES,
        "model_size",
        f"one of {tuple(MODEL_SIZES)}",
        config.model_size,
    )
    check(config.tokenizer in TOKENIZERS, "tokenizer", 'null or "bert"', config.tokenizer)
    check(config.masking in MASKING_RULES, "masking", f"one of {MASKING_RULES}", config.masking)
    check(0 < config.mask_prob < 1, "mask_prob", "in (0, 1)", config.mask_prob)
    check(
        config.mask_prob_end is None or 0 < config.mask_prob_end < 1,
        "mask_prob_end",
        "null or in (0, 1)",
        config.mask_prob_end,
    )
    check(config.optimizer in OPTIMIZERS, "optimizer", f"one of {OPTIMIZERS}", config.optimizer)
    check(0 <= config.ema_decay < 1, "ema_decay", "in [0, 1)", config.ema_decay)
    check_precision(config.precision)
    check_at_most(config, LARGEST)
    for name in (
        "num_warmup_steps",
        "eval_every_steps",
        "weight_decay_rate",
        "gen_weight",
        "disc_weight",
        "seed",
        "learning_rate",
        "lr_decay_power",
    ):
        check(getattr(config, name) >= 0, name, "at least 0", getattr(config, name))
    for name in ("temperature", "generator_layers", "generator_hidden_size"):
        check(getattr(config, name) > 0, name, "above 0", getattr(config, name))
    check(
        (config.keep_checkpoint_max or 0) >= 0,
        "keep_checkpoint_max",
        "at least 0 or null",
        config.keep_checkpoint_max,
    )


def _check_files(config: "PretrainingConfig"):
    check_model_name(config.model_name)
    try:
        re.compile(config.init_checkpoint_ignore or "")
    except re.error as error:
        raise ValueError(
            "init_checkpoint_ignore is expected to be a regular expression, but is "
            f"{config.init_checkpoint_ignore!r}: {error}."
        ) from error


def _check_lengths(config: "PretrainingConfig"):
    longest = config.encoder.max_position_embeddings
    buckets = config.length_buckets
    check(
        all(type(b) is int and b >= 5 for b in buckets) and buckets == sorted(set(buckets)),
        "length_buckets",
        "a list of ascending whole numbers from 5",
        buckets,
    )
    plan = config.plan  # checks itself
    lengths = [("max_seq_length", config.max_seq_length)]
    if config.stages:
        lengths += [(f"stages[{s.number - 1}]: max_seq_length", s.max_seq_length) for s in plan]
    check(
        config.num_train_steps == plan[-1].last_step,
        "num_train_steps",
        f"left out or {plan[-1].last_step}, the steps of all stages",
        config.num_train_steps,
    )
    stage_lengths = [stage.max_seq_length for stage in plan]
    check(
        max(buckets, default=0) <= max(stage_lengths),
        "length_buckets",
        f"at most max_seq_length={max(stage_lengths)}",
        buckets,
    )
    check(
        not config.extend_positions or max(stage_lengths) > stage_lengths[0],
        "extend_positions",
        "false unless a later one of the stages is longer than the first",
        config.extend_positions,
    )
    for name, length in lengths:
        check(
            5 <= length <= longest,
            name,
            f"between 5 and max_position_embeddings={longest}",
            length,
        )
        masked = config.num_masked_of(length)
        if config.max_predictions_per_seq is None:
            check(masked >= 1, "mask_prob", f"enough to mask a token of {length}", config.mask_prob)
        expected = f"between 1 and max_seq_length={length}"
        check(1 <= masked <= length, "max_predictions_per_seq", expected, masked)


def _check_objective(config: "PretrainingConfig"):
    """The combinations the original accepts and then fails on, or trains nothing with."""
    if config.uniform_generator:
        check(
            config.has_discriminator,
            "uniform_generator",
            "false for masked LM (there would be nothing to train)",
            True,
        )
        check(
            not config.electric_objective,
            "uniform_generator",
            "false for electric_objective, which needs a two-tower generator",
            True,
        )
    weights = {"gen_weight": config.has_generator, "disc_weight": config.has_discriminator}
    used = [name for name, is_used in weights.items() if is_used]
    check(
        any(getattr(config, name) for name in used),
        " or ".join(used),
        "above 0 (there would be nothing to train)",
        0,
    )
    if config.two_tower_generator:
        check(
            config.has_separate_generator,
            "two_tower_generator",
            "false unless there is a separate generator "
            "(untied_generator true, uniform_generator false, a discriminator)",
            True,
        )
    check(
        config.masking == "without_replacement" or not config.whole_word_masking,
        "masking",
        "'without_replacement' for whole_word_masking",
        config.masking,
    )
    check(
        config.mask_prob_end is None or not config.electric_objective,
        "mask_prob_end",
        "null for electric_objective, whose energies depend on a constant rate",
        config.mask_prob_end,
    )
    check(
        not config.disentangled_embeddings
        or (config.has_separate_generator and not config.untied_generator_embeddings),
        "disentangled_embeddings",
        "false unless there is a separate generator that shares its embeddings",
        True,
    )
    if config.electric_objective:
        check(
            config.two_tower_generator, "two_tower_generator", "true for electric_objective", False
        )
    if config.untied_generator_embeddings:
        check(
            config.has_separate_generator,
            "untied_generator_embeddings",
            "false unless there is a separate generator",
            True,
        )
