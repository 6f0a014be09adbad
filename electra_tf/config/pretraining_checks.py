# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The stages of a pre-training run, and what its hyperparameters may be, alone and together."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from electra_tf.config.fields import Role, check, check_fields, check_names, fact

if TYPE_CHECKING:  # that module uses this one
    from electra_tf.config.pretraining import PretrainingConfig


def check_pretraining(config: "PretrainingConfig") -> None:
    """Raise a ValueError for the first value of a `PretrainingConfig` that is out of range."""
    _check_pattern(config)
    _check_decay(config)
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


def _need(config: "PretrainingConfig", name: str, holds: bool, expected: str):
    check(holds, name, expected, getattr(config, name))


def _check_decay(config: "PretrainingConfig"):
    """What belongs to a trapezoid, and what a run that continues its constant part cannot have."""
    is_trapezoid = config.lr_schedule == "trapezoid"
    expected = "left out, or lr_schedule 'trapezoid'"
    _need(config, "lr_decay_share", is_trapezoid or config.lr_decay_share == 0.2, expected)
    if config.decay_from is None:
        return
    expected = "'trapezoid' with decay_from"
    _need(config, "lr_schedule", is_trapezoid, expected)
    for name in ("init_checkpoint", "mask_prob_end", "temperature_end"):
        # What changes over num_train_steps has another value in the run that is continued.
        _need(config, name, getattr(config, name) is None, "null with decay_from")


def _check_lengths(config: "PretrainingConfig"):
    buckets, plan = config.length_buckets, config.plan  # making a plan checks it
    is_list = all(type(b) is int and b >= 5 for b in buckets) and buckets == sorted(set(buckets))
    _need(config, "length_buckets", is_list, "a list of ascending whole numbers from 5")
    steps = plan[-1].last_step
    expected = f"left out or {steps}, the steps of all stages"
    _need(config, "num_train_steps", config.num_train_steps == steps, expected)
    first, most = plan[0].max_seq_length, max(stage.max_seq_length for stage in plan)
    is_used = max(buckets, default=0) <= most
    _need(config, "length_buckets", is_used, f"at most max_seq_length={most}")
    expected = (
        "false unless a later one of the stages is longer than the first, or init_checkpoint "
    )
    expected += "is given"
    begins = config.init_checkpoint is not None or config.decay_from is not None
    extends = not config.extend_positions or most > first or begins
    _need(config, "extend_positions", extends, expected)
    longest = config.encoder.max_position_embeddings
    lengths = {"max_seq_length": config.max_seq_length}
    if config.stages:
        lengths |= {f"stages[{s.number - 1}]: max_seq_length": s.max_seq_length for s in plan}
    for name, length in lengths.items():
        expected = f"between 5 and max_position_embeddings={longest}"
        check(5 <= length <= longest, name, expected, length)
        masked = config.num_masked_of(length)
        if config.max_predictions_per_seq is None:
            _need(config, "mask_prob", masked >= 1, f"enough to mask a token of {length}")
        expected = f"between 1 and max_seq_length={length}"
        check(1 <= masked <= length, "max_predictions_per_seq", expected, masked)


def _check_objective(config: "PretrainingConfig"):
    """The combinations the original accepts and then fails on, or trains nothing with."""
    is_electric = config.electric_objective
    if config.uniform_generator:
        expected = "false for masked LM (there would be nothing to train)"
        _need(config, "uniform_generator", config.has_discriminator, expected)
        expected = "false for electric_objective, which needs a two-tower generator"
        _need(config, "uniform_generator", not is_electric, expected)
    is_electra = config.electra_objective and not is_electric
    is_default = config.discriminator_objective == "replaced_tokens"
    expected = "'replaced_tokens' unless electra_objective is true and electric_objective false"
    _need(config, "discriminator_objective", is_electra or is_default, expected)
    only_masked = config.discriminator_objective == "replaced_tokens_masked_only"
    expected = (
        "false for discriminator_objective='replaced_tokens_masked_only' (every token that its "
        "loss covers would be replaced, and there would be nothing to tell apart)"
    )
    _need(config, "disallow_correct", not (only_masked and config.disallow_correct), expected)
    is_generator_trained = config.has_generator and not config.freeze_generator
    weights = {"gen_weight": is_generator_trained, "disc_weight": config.has_discriminator}
    used = [name for name, is_used in weights.items() if is_used]
    trains = any(getattr(config, name) for name in used)
    check(trains, " or ".join(used), "above 0 (there would be nothing to train)", 0)
    for stage in config.plan:
        is_tied = config.has_discriminator and config.has_generator and not config.untied_generator
        check(
            not stage.masked_lm_only or (is_tied and config.gen_weight > 0),
            f"stages[{stage.number - 1}]: objective",
            "null unless one encoder has both heads (untied_generator false, a discriminator) and "
            "gen_weight is above 0",
            stage.objective,
        )
    fits = config.masking == "without_replacement" or not config.whole_word_masking
    _need(config, "masking", fits, "'without_replacement' for whole_word_masking")
    expected = "null for electric_objective, whose energies depend on a constant rate"
    _need(config, "mask_prob_end", config.mask_prob_end is None or not is_electric, expected)


