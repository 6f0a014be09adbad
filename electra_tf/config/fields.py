# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fields of dataclasses with the facts about them: default, range, and roles."""

import copy
import dataclasses
import enum
from collections.abc import Callable, Collection
from typing import Any

from electra_tf.config.checks import check, check_types


class Role(enum.Flag):
    """What a hyperparameter is to code that treats several of them alike."""

    NONE = 0
    PATH = enum.auto()
    """A place of this machine; other hosts may have another one."""
    MAY_BE_PATH = enum.auto()
    MODEL = enum.auto()
    """Makes a pre-trained model what it is: a model folder has one value of it for life."""
    SHAPE = enum.auto()
    """Depends on the shape of the encoder."""
    WEIGHTS = enum.auto()
    """Follows from the weights of an encoder, which were trained with it."""
    RUN = enum.auto()
    """Of how a run of fine-tuning is done: no trained weights follow from it."""
    BEST = enum.auto()
    """Decides which checkpoint of fine-tuning is the best one, but none of the weights."""
    HEAD = enum.auto()
    """Decides the head of a fine-tuned model."""
    INPUT = enum.auto()
    """Was chosen for the inputs that a model was fine-tuned on."""
    PREDICTION = enum.auto()
    """Decides predictions, and has no key of Hugging Face's that stands for it."""


@dataclasses.dataclass(frozen=True)
class _Range:
    choices: Collection[str] | None
    bounds: tuple[tuple[Callable[[float], bool], str], ...]
    expected: str | None
    or_null: str

    def check(self, name: str, value: Any) -> None:
        if value is None:
            return
        bounds = self.bounds
        if self.choices is not None:
            bounds = ((self.choices.__contains__, f"one of {tuple(self.choices)}"),)
        for holds, expected in bounds:
            check(holds(value), name, self.expected or self.or_null + expected, value)


def fact(
    default: Any = dataclasses.MISSING,
    role: Role = Role.NONE,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    within: str | None = None,
    choices: Collection[str] | None = None,
    expected: str | None = None,
) -> Any:
    """A field of a dataclass that `check_fields` checks; None is in every range.

    Args:
        default: the field's value where none is given; MISSING: the field is required.
        role: what the value decides, see `Role`.
        at_least: the smallest value.
        above: a bound that is no value itself.
        at_most: the largest value.
        within: an interval from 0 to 1, such as "[0, 1)".
        choices: values there are; what is added to a table of them later is one, too.
        expected: the range as a message says it; default: follows from the others.
    """
    bounds = (
        (at_least, lambda value: value >= at_least, f"at least {at_least}"),
        (above, lambda value: value > above, f"above {above}"),
        (at_most, lambda value: value <= at_most, f"at most {at_most}"),
        (within, lambda value: _is_within(value, within), f"in {within}"),
    )
    given = tuple((holds, text) for bound, holds, text in bounds if bound is not None)
    metadata = {
        "role": role,
        "range": _Range(choices, given, expected, "null or " if default is None else ""),
    }
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: copy.copy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _is_within(value: float, interval: str) -> bool:
    return 0 <= value <= 1 and not (
        (value == 0 and interval[0] == "(") or (value == 1 and interval[-1] == ")")
    )


def names_of(kind: type, role: Role) -> tuple[str, ...]:
    """Names of the fields of a dataclass that have one of some roles."""
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if field.metadata.get("role", Role.NONE) & role
    )


def check_fields(instance: Any) -> None:
    """Raise a ValueError for the first field whose value has a wrong type or is out of range."""
    check_types(instance)
    for field in dataclasses.fields(instance):
        if "range" in field.metadata:
            field.metadata["range"].check(field.name, getattr(instance, field.name))
