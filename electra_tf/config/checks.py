# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Strict reading and checking of hyperparameters; every message says what was expected."""

import dataclasses
import difflib
import math
import re
import types
import typing
from typing import Any

from electra_tf.files import exists, parse_json, read_json, shortened

SMALLEST_FLOAT, LARGEST_FLOAT = 1e-37, 1e37
"""Sizes that float32, which models compute in, holds with all its digits."""


def check(condition: bool, name: str, expected: str, received: Any) -> None:
    """Raise the ValueError every wrong value gets, unless `condition` holds."""
    if not condition:
        raise ValueError(f"{name} is expected to be {expected}, but is {shown(received)}.")


def shown(value: Any) -> str:
    """A value as a message shows it: the beginning, where it is long."""
    return shortened(repr(value), 200)


def is_text(value: Any) -> bool:
    """Whether this is a text that a path can have: without NUL and lone surrogates."""
    if not isinstance(value, str):
        return False
    return "\0" not in value and value == value.encode(errors="ignore").decode()


def check_given(hparams: typing.Mapping[str, Any]) -> None:
    """Raise a ValueError for a text that is given but empty, which no default can mean."""
    for name, value in hparams.items():
        check(value != "", name, "a text that is not empty, or left out", value)


def check_model_name(name: str) -> None:
    """Raise a ValueError unless the name of a model is that of a folder, and no path."""
    check(
        name.strip(" .") != ""
        and not name.startswith("~")
        and not re.search(r"[/\\\x00-\x1f]", name),
        "model_name",
        "the name of a folder inside <data_dir>/models, not a path",
        name,
    )


def check_names(given: typing.Iterable[str], known: typing.Sequence[str], what: str) -> None:
    """Raise a ValueError that names the nearest known name for each unknown one."""
    problems = []
    for name in sorted({str(name) for name in given} - set(known)):
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
        problems.append(f"unknown {what} {name!r}: did you mean {nearest[0]!r}?")
    if problems:
        raise ValueError("; ".join(problems) + f" Known: {', '.join(sorted(known))}.")


def check_types(instance: Any) -> None:
    """Raise a ValueError for the first field whose value is not of its declared type.

    An integer is taken where a float is declared; a bool is never taken for a number, nor are
    JSON's NaN and Infinity. Numbers have to fit what computes with them: integers of 64 bits,
    floats of 32 bits, and texts a path.
    """
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value, hint = getattr(instance, field.name), hints[field.name]
        allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        if float in allowed:
            allowed += (int,)
        is_bool = isinstance(value, bool) and bool not in allowed
        if is_bool or not isinstance(value, allowed):
            names = " or ".join("null" if t is type(None) else t.__name__ for t in allowed)
            raise ValueError(
                f"{field.name} is expected to be of type {names}, "
                f"but is {shown(value)} of type {type(value).__name__}."
            )
        if isinstance(value, float):
            check(math.isfinite(value), field.name, "a finite number", value)
        if float in allowed and value is not None:
            fits = value == 0 or SMALLEST_FLOAT <= abs(value) <= LARGEST_FLOAT
            expected = f"0 or between {SMALLEST_FLOAT} and {LARGEST_FLOAT} in size"
            check(fits, field.name, expected, value)
        elif isinstance(value, int):
            check(abs(value) < 2**63, field.name, "below 2**63 in size", value)
        elif isinstance(value, str):
            check(is_text(value), field.name, "a text without NUL and lone surrogates", value)


def load_hparams(text_or_path: str) -> dict[str, Any]:
    """Hyperparameters from a JSON object or from the path of a file that holds one.

    Raises:
        ValueError: the text is neither, or not a JSON object.
        FileNotFoundError: it names a file, but there is none.
    """
    text = text_or_path.strip()
    # Folders may have names with braces.
    is_file = text.endswith(".json") or not text.startswith("{")
    if not is_file and ('"' in text or not text.strip("{} \n\t")):
        return parse_json(text, "--hparams")
    if text and exists(text_or_path):
        return read_json(text_or_path)
    problem = FileNotFoundError if "." in text or "/" in text else ValueError
    raise problem(
        "--hparams is expected to be a JSON object or the path of a file with one, but "
        f"{text_or_path!r} is no JSON object, and there is no file of that name."
    )
