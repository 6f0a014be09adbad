# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Keras models that predict something of a whole text, or of a pair of texts."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from electra_tf.config.fields import check
from electra_tf.config.prompts import TEXTS, options_in_order, problem_of_prompt
from electra_tf.config.task_table import Columns, Prompt, Split, TaskSpec
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.kinds.regression import Regression
from electra_tf.finetuning.kinds.sequence import Classification, MultiLabel
from electra_tf.model.part import serializable
from electra_tf.task_models import labels
from electra_tf.task_models.inputs import Given
from electra_tf.task_models.labels import names_of_classes
from electra_tf.task_models.task_model import TaskModel


class TextModel(TaskModel):
    """What the models of whole texts have in common; the first labels are of texts or of pairs."""

    is_open = True

    def label_of(self, value: Any, place: str) -> Any:
        """A label as the kind has it.

        Raises:
            ValueError: it is none that the task can have.
        """
        raise NotImplementedError

    @property
    def reads_pairs(self) -> bool | None:
        columns = self.tasks[0].splits[0].columns
        is_pair = columns is not None and columns.text_b is not None
        return is_pair if self.is_settled else None

    def settled(self, given: Given) -> TaskSpec:
        spec = self.tasks[0]
        columns = dataclasses.replace(
            spec.splits[0].columns, text_b=1 if len(given.columns) == 2 else None
        )
        return dataclasses.replace(
            spec, splits=(dataclasses.replace(spec.splits[0], columns=columns),)
        )

    def examples(self, given: Given) -> list[TextExample]:
        expected = 2 if self.reads_pairs else 1
        if self.is_settled and len(given.columns) != expected:
            forms = ("one text", "(text, text_pair)")
            raise ValueError(
                f"each row of x is expected to be {forms[expected - 1]}, as the model was trained, "
                f"but is {forms[2 - expected]}."
            )
        found = [None] * len(given)
        if given.labels:
            found = [self.label_of(value, f"y[{n}]") for n, value in enumerate(given.labels)]
        rows = enumerate(zip(*given.columns, found, strict=True))
        return [TextExample(n, *texts, label=label) for n, (*texts, label) in rows]

    def predicted(self, records: list[dict[str, Any]]) -> np.ndarray:
        return np.array([list(record["probabilities"].values()) for record in records], np.float32)


@serializable
class TextClassifier(TextModel):
    """A class for each text or pair; `predict` gives probabilities float32 [n, C].

    Labels are ids or names of classes. `from_preset` takes prompt, {"template": "{text_a} It was
    {}.", "options": {"label": "text", ...}}, for a model whose head is that of the discriminator,
    see `kinds.prompted`; it predicts without training, too. The labels are those of the options
    then, unless they are given; `{text_b}` in the template is for pairs.
    """

    kind = Classification()

    @classmethod
    def from_preset(
        cls,
        folder: str,
        labels: Sequence[str] | None = None,
        *,
        prompt: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> "TextClassifier":
        if prompt is None:
            return super().from_preset(folder, labels, **options)
        is_pair = isinstance(prompt, Mapping) and TEXTS[1] in str(prompt.get("template"))
        names = names_of_classes(labels, options.pop("num_classes", None), cls.least_classes)
        if problem := problem_of_prompt(prompt, names, TEXTS[: 2 if is_pair else 1]):
            raise ValueError(f"prompt is expected {problem[0]}, but is {problem[1]!r}.")
        names = names or tuple(label.strip() for label in prompt["options"])
        own = Prompt(prompt["template"], options_in_order(prompt, names))
        return super().from_preset(folder, names, prompt=own, **options)

    @classmethod
    def fields_of_task(cls, hparams: dict[str, Any]) -> dict[str, Any]:
        if "prompt" not in hparams:
            return {}
        prompt = hparams.pop("prompt")
        columns = Columns(0, text_b=1 if TEXTS[1] in prompt.template else None)
        split = Split("test", "test.tsv", "tsv", columns, labelled=False)
        return {"kind": cls.kind.prompted, "prompt": prompt, "splits": (split,)}

    def label_of(self, value: Any, place: str) -> str:
        return labels.name_of_class(value, self.tasks[0].labels, place)

    def weighed_by_class(
        self, arrays: Mapping[str, np.ndarray], weights: np.ndarray
    ) -> dict[str, np.ndarray]:
        own = weights[arrays[f"{self.tasks[0].name}_label_ids"]]
        return {"sample_weight": own * arrays.get("sample_weight", np.float32(1))}


@serializable
class MultiLabelClassifier(TextModel):
    """Any number of classes for each text or pair; `predict` gives probabilities float32 [n, C].

    Labels are lists of ids or names, or 0 or 1 for each class.
    """

    kind = MultiLabel()
    least_classes = 1

    def label_of(self, value: Any, place: str) -> tuple[str, ...]:
        return labels.names_of_several(value, self.tasks[0].labels, place)


@serializable
class TextRegressor(TextModel):
    """A score for each text or pair; `predict` gives scores float32 [n].

    `from_preset` takes value_range, (lowest, highest) score, which is (0, 1) by default.
    """

    kind = Regression()

    @classmethod
    def fields_of_task(cls, hparams: dict[str, Any]) -> dict[str, Any]:
        if "value_range" not in hparams:
            return {}
        given = hparams.pop("value_range")
        is_pair = isinstance(given, tuple | list) and len(given) == 2
        is_range = is_pair and all(isinstance(end, int | float) for end in given)
        check(is_range and given[0] < given[1], "value_range", "(lowest, highest) score", given)
        return {"value_range": (float(given[0]), float(given[1]))}

    def label_of(self, value: Any, place: str) -> float:
        return labels.score(value, self.tasks[0].value_range, place)

    def predicted(self, records: list[dict[str, Any]]) -> np.ndarray:
        return np.array([record["prediction"] for record in records], np.float32)
