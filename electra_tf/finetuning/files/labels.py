# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a label may be: rules that turn the cells of tables into labels."""

import dataclasses
import json
import math
import re
from typing import Any

from electra_tf.finetuning.files.data_warnings import BadRows, choices, shown

_LABEL_TYPES = (str, int, float)  # JSON may hold labels as numbers or true and false
_NO_LABELS = ("nan", "inf", "-inf", "infinity", "-infinity", "null")
"""How programs write a label that is missing; labels only if the task lists them."""
_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")


class LabelRule:
    """What the label of a row may be."""

    takes_empty = False
    """Whether an empty cell is a label."""
    warns_of_spellings = False
    """Whether labels are names, which should be written alike everywhere."""

    def label_of(self, cell: Any, place: str, bad_rows: BadRows) -> Any:
        """The label of a cell, or None after reporting what is wrong with it."""
        cell = cell.strip() if isinstance(cell, str) else cell
        if cell is None or (cell == "" and not self.takes_empty):
            bad_rows.report(place, "a label", "null" if cell is None else "none")
            return None
        return self._checked(cell, place, bad_rows)

    def _checked(self, cell: Any, place: str, bad_rows: BadRows) -> Any:
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class ClassRule(LabelRule):
    """One class, a str."""

    labels: tuple[str, ...] | None = None
    """The classes; None while they are collected from the training file."""
    warns_of_spellings = True

    def _checked(self, cell: Any, place: str, bad_rows: BadRows):
        label = _known_label(cell, self.labels)
        if label is None:
            bad_rows.report(place, "a label", _as_written(cell))
        elif self.labels is not None and label not in self.labels:
            bad_rows.report(place, f"one of the labels {choices(self.labels)}", repr(label))
            return None
        return label


@dataclasses.dataclass(frozen=True)
class ClassesRule(LabelRule):
    """Any number of classes, a tuple of str; none for an empty cell or list."""

    labels: tuple[str, ...] | None = None
    """The classes; None while they are collected from the training file."""
    separator: str = ";"
    """Between the classes of a cell in TSV and CSV."""
    takes_empty = True

    def _checked(self, cell: Any, place: str, bad_rows: BadRows):
        parts = cell
        if isinstance(cell, str):
            parts = [part for part in cell.split(self.separator) if part.strip()]
        is_list = isinstance(parts, list)
        labels = [_known_label(part, self.labels) for part in parts] if is_list else [None]
        if None in labels:
            bad_rows.report(place, "a list of labels", _as_written(cell))
            return None
        known = labels if self.labels is None else self.labels
        unknown = [label for label in labels if label not in known]
        if unknown:
            bad_rows.report(place, f"labels out of {choices(self.labels)}", repr(unknown[0]))
            return None
        return tuple(labels)


@dataclasses.dataclass(frozen=True)
class ScoreRule(LabelRule):
    """A score, a float."""

    value_range: tuple[float, float]
    """Lowest and highest score."""

    def _checked(self, cell: Any, place: str, bad_rows: BadRows):
        low, high = self.value_range
        try:
            score = float(cell)
        except (TypeError, ValueError, OverflowError):
            score = math.nan
        if not low <= score <= high:
            bad_rows.report(place, f"a score from {low:g} to {high:g}", _as_written(cell))
            return None
        return score


def whole_number(label: str) -> str:
    """A label that is a whole number without its decimals: "1" of "1.0"."""
    match = _WHOLE_NUMBER.fullmatch(label)
    return match[1] if match else label


def _known_label(cell: Any, labels: tuple[str, ...] | None) -> str | None:
    """The label that a cell is, None for one that can be none.

    labels: those of the task, if they are known. A number is the label that is written so, or
        else the one of the same value: 1.0 is the label 1.
    """
    if not isinstance(cell, _LABEL_TYPES):
        return None
    label = str(cell).strip()
    if labels is not None and label in labels:
        return label
    if not label or label.lower() in _NO_LABELS:
        return None
    if isinstance(cell, bool) and labels is not None and label.lower() in labels:
        return label.lower()  # as JSON writes it
    same = [known for known in labels or () if whole_number(known) == whole_number(label)]
    return same[0] if same else label


def _as_written(cell: Any) -> str:
    """A cell as it is shown in messages; null and NaN as JSON writes them."""
    return json.dumps(cell) if cell is None or isinstance(cell, float) else shown(cell)
