# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The stages of a pre-training run: how lengths, batch sizes and records change as it goes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from electra_tf.config.checks import check, check_names
from electra_tf.config.fields import Role, check_fields, fact

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
