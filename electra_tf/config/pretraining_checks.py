# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the hyperparameters of pre-training may be, alone and together."""

import re
from typing import TYPE_CHECKING

from electra_tf.config.checks import check

if TYPE_CHECKING:  # that module uses this one
    from electra_tf.config.pretraining import PretrainingConfig


def check_pretraining(config: "PretrainingConfig") -> None:
    """Raise a ValueError for the first value of a `PretrainingConfig` that is out of range."""
    _check_pattern(config)
    _check_lengths(config)
    if config.has_generator:
        config.generator_encoder  # noqa: B018  (its own checks)
    _check_objective(config)
    _check_generator(config)


def _check_pattern(config: "PretrainingConfig"):
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


def _check_generator(config: "PretrainingConfig"):
    """What needs a separate generator, or one of a kind."""
    if config.two_tower_generator:
        check(
            config.has_separate_generator,
            "two_tower_generator",
            "false unless there is a separate generator "
            "(untied_generator true, uniform_generator false, a discriminator)",
            True,
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
