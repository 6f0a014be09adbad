# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Names and shapes that ought to agree: all that differs, sorted."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Mismatch(NamedTuple):
    """A name that differs, and the line of a message that says how."""

    name: str
    line: str


def mismatches(
    found: Mapping[str, Sequence[int]], expected: Mapping[str, Sequence[int]], place: str
) -> list[Mismatch]:
    """What differs between the shapes found by name and those expected.

    Args:
        found: name -> shape.
        expected: name -> shape.
        place: where they were found, such as "the checkpoint".

    Returns:
        First the names that are missing, then the unexpected ones, then those of another shape.
    """
    both = sorted(set(expected) & set(found))
    return [
        *(Mismatch(n, f"missing in {place}: {n}") for n in sorted(set(expected) - set(found))),
        *(Mismatch(n, f"unexpected in {place}: {n}") for n in sorted(set(found) - set(expected))),
        *(
            Mismatch(
                n, f"of another shape: {n}: {list(found[n])} in {place}, {list(expected[n])} here"
            )
            for n in both
            if list(found[n]) != list(expected[n])
        ),
    ]


def require_match(
    found: Mapping[str, Sequence[int]],
    expected: Mapping[str, Sequence[int]],
    place: str,
    subject: str,
):
    """Raise a ValueError that lists all that differs, if anything does.

    Args:
        subject: begins the message, such as "/models/x does not fit the model".
    """
    found_differences = mismatches(found, expected, place)
    if found_differences:
        lines = "\n".join(f"  {difference.line}" for difference in found_differences)
        raise ValueError(f"{subject}:\n{lines}")
