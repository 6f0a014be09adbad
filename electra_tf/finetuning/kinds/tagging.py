# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tags for the words of sentences."""

import collections
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig
from electra_tf.config.span_tags import is_span_tag
from electra_tf.config.task_kinds import DescribedTagging
from electra_tf.config.task_table import Columns, Split, TaskSpec
from electra_tf.finetuning.files.conll import read_tagged
from electra_tf.finetuning.files.contents import require_examples
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.examples import TaggingExample, TaggingExamples
from electra_tf.finetuning.kinds.heads import TaggingHead, Tensors
from electra_tf.finetuning.kinds.kind import (
    Compared,
    Kind,
    Predictions,
    collapsed_to,
    label_options,
    mean_loss,
)
from electra_tf.finetuning.kinds.scorers import class_report, entity_scores, token_scores
from electra_tf.finetuning.kinds.spans import check_tags, given_tag, in_letters_of, to_bioes
from electra_tf.finetuning.kinds.tagging_rows import join_windows, tagging_features
from electra_tf.model import Initializers
from electra_tf.text import Tokenizer

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.split_data import SplitData
    from electra_tf.finetuning.task import Task

UNSEEN_TAG = "<unseen>"
"""The label that all tags share that the training file lacks."""


class Tagging(DescribedTagging, Kind):
    """One class for each word; values are a list of vectors of label ids, one for each sentence.

    `probabilities` are those of the predicted tags, in the same form.
    """

    weighs_labels = True
    label_arrays = ("labels", "labels_mask")
    first_segment = 1  # tagging_tasks.py: all tokens of a sentence

    def spec_of_head(self, name: str, labels: tuple[str, ...] | None) -> TaskSpec:
        # Tags mark spans, such as B-PER and I-PER, or classes of single words.
        scheme = "spans" if all(map(is_span_tag, labels)) else "tokens"
        split = Split("test", "test.conll", "conll", Columns(0, None, -1), labelled=False)
        metric = "accuracy" if scheme == "tokens" else self.metrics[0]
        return TaskSpec(name, self.name, (split,), metric, labels=labels, scheme=scheme)

    def read(
        self, path: str, file: Split, spec: TaskSpec, bad_rows: BadRows, labelled: bool
    ) -> list[TaggingExample]:
        columns = file.columns
        given = columns.text_a, columns.label, labelled, columns.header
        examples = read_tagged(path, bad_rows, *given)
        if not labelled:
            return examples
        return require_examples(check_tags(examples, spec, bad_rows), path)

    def collected_labels(self, task: "Task") -> tuple[str, ...]:
        """Tags of all splits, since a rare tag may be missing from the training file.

        Their order is that of the original (tagging_tasks.py:96-130).
        """
        spec, tags = task.spec, {}
        for file in spec.splits:
            split = file.name
            if split == "train" or (file.labelled and task.has(split)):
                rows = [example.tags for example in task.whole_file(split)]
                if spec.scheme == "spans":
                    rows = [to_bioes(row, spec.span_rule) for row in rows]
                tags[split] = {tag for row in rows for tag in row}
        every = set().union(*tags.values())
        if spec.share_unseen_tags and every - tags["train"]:
            return (*sorted(tags["train"]), UNSEEN_TAG)
        return tuple(sorted(every))

    def example_of_line(self, spec: TaskSpec, line: str, number: int, place: str) -> TaggingExample:
        return TaggingExample(number - 1, tuple(line.split()), None, place, number)

    def rows(
        self, spec: TaskSpec, examples: TaggingExamples, tokenizer: Tokenizer, max_seq_length: int
    ) -> tuple[dict[str, np.ndarray], None]:
        return tagging_features(examples, tokenizer, max_seq_length, spec), None

    def head(
        self, spec: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
    ) -> TaggingHead:
        options = {"num_labels": len(spec.labels), **label_options(spec, config)}
        return TaggingHead(spec.name, initializers, hidden_size, **options)

    def compared(self, spec: TaskSpec, outputs: Tensors) -> Compared:
        return outputs["labels"], tf.nn.softmax(outputs["logits"]), outputs["labels_mask"] > 0

    def outputs_needed(self, head: TaggingHead) -> tuple[str, ...]:
        return ("predictions", "probability", "loss")

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        arrays, name = data.arrays, data.task.name
        rows = (arrays[f"{name}_eid"], arrays[f"{name}_first_word"], arrays[f"{name}_labels_mask"])
        tags = join_windows(*rows, outputs["predictions"])
        probabilities = join_windows(*rows, outputs["probability"])
        ids = [example.id for example in data.examples]
        return Predictions(
            [tags[i] for i in ids],
            [probabilities[i] for i in ids],
            loss=mean_loss(data, outputs),
        )

    def record(self, data: "SplitData", predictions: Predictions, row: int) -> dict[str, Any]:
        spec, example = data.task.spec, data.examples[row]
        label = {} if example.tags is None else {"label": list(example.tags)}
        tags = [spec.labels[int(tag)] for tag in predictions.values[row]]
        if spec.given_labels is not None:
            # By their spans, since E I, which are two, would be I I, which are one.
            tags = [given_tag(tag, spec.given_labels) for tag in to_bioes(tags, spec.span_rule)]
        return {
            "id": example.id,
            "words": list(example.words),
            "prediction": tags,
            "probabilities": [float(p) for p in predictions.probabilities[row]],
            **label,
        }

    def gold(self, data: "SplitData") -> list[tuple[str, ...]]:
        """Tags of every sentence as the labels name them."""
        spec = data.task.spec
        rows = [example.tags for example in data.examples]
        if spec.scheme == "spans":
            return [to_bioes(row, spec.span_rule) for row in rows]
        if spec.share_unseen_tags:
            return [tuple(tag if tag in spec.labels else UNSEEN_TAG for tag in row) for row in rows]
        return rows

    def gold_ids(self, data: "SplitData") -> list[list[int]]:
        spec, gold = data.task.spec, self.gold(data)
        if spec.scheme == "spans":
            gold = [in_letters_of(row, spec.labels) for row in gold]
        ids = {label: number for number, label in enumerate(spec.labels)}
        return [[ids[tag] for tag in row] for row in gold]

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        spec, values = data.task.spec, predictions.values
        if spec.scheme == "spans":
            predicted = [[spec.labels[int(tag)] for tag in row] for row in values]
            return entity_scores(predicted, self.gold(data), spec.span_rule)
        never_right = spec.labels.index(UNSEEN_TAG) if UNSEEN_TAG in spec.labels else None
        return token_scores(values, self.gold_ids(data), never_right)

    def trivial(self, train: "SplitData", data: "SplitData") -> list[list[int]]:
        """Each word's most frequent tag in the training data; for other words, that of all."""
        by_word, overall = collections.defaultdict(collections.Counter), collections.Counter()
        for example, tags in zip(train.examples, self.gold_ids(train), strict=True):
            overall.update(tags)
            for word, tag in zip(example.words, tags, strict=True):
                by_word[word][tag] += 1
        # Of several that are as frequent, the one that was seen first.
        most_frequent = {word: tags.most_common(1)[0][0] for word, tags in by_word.items()}
        default = overall.most_common(1)[0][0]
        return [[most_frequent.get(word, default) for word in e.words] for e in data.examples]

    def collapse(self, spec: TaskSpec, values: Sequence[np.ndarray]) -> str | None:
        found = np.unique(np.concatenate(values))
        return collapsed_to(spec, found) if len(found) == 1 else None

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """`tags` of all positions."""
        logits = outputs["logits"]
        tags = tf.gather(tf.constant(spec.labels), tf.argmax(logits, axis=-1))
        return {"logits": logits, "probabilities": tf.nn.softmax(logits), "tags": tags}

    def report(self, data: "SplitData", predictions: Predictions) -> str:
        gold = np.concatenate(self.gold_ids(data))
        return class_report(np.concatenate(predictions.values), gold, data.task.spec.labels)
