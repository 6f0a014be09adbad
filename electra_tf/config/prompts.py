# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the templates and options of prompts may be."""

import re
from collections.abc import Sequence
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
    return f"with {' and '.join(places)} once each, and no other braces"


def problem_of_options(options: Sequence[str]) -> str | None:
    """What is expected of the options of a prompt, if it is not so."""
    if len(options) < 2:
        return "two or more options"
    if not all(option.strip() for option in options):
        return "options that are not empty"
    return None if len(set(options)) == len(options) else "options that differ"