def _check_generator(config: "PretrainingConfig"):
    """What needs a separate generator, or one of a kind."""
    is_separate = config.has_separate_generator
    shares = is_separate and not config.untied_generator_embeddings
    needs = {
        "two_tower_generator": (
            is_separate,
            "false unless there is a separate generator "
            "(untied_generator true, uniform_generator false, a discriminator)",
        ),
        "disentangled_embeddings": (
            shares,
            "false unless there is a separate generator that shares its embeddings",
        ),
        "untied_generator_embeddings": (
            is_separate,
            "false unless there is a separate generator",
        ),
    }
    is_masked_lm = is_separate and not config.two_tower_generator
    needs |= {
        "generator_embedding_size": (
            is_separate and config.untied_generator_embeddings,
            "null unless untied_generator_embeddings is true",
        ),
        "generator_checkpoint": (
            is_masked_lm,
            "null unless there is a separate generator that is not of two towers",
        ),
        "freeze_generator": (
            is_masked_lm and config.untied_generator_embeddings,
            "false unless there is a separate generator, not of two towers, with embeddings of its "
            "own (untied_generator_embeddings true)",
        ),
    }
    for name, (holds, expected) in needs.items():
        _need(config, name, holds or not getattr(config, name), expected)
    holds = config.two_tower_generator or not config.electric_objective
    _need(config, "two_tower_generator", holds, "true for electric_objective")


MOST_STEPS, MOST_ROWS = 10**10, 2**20
"""Updates of a run, sequences of a batch: more is a mistake."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """Consecutive updates with one shape of batches."""

    number: int
    """From 1."""
    first_step: int
    """Updates done before it."""
    steps: int = fact(at_least=1, at_most=MOST_STEPS)
    """Updates in it."""
    max_seq_length: int
    """L, tokens."""
    train_batch_size: int = fact(at_least=1, at_most=MOST_ROWS)
    """B, sequences of an update, over all devices."""
    gradient_accumulation_steps: int = fact(at_least=1, at_most=MOST_ROWS)
    """Parts that a batch is computed in."""
    pretrain_tfrecords: str = fact(role=Role.PATH)
    """Comma-separated globs of record files."""
    objective: str | None = fact(None, choices=("masked_lm",))
    """Masked LM alone, of a model that has a discriminator too; null: that of the run."""

    @property
    def masked_lm_only(self) -> bool:
        return self.objective == "masked_lm"

    @property
    def last_step(self) -> int:
        """Updates done at its end."""
        return self.first_step + self.steps


SETTABLE = tuple(
    field.name for field in dataclasses.fields(Stage) if field.name not in ("number", "first_step")
)


def plan_stages(given: Sequence[Any], defaults: Mapping[str, Any]) -> tuple[Stage, ...]:
    """The stages of a run.

    Args:
        given: the hyperparameter `stages`: objects with `steps` and what differs from `defaults`.
        defaults: the run's own value of everything in `SETTABLE`; `steps` is used only where
            `given` is empty, for a run of one stage.

    Raises:
        ValueError: a stage is no object, lacks `steps`, or has an unknown name or a wrong value.
    """
    stages, done = [], 0
    for number, values in enumerate(given or [{"steps": defaults["steps"]}], start=1):
        name = f"stages[{number - 1}]"
        check(isinstance(values, Mapping), name, "an object with the key 'steps'", values)
        check_names(values, SETTABLE, f"key of {name}")
        check("steps" in values, name, "an object with the key 'steps'", dict(values))
        stage = Stage(number=number, first_step=done, **{**defaults, **values})
        try:
            check_fields(stage)
            check(stage.pretrain_tfrecords != "", "pretrain_tfrecords", "not empty", "")
            check(
                stage.train_batch_size % stage.gradient_accumulation_steps == 0,
                "gradient_accumulation_steps",
                f"a divisor of train_batch_size={stage.train_batch_size}",
                stage.gradient_accumulation_steps,
            )
        except ValueError as error:
            raise ValueError(f"{name}: {error}" if given else str(error)) from error
        stages.append(stage)
        done += stage.steps
    return tuple(stages)


def total_steps(given: Sequence[Any]) -> int:
    """Sum of the steps of all stages, 0 for none; `plan_stages` says what is wrong with them."""
    return sum(
        stage["steps"]
        for stage in (given if isinstance(given, list | tuple) else ())
        if isinstance(stage, Mapping) and isinstance(stage.get("steps"), int)
    )
