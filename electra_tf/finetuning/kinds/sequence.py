# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Kinds whose tasks predict something of a whole text or pair: what they share, and classes."""

import collections
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig, check
from electra_tf.config.task_kinds import (
    DescribedClassification,
    DescribedMultiLabel,
    DescribedTexts,
)
from electra_tf.config.task_table import Columns, Split, TaskSpec
from electra_tf.finetuning.files.data_warnings import (
    BadRows,
    choices,
    warn_of_contradictions,
    warn_of_similar_labels,
)
from electra_tf.finetuning.files.examples import TextExample, TextExamples, arrays_of_parts
from electra_tf.finetuning.files.labels import ClassesRule, ClassRule, LabelRule, whole_number
from electra_tf.finetuning.files.tables import read_texts
from electra_tf.finetuning.kinds.heads import (
    ClassificationHead,
    MultiLabelHead,
    SequenceHead,
    Tensors,
)
from electra_tf.finetuning.kinds.kind import (
    Compared,
    Kind,
    Predictions,
    collapsed_to,
    label_options,
    mean_loss,
)
from electra_tf.finetuning.kinds.scorers import (
    TWO_CLASS_METRICS,
    class_report,
    classification_scores,
    multilabel_report,
    multilabel_scores,
)
from electra_tf.model import Initializers
from electra_tf.text import Tokenizer
from electra_tf.text.packing import text_batch

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.split_data import SplitData
    from electra_tf.finetuning.task import Task


