# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Keras model that tags the words of sentences."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from electra_tf.config.fields import check
from electra_tf.config.span_tags import is_span_tag, with_all_letters
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import TaggingExample
from electra_tf.finetuning.kinds.spans import given_tag, in_letters_of, spans_of, to_bioes
from electra_tf.finetuning.kinds.tagging import Tagging
from electra_tf.model.part import serializable
from electra_tf.task_models.inputs import Given, text_of
from electra_tf.task_models.labels import name_of_class, weights_of_classes
from electra_tf.task_models.task_model import TaskModel


@serializable
class TokenClassifier(TaskModel):
    """A tag for each word; texts are sequences of words, or words with white space between them.

    Labels are sequences of tags, ids or names, or names with white space between them, as many as
    words. If all classes are tags of spans, such as O, B-PER and I-PER, whatever the scheme (BIO,
    BIOES, BILOU), they are read as spans, and scored as entities. The model learns BIOES; its
    predictions have the letters of the classes that `from_preset` was given.

    `predict` gives a dict for each text: `words`, their `tags` with `probabilities` and, of spans,
    `entities`: dicts of `type`, `text`, the numbers of the `first_word` and the `last_word`, and
    the `probability`, that of the least probable of its tags.
    """

    kind = Tagging()
    column_names = ("words",)

    @classmethod
    def new_task(cls, names: tuple[str, ...] | None) -> TaskSpec | None:
        if names is None or not all(map(is_span_tag, names)):
            return super().new_task(names)
        labels = with_all_letters(names)
        spec = super().new_task(labels)
        return spec if set(names) == set(labels) else dataclasses.replace(spec, given_labels=names)

    def examples(self, given: Given) -> list[TaggingExample]:
        found = []
        for number, row in enumerate(given.columns[0]):
            words = _parts(row, f"x[{number}]", "words")
            words = tuple(text_of(word, f"x[{number}][{n}]") for n, word in enumerate(words))
            tags = None
            if given.labels is not None:
                tags = self._tags(given.labels[number], len(words), f"y[{number}]")
            found.append(TaggingExample(number, words, tags))
        return found

    def _tags(self, row: Any, count: int, place: str) -> tuple[str, ...]:
        spec, tags = self.tasks[0], _parts(row, place, "tags")
        if len(tags) != count:
            raise ValueError(
                f"{place} is expected to have a tag for each of the {count} words, but has "
                f"{len(tags)}."
            )
        is_bioes = spec.scheme == "spans"
        found = []
        for number, tag in enumerate(tags):
            # Other letters than those of the labels say the same: L of BILOU is E.
            is_other = is_bioes and isinstance(tag, str) and is_span_tag(tag)
            known = in_letters_of(to_bioes((tag,)), spec.labels) if is_other else (tag,)
            name = name_of_class(known[0], spec.labels, f"{place}[{number}]")
            found.append(tag if is_other else name)
        return tuple(found)

    def class_weights(self, class_weight: Mapping[Any, float]) -> np.ndarray:
        spec = self.tasks[0]
        if spec.given_labels is None:
            return super().class_weights(class_weight)
        weights = weights_of_classes(class_weight, spec.given_labels)
        of_given = dict(zip(spec.given_labels, weights, strict=True))
        found = [of_given.get(given_tag(label, spec.given_labels), 1) for label in spec.labels]
        return np.array(found, np.float32)

    def weighed_by_class(
        self, arrays: Mapping[str, np.ndarray], weights: np.ndarray
    ) -> dict[str, np.ndarray]:
        labels, mask = (f"{self.tasks[0].name}_{part}" for part in ("labels", "labels_mask"))
        return {mask: arrays[mask] * weights[arrays[labels]]}

    def predicted(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        spec, found = self.tasks[0], []
        for record in records:
            words, tags = record["words"], record["prediction"]
            prediction = {"words": words, "tags": tags, "probabilities": record["probabilities"]}
            if spec.scheme == "spans":
                prediction["entities"] = [
                    {
                        "type": kind,
                        "text": " ".join(words[first : last + 1]),
                        "first_word": first,
                        "last_word": last,
                        "probability": min(record["probabilities"][first : last + 1]),
                    }
                    for first, last, kind in spans_of(tags, spec.span_rule)
                ]
            found.append(prediction)
        return found


def _parts(row: Any, place: str, what: str) -> list | tuple:
    """The words or tags of a row."""
    if isinstance(row, str):
        return text_of(row, place).split()
    expected = f"a sequence of {what}, or {what} with white space between them"
    check(isinstance(row, list | tuple), place, expected, row)
    return row
