# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Kinds whose tasks predict something of a whole text or pair: a class, several, or a score."""

import collections
import dataclasses
import sys
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from electra_tf.finetuning import baselines
from electra_tf.finetuning.confusion import class_report, multilabel_report
from electra_tf.finetuning.data_warnings import warn_of_contradictions, warn_of_similar_labels
from electra_tf.finetuning.examples import TextExample
from electra_tf.finetuning.features import text_features
from electra_tf.finetuning.heads import (
    ClassificationHead,
    MultiLabelHead,
    RegressionHead,
    SequenceHead,
)
from electra_tf.finetuning.kinds.kind import (
    Kind,
    Predictions,
    collapsed_to,
    label_options,
    mean_loss,
)
from electra_tf.finetuning.labels import ClassesRule, ClassRule, LabelRule, ScoreRule, whole_number
from electra_tf.finetuning.readers import TABLE_FORMATS, Columns, read_texts
from electra_tf.finetuning.scorers import (
    TWO_CLASS_METRICS,
    classification_scores,
    multilabel_scores,
    regression_scores,
)
from electra_tf.finetuning.task_table import Split, TaskSpec


class TextKind(Kind):
    """What the kinds of whole texts have in common: tables of texts, a head on the first token."""

    formats = TABLE_FORMATS
    head_class: type[SequenceHead]

    def label_rule(self, spec: TaskSpec) -> LabelRule:
        """What the label of a row may be."""
        raise NotImplementedError

    def described(self, description):
        return {"metric": description.one_of("metric", self.metrics, self.metrics[0])}

    def columns(self, description):
        given = description.typed("columns", dict, {})
        description.need("text_a" in given, "columns", "to have 'text_a'", repr(given))
        description.check_columns(given, ("text_a", "text_b", "label"))
        if "label" not in given:
            fields = description.fields
            labelled = set(fields["files"]) - set(fields.get("unlabelled", ()))
            expected = "to have 'label' for labelled splits"
            description.need(not labelled, "columns", expected, repr(given))
        header = description.header(default=True)
        return dataclasses.replace(Columns(given["text_a"]), **given, header=header)

    def spec_of_head(self, name, labels):
        split = Split("test", "test.tsv", "tsv", Columns(0), labelled=False)
        return TaskSpec(
            name,
            self.name,
            (split,),
            self.metrics[0],
            labels=labels,
            value_range=self.range_of_outputs,
        )

    def read(self, path, file, spec, bad_rows, labelled):
        rule = self.label_rule(spec)
        return read_texts(path, file.format, file.columns, rule, bad_rows, labelled)

    def example_of_line(self, spec, line, number, place):
        texts = line.split("\t")
        columns = spec.splits[0].columns
        expected = 1 if columns.text_b is None else 2
        if len(texts) != expected or not any(text.strip() for text in texts):
            what = "one text" if expected == 1 else "two texts with a tab between them"
            raise ValueError(f"{place}, line {number}: expected {what}, received {line!r}.")
        return TextExample(number - 1, *texts, file=place, line=number)

    def rows(self, spec, examples, tokenizer, max_seq_length, task_id=0, **settings):
        arrays = text_features(examples, tokenizer, max_seq_length, spec, task_id)
        return arrays | self.targets(spec, examples), None

    def targets(self, spec: TaskSpec, examples: Sequence[TextExample]) -> dict[str, np.ndarray]:
        """The arrays that stand for the labels."""
        raise NotImplementedError

    def head(self, spec, config, initializers, hidden_size):
        return self.head_class(
            spec.name,
            initializers,
            hidden_size,
            len(spec.labels) if self.has_labels else 1,
            config.head_dropout,
            config.classifier_hidden_layer,
            **(label_options(spec, config) if self.weighs_labels else {}),
        )

    def record(self, spec, example, predictions, row, config):
        pair = {} if example.text_b is None else {"text_b": example.text_b}
        return {
            "id": example.id,
            "text_a": example.text_a,
            **pair,
            **self.predicted(spec, predictions, row),
            **self.label_of_record(example.label),
        }

    def label_of_record(self, label) -> dict:
        """The gold label of a record, where there is one."""
        return {} if label is None else {"label": label}

    def predicted(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict:
        """`prediction` of a record and, where the kind has any, `probabilities`."""
        raise NotImplementedError


class _ClassKind(TextKind):
    """What kinds with classes of texts have in common."""

    label_arrays = ("label_ids",)
    least_labels = 1

    def described(self, description):
        return {**super().described(description), "labels": description.labels()}

    def collected_labels(self, task):
        path = task.path("train")
        spellings = collections.defaultdict(set)
        for example in task.whole_file("train"):
            for label in self.classes_of(example.label):
                spellings[whole_number(label)].add(label)
        # 1 and 1.0 are one label; it is written as in the file where it is always written so.
        labels = {number if len(same) > 1 else min(same) for number, same in spellings.items()}
        warn_of_similar_labels(sorted(labels), path)
        if len(labels) < self.least_labels:
            raise ValueError(f"{path}: expected at least two labels, received {sorted(labels)}.")
        return tuple(sorted(labels))

    def classes_of(self, label) -> list:
        """The classes that the label of an example names."""
        raise NotImplementedError

    def warn(self, examples, spec, path, split):
        warn_of_contradictions(examples, path)

    def predictions(self, data, outputs, config):
        logits = outputs["logits"].astype(np.float64)
        probabilities = self.probabilities(logits)
        return Predictions(
            outputs["predictions"], probabilities, outputs["logits"], mean_loss(data, outputs)
        )

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of the classes, [n, C]."""
        raise NotImplementedError

    def gold(self, data) -> np.ndarray:
        """Label ids [n], or 0 and 1 [n, C]."""
        return data.arrays[f"{data.task.name}_label_ids"]

    def named_probabilities(self, spec, predictions, row) -> dict:
        probabilities = map(float, predictions.probabilities[row])
        return dict(zip(spec.labels, probabilities, strict=True))

    def collapse(self, spec, values):
        if len(np.unique(values, axis=0)) > 1:
            return None
        return collapsed_to(spec, self.chosen(values[0]))

    def chosen(self, value) -> list:
        """Ids of the classes that a prediction names."""
        raise NotImplementedError


class Classification(_ClassKind):
    """One class; values are label ids [n]."""

    name = "classification"
    head_class = ClassificationHead
    keys = ("columns", "labels", "double_unordered", "header")
    metrics = ("accuracy", "f1", "macro_f1", "precision", "recall", "mcc")
    weighs_labels = True
    least_labels = 2

    def described(self, description):
        return {**super().described(description), "double_unordered": doubled(description)}

    def label_rule(self, spec):
        return ClassRule(spec.labels)

    def classes_of(self, label):
        return [label]

    def check_labels(self, spec):
        if spec.metric in TWO_CLASS_METRICS and len(spec.labels) != 2:
            raise ValueError(
                f"The metric {spec.metric} of the task {spec.name} is for two labels, but there "
                f"are {len(spec.labels)}: {', '.join(spec.labels)}; macro_f1 and accuracy are for "
                "any number."
            )

    def targets(self, spec, examples):
        ids = {label: number for number, label in enumerate(spec.labels)}
        labels = [0 if e.label is None else ids[e.label] for e in examples]
        return {f"{spec.name}_label_ids": np.array(labels, np.int32)}

    def probabilities(self, logits):
        return softmax(logits, axis=-1)

    def predicted(self, spec, predictions, row):
        return {
            "prediction": spec.labels[int(predictions.values[row])],
            "probabilities": self.named_probabilities(spec, predictions, row),
        }

    def scores(self, data, predictions, config):
        spec = data.task.spec
        return classification_scores(predictions.values, self.gold(data), len(spec.labels))

    def trivial(self, train, data):
        majority = baselines.majority_class(self.gold(train), len(data.task.spec.labels))
        return [majority] * len(data.examples)

    def chosen(self, value):
        return [value]

    def report(self, data, predictions):
        return class_report(predictions.values, self.gold(data), data.task.spec.labels)

    def served(self, spec, outputs, config):
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


class MultiLabel(_ClassKind):
    """Any number of classes; values are 0 and 1 [n, C]."""

    name = "multilabel"
    head_class = MultiLabelHead
    keys = ("columns", "labels", "separator", "header")
    metrics = ("micro_f1", "macro_f1", "exact")

    def described(self, description):
        separator = description.typed("separator", str, ";")
        return {**super().described(description), "separator": separator}

    def label_rule(self, spec):
        return ClassesRule(spec.labels, spec.separator)

    def classes_of(self, label):
        return label

    def targets(self, spec, examples):
        ids = {label: number for number, label in enumerate(spec.labels)}
        several = np.zeros((len(examples), len(ids)), np.int32)
        for row, example in enumerate(examples):
            several[row, [ids[label] for label in example.label or ()]] = 1
        return {f"{spec.name}_label_ids": several}

    def probabilities(self, logits):
        return expit(logits)

    def predicted(self, spec, predictions, row):
        return {
            "prediction": [spec.labels[i] for i in self.chosen(predictions.values[row])],
            "probabilities": self.named_probabilities(spec, predictions, row),
        }

    def label_of_record(self, label):
        return {} if label is None else {"label": list(label)}

    def scores(self, data, predictions, config):
        return multilabel_scores(predictions.values, self.gold(data))

    def trivial(self, train, data):
        return np.tile(baselines.majority_labels(self.gold(train)), (len(data.examples), 1))

    def chosen(self, value):
        return list(np.flatnonzero(value))

    def report(self, data, predictions):
        return multilabel_report(predictions.values, self.gold(data), data.task.spec.labels)

    def served(self, spec, outputs, config):
        """`is_label` bool [B, C]: which of `labels` a text has."""
        logits = outputs["logits"]
        return {
            "probabilities": tf.sigmoid(logits),
            "logits": logits,
            "is_label": logits > 0,
            "labels": _all_labels(spec, logits),
        }


class Regression(TextKind):
    """A score; values are scores [n] in the task's range, which the head scales to 0..1."""

    name = "regression"
    head_class = RegressionHead
    keys = ("columns", "value_range", "double_unordered", "header")
    metrics = ("spearman", "pearson", "mse")
    has_labels = False
    label_arrays = ("targets",)
    range_of_outputs = (0.0, 1.0)

    def described(self, description):
        value = description.fields.get("value_range")
        is_range = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        valid = is_range and value[0] < value[1]
        description.need(valid, "value_range", "to be [lowest, highest] score", repr(value))
        return {
            **super().described(description),
            "value_range": (float(value[0]), float(value[1])),
            "double_unordered": doubled(description),
        }

    def problem(self, spec):
        if spec.value_range is None or not spec.value_range[0] < spec.value_range[1]:
            return "value_range", "[lowest, highest] score", spec.value_range
        return None

    def label_rule(self, spec):
        return ScoreRule(spec.value_range)

    def targets(self, spec, examples):
        low, high = spec.value_range
        scores = np.array([low if e.label is None else e.label for e in examples], np.float64)
        return {f"{spec.name}_targets": ((scores - low) / (high - low)).astype(np.float32)}

    def predictions(self, data, outputs, config):
        scaled = outputs["predictions"]
        low, high = data.task.spec.value_range
        values = low + (high - low) * scaled.astype(np.float64)
        return Predictions(values, logits=scaled, loss=mean_loss(data, outputs))

    def predicted(self, spec, predictions, row):
        return {"prediction": float(predictions.values[row])}

    def scores(self, data, predictions, config):
        return regression_scores(predictions.values, [e.label for e in data.examples])

    def trivial(self, train, data):
        return [baselines.mean_target([e.label for e in train.examples])] * len(data.examples)

    def collapse(self, spec, values):
        low, high = spec.value_range
        is_constant = np.ptp(values) < 1e-6 * (high - low)
        return "the same score is predicted for every example" if is_constant else None

    def cells(self, spec, values):
        return [f"{value:.3f}" for value in np.clip(values, *spec.value_range)]

    def served(self, spec, outputs, config):
        """`score` [B], in the range of the task."""
        low, high = spec.value_range
        return {"score": low + (high - low) * outputs["predictions"]}


def doubled(description) -> bool:
    """Whether training pairs are repeated with their texts exchanged."""
    wanted = description.typed("double_unordered", bool, False)
    is_pair = "text_b" in description.fields.get("columns", {})
    description.need(is_pair or not wanted, "double_unordered", "of pairs only", "no 'text_b'")
    return wanted


def _all_labels(spec, like) -> tf.Tensor:
    return tf.broadcast_to(tf.constant(spec.labels)[None], tf.shape(like))


def _is_number(value) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max