class TextKind(DescribedTexts, Kind):
    """What the kinds of whole texts have in common: tables of texts, a head on the first token."""

    head_class: type[SequenceHead]

    def label_rule(self, spec: TaskSpec) -> LabelRule:
        """What the label of a row may be."""
        raise NotImplementedError

    def spec_of_head(self, name: str, labels: tuple[str, ...] | None) -> TaskSpec:
        split = Split("test", "test.tsv", "tsv", Columns(0), labelled=False)
        metric, value_range = self.metrics[0], self.range_of_outputs
        return TaskSpec(name, self.name, (split,), metric, labels, value_range)

    def read(
        self, path: str, file: Split, spec: TaskSpec, bad_rows: BadRows, labelled: bool
    ) -> list[TextExample]:
        rule = self.label_rule(spec)
        return read_texts(path, file.format, file.columns, rule, bad_rows, labelled)

    def example_of_line(self, spec: TaskSpec, line: str, number: int, place: str) -> TextExample:
        texts = line.split("\t")
        expected = 2 if self.is_pair(spec) else 1
        if len(texts) != expected or not any(text.strip() for text in texts):
            what = "one text" if expected == 1 else "two texts with a tab between them"
            raise ValueError(f"{place}, line {number}: expected {what}, received {line!r}.")
        return TextExample(number - 1, *texts, file=place, line=number)

    def rows(
        self, spec: TaskSpec, examples: TextExamples, tokenizer: Tokenizer, max_seq_length: int
    ) -> tuple[dict[str, np.ndarray], None]:
        """One row for each example.

        Pairs that are too long lose tokens at the end of their longer text, of the second if both
        are of one length (classification_tasks.py:289-306).
        """
        check(max_seq_length >= 5, "max_seq_length", "5 or more for texts", max_seq_length)

        def make(part: slice) -> dict[str, tf.Tensor]:
            first = tf.constant([example.text_a for example in examples[part]], tf.string)
            second = tf.constant([example.text_b or "" for example in examples[part]], tf.string)
            return text_batch(tokenizer, first, second, max_seq_length, max_seq_length)

        sizes = [len(example.text_a) + len(example.text_b or "") for example in examples]
        arrays = arrays_of_parts(make, sizes)
        arrays[f"{spec.name}_eid"] = np.array([example.id for example in examples], np.int32)
        return arrays | self.targets(spec, examples), None

    def targets(self, spec: TaskSpec, examples: TextExamples) -> dict[str, np.ndarray]:
        """The arrays that stand for the labels."""
        raise NotImplementedError

    def head(
        self, spec: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
    ) -> SequenceHead:
        return self.head_class(
            spec.name,
            initializers,
            hidden_size,
            num_outputs=len(spec.labels) if self.has_labels else 1,
            dropout_rate=config.head_dropout,
            has_hidden_layer=config.classifier_hidden_layer,
            **(label_options(spec, config) if self.weighs_labels else {}),
        )

    def record(self, data: "SplitData", predictions: Predictions, row: int) -> dict[str, Any]:
        spec, example = data.task.spec, data.examples[row]
        label = list(example.label) if isinstance(example.label, tuple) else example.label
        return {
            "id": example.id,
            "text_a": example.text_a,
            **({} if example.text_b is None else {"text_b": example.text_b}),
            **self.predicted(spec, predictions, row),
            **({} if label is None else {"label": label}),
        }

    def predicted(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict:
        """`prediction` of a record and, where the kind has any, `probabilities`."""
        raise NotImplementedError


class _ClassKind(TextKind):
    """What kinds with classes of texts have in common."""

    label_arrays = ("label_ids",)
    least_labels = 1

    def collected_labels(self, task: "Task") -> tuple[str, ...]:
        path = task.path("train")
        spellings = collections.defaultdict(set)
        for example in task.whole_file("train"):
            for label in [example.label] if isinstance(example.label, str) else example.label:
                spellings[whole_number(label)].add(label)
        # 1 and 1.0 are one label; it is written as in the file where it is always written so.
        labels = {number if len(same) > 1 else min(same) for number, same in spellings.items()}
        warn_of_similar_labels(sorted(labels), path)
        if len(labels) < self.least_labels:
            raise ValueError(f"{path}: expected at least two labels, received {sorted(labels)}.")
        return tuple(sorted(labels))

    def warn(self, examples: TextExamples, spec: TaskSpec, path: str, split: str) -> None:
        warn_of_contradictions(examples, path)

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        logits = outputs["logits"].astype(np.float64)
        probabilities = self.probabilities(logits)
        return Predictions(
            outputs["predictions"], probabilities, outputs["logits"], mean_loss(data, outputs)
        )

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of the classes, [n, C]."""
        raise NotImplementedError

    def gold(self, data: "SplitData") -> np.ndarray:
        """Label ids [n], or 0 and 1 [n, C]."""
        return data.arrays[f"{data.task.name}_label_ids"]

    def named_probabilities(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict:
        probabilities = map(float, predictions.probabilities[row])
        return dict(zip(spec.labels, probabilities, strict=True))

    def collapse(self, spec: TaskSpec, values: Any) -> str | None:
        if len(np.unique(values, axis=0)) > 1:
            return None
        return collapsed_to(spec, self.chosen(values[0]))

    def chosen(self, value: Any) -> list:
        """Ids of the classes that a prediction names."""
        raise NotImplementedError


class Classification(DescribedClassification, _ClassKind):
    """One class; values are label ids [n]."""

    head_class = ClassificationHead
    weighs_labels = True
    least_labels = 2

    def label_rule(self, spec: TaskSpec) -> ClassRule:
        return ClassRule(spec.labels)

    def check_labels(self, spec: TaskSpec) -> None:
        if spec.metric in TWO_CLASS_METRICS and len(spec.labels) != 2:
            raise ValueError(
                f"The metric {spec.metric} of the task {spec.name} is for two labels, but there "
                f"are {len(spec.labels)}: {choices(spec.labels)}; macro_f1 and accuracy are for "
                "any number."
            )

    def targets(self, spec: TaskSpec, examples: TextExamples) -> dict[str, np.ndarray]:
        ids = {label: number for number, label in enumerate(spec.labels)}
        labels = [0 if e.label is None else ids[e.label] for e in examples]
        return {f"{spec.name}_label_ids": np.array(labels, np.int32)}

    def compared(self, spec: TaskSpec, outputs: Tensors) -> Compared:
        return outputs["label_ids"], tf.nn.softmax(outputs["logits"]), None

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        from scipy.special import softmax

        return softmax(logits, axis=-1)

    def predicted(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict[str, Any]:
        return {
            "prediction": spec.labels[int(predictions.values[row])],
            "probabilities": self.named_probabilities(spec, predictions, row),
        }

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        spec = data.task.spec
        return classification_scores(predictions.values, self.gold(data), len(spec.labels))

    def trivial(self, train: "SplitData", data: "SplitData") -> list[int]:
        """The most frequent class, the first of several."""
        return [int(np.argmax(np.bincount(self.gold(train))))] * len(data.examples)

    def chosen(self, value: int) -> list[int]:
        return [value]

    def report(self, data: "SplitData", predictions: Predictions) -> str:
        return class_report(predictions.values, self.gold(data), data.task.spec.labels)

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """`label`, `probability` [B] of the most probable class; all of them in `labels`."""
        probabilities = tf.nn.softmax(outputs["logits"])
        label_id = tf.cast(outputs["predictions"], tf.int32)
        return {
            "probabilities": probabilities,
            "logits": outputs["logits"],
            "label_id": label_id,
            "probability": tf.reduce_max(probabilities, axis=-1),
            "label": tf.gather(tf.constant(spec.labels), label_id),
            "labels": _all_labels(spec, outputs["logits"]),
        }


class MultiLabel(DescribedMultiLabel, _ClassKind):
    """Any number of classes; values are 0 and 1 [n, C]."""

    head_class = MultiLabelHead

    def label_rule(self, spec: TaskSpec) -> ClassesRule:
        return ClassesRule(spec.labels, spec.separator)

    def targets(self, spec: TaskSpec, examples: TextExamples) -> dict[str, np.ndarray]:
        ids = {label: number for number, label in enumerate(spec.labels)}
        several = np.zeros((len(examples), len(ids)), np.int32)
        for row, example in enumerate(examples):
            several[row, [ids[label] for label in example.label or ()]] = 1
        return {f"{spec.name}_label_ids": several}

    def compared(self, spec: TaskSpec, outputs: Tensors) -> Compared:
        return outputs["label_ids"], tf.sigmoid(outputs["logits"]), None

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        return expit(logits)

    def predicted(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict[str, Any]:
        return {
            "prediction": [spec.labels[i] for i in self.chosen(predictions.values[row])],
            "probabilities": self.named_probabilities(spec, predictions, row),
        }

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        return multilabel_scores(predictions.values, self.gold(data))

    def trivial(self, train: "SplitData", data: "SplitData") -> np.ndarray:
        """The classes that more than half of the texts have."""
        majority = (self.gold(train).mean(axis=0) > 0.5).astype(np.int64)
        return np.tile(majority, (len(data.examples), 1))

    def chosen(self, value: np.ndarray) -> list[int]:
        return list(np.flatnonzero(value))

    def report(self, data: "SplitData", predictions: Predictions) -> str:
        return multilabel_report(predictions.values, self.gold(data), data.task.spec.labels)

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """`is_label` bool [B, C]: which of `labels` a text has."""
        logits = outputs["logits"]
        return {
            "probabilities": tf.sigmoid(logits),
            "logits": logits,
            "is_label": logits > 0,
            "labels": _all_labels(spec, logits),
        }


def _all_labels(spec: TaskSpec, like: tf.Tensor) -> tf.Tensor:
    return tf.broadcast_to(tf.constant(spec.labels)[None], tf.shape(like))
