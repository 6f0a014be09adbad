# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the templates and options of prompts may be."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

GAP = "{}"
"""What an option takes the place of."""
TEXTS = ("{text_a}", "{text_b}")
"""Where the texts of an example stand in a template."""
RULES = ("mean", "sum", "mean_corrected", "sum_corrected")
"""Arrays of scores by which options can be ordered, see `serving.options`."""


def parts_of_template(template: str) -> list[str]:
    """A template cut at its places in braces, which stand at odd positions.

    "{text_a} It was {}." gives ["", "{text_a}", " It was ", "{}", "."].
    """
    return re.split(r"(\{[^{}]*\})", template)


def problem_of_template(template: Any, texts: Sequence[str]) -> str | None:
    """What is expected of a template for such `TEXTS`, if it is not so."""
    places = [GAP, *texts]
    if isinstance(template, str) and sorted(parts_of_template(template)[1::2]) == sorted(places):
        return None
    return f"to have a template with {' and '.join(places)} once each, and no other braces"


def problem_of_prompt(
    given: Any, labels: Sequence[str] | None, texts: Sequence[str]
) -> tuple[str, Any] | None:
    """What is expected of {"template": ..., "options": {label: text}}, and what is instead of it.

    Args:
        given: what a user gives.
        labels: those that the options are for; None for any.
        texts: see `problem_of_template`.
    """
    if not isinstance(given, Mapping) or set(given) != {"template", "options"}:
        return 'to have the keys "template" and "options"', given
    if problem := problem_of_template(given["template"], texts):
        return problem, given["template"]
    options = given["options"]
    if not isinstance(options, Mapping) or not all(isinstance(v, str) for v in options.values()):
        return 'to have options {"label": "text", ...}', options
    if labels is not None and set(labels) != {label.strip() for label in options}:
        names = ", ".join(labels)
        return f"to have an option for each of the labels {names}, and no other", options
    values = list(options.values())
    if len(values) < 2:
        return "to have two or more options", options
    if not all(value.strip() for value in values):
        return "to have options that are not empty", options
    if len(set(values)) < len(values):
        return "to have options that differ", options
    return None


def options_in_order(given: Mapping[str, Any], labels: Sequence[str]) -> tuple[str, ...]:
    """The options of a prompt without a problem, one for each of the labels."""
    options = {label.strip(): option for label, option in given["options"].items()}
    return tuple(options[label] for label in labels)
