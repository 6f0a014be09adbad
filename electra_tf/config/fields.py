# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fields of dataclasses with the facts about them, and the checks of their values.

Every message says what was expected: default, range and roles of a field stand at it.
"""

import copy
import dataclasses
import difflib
import enum
import math
import sys
import types
import typing
from collections.abc import Callable, Collection
from typing import Any

from electra_tf.files import shortened

SMALLEST_FLOAT, LARGEST_FLOAT = 1e-37, 1e37
"""Sizes that float32, which models compute in, holds with all its digits."""
_SHORTEST_PART = 4
"""Letters of a name that is looked for as a part of longer ones: shorter ones are in many."""


class Role(enum.Flag):
    """What a hyperparameter is to code that treats several of them alike."""

    NONE = 0
    PATH = enum.auto()
    """A place of this machine; other hosts may have another one."""
    MAY_BE_PATH = enum.auto()
    MODEL = enum.auto()
    """Makes a pre-trained model what it is: a model folder always keeps its value of it."""
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
    names = [field.name for field in dataclasses.fields(instance)]
    check_values(type(instance), {name: getattr(instance, name) for name in names})


def check_values(kind: type, values: typing.Mapping[str, Any]) -> None:
    """As `check_fields`, of values by the names of some fields of a dataclass."""
    hints = typing.get_type_hints(kind)
    for name, value in values.items():
        _check_type(name, value, hints[name])
    for field in dataclasses.fields(kind):
        if field.name in values and "range" in field.metadata:
            field.metadata["range"].check(field.name, values[field.name])


def check(condition: bool, name: str, expected: str, received: Any) -> None:
    """Raise the ValueError every wrong value gets, unless `condition` holds."""
    if not condition:
        raise ValueError(f"{name} is expected to be {expected}, but is {shown(received)}.")


def shown(value: Any) -> str:
    """A value as a message shows it: the beginning, where it is long."""
    return shortened(repr(value), 200)


def is_number(value: Any) -> bool:
    """Whether this is a finite number; true and false are none."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and abs(value) <= sys.float_info.max


def is_whole(value: Any) -> bool:
    """Whether this is an integer; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Whether this is a text that a path can have: `is_unicode`, and without NUL."""
    return is_unicode(value) and "\0" not in value


def is_unicode(value: Any) -> bool:
    """Whether this is a text that has a UTF-8 form.

    JSON can hold halves of surrogate pairs, which have none.
    """
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def check_names(
    given: typing.Iterable[str],
    known: typing.Sequence[str],
    what: str,
    listed: str | None = None,
) -> None:
    """Raise a ValueError for unknown names, with the similar known one of each.

    Args:
        given: the names.
        known: those there are.
        what: what they name, for the message.
        listed: a sentence that says where the known names are; default: the names.
    """
    unknown = sorted({str(name) for name in given} - set(known))
    if unknown:
        problems = [f"unknown {what} {name!r}{did_you_mean(name, known)}" for name in unknown]
        end = "" if problems[-1].endswith("?") else "."
        listed = listed or f"Known: {', '.join(sorted(known))}."
        raise ValueError(f"{'; '.join(problems)}{end} {listed}")


def did_you_mean(name: str, known: typing.Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the similar known one, or nothing.

    >>> did_you_mean("vocab_sise", ["vocab_size", "seed"])
    ": did you mean 'vocab_size'?"
    >>> did_you_mean("epochs", ["num_train_epochs", "seed"])
    ": did you mean 'num_train_epochs'?"
    >>> did_you_mean("lr", ["model_dir", "seed"])
    ''
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    if not near and len(name) >= _SHORTEST_PART:
        near = difflib.get_close_matches(name, [k for k in known if name in k], n=1, cutoff=0)
    return f": did you mean {near[0]!r}?" if near else ""


def _check_type(name: str, value: Any, hint: Any) -> None:
    """Raise a ValueError for a value of another type than is declared.

    An integer is taken where a float is declared; a bool is never taken for a number, nor are
    JSON's NaN and Infinity. Numbers have to fit what computes with them: integers of 64 bits,
    floats of 32 bits, and texts a path.
    """
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed:
        allowed += (int,)
    is_bool = isinstance(value, bool) and bool not in allowed
    if is_bool or not isinstance(value, allowed):
        names = " or ".join("null" if t is type(None) else t.__name__ for t in allowed)
        raise ValueError(
            f"{name} is expected to be of type {names}, "
            f"but is {shown(value)} of type {type(value).__name__}."
        )
    if isinstance(value, float):
        check(math.isfinite(value), name, "a finite number", value)
    if float in allowed and value is not None:
        fits = value == 0 or SMALLEST_FLOAT <= abs(value) <= LARGEST_FLOAT
        expected = f"0 or between {SMALLEST_FLOAT} and {LARGEST_FLOAT} in size"
        check(fits, name, expected, value)
    elif isinstance(value, int):
        check(abs(value) < 2**63, name, "below 2**63 in size", value)
    elif isinstance(value, str):
        check(is_text(value), name, "a text without NUL and lone surrogates", value)
