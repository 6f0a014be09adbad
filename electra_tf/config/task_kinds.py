# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a task's JSON file can say, for each kind of task: keys, formats, metrics, values.

The kinds of `finetuning.kinds` are derived from these classes and add what needs TensorFlow, so
that a command finds errors in a file before TensorFlow starts.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from electra_tf.config.fields import is_number
from electra_tf.config.prompts import TEXTS, options_in_order, problem_of_prompt
from electra_tf.config.span_tags import SPAN_TAGS, is_span_tag, with_all_letters
from electra_tf.config.task_table import QUESTION_HPARAMS, Columns, Prompt

if TYPE_CHECKING:  # that module uses this one
    from electra_tf.config.task_json import Description

TABLE_FORMATS = ("tsv", "csv", "jsonl")
ANSWER_UNITS = ("words", "characters")
"""What two answers can be compared by: words as in the official scripts, which separate them by
spaces, or characters, for languages that write words without spaces between them."""
POOLINGS = ("mean", "first_token")
"""What the vector of a text is made of: all its tokens, or `[CLS]`."""
TEMPERATURE = 0.05
"""By which cosines are divided, the default: that of Gao et al. (2021)."""
RECALLS = (1, 5, 10)
_OFFICIAL_METRICS = {
    "squad_v1": ("f1", "exact_match"),
    "mrqa": ("f1", "exact_match"),
    "squad_v2": ("best_f1", "best_exact", "f1", "exact"),
}
"""Format -> metrics of its official script; the first is the default."""


class DescribedKind:
    """What a kind of task takes from a JSON file."""

    name = ""
    """As "kind" in JSON files and in the folders of models."""
    formats: tuple[str, ...] = ()
    """Of files, as "format" in a task's JSON file."""
    keys: tuple[str, ...] = ()
    """Of a task's JSON file, besides those that all kinds have."""
    metrics: tuple[str, ...] = ()
    """Those that can be a task's primary metric; the first is the default."""
    hparams: Mapping[str, Any] = MappingProxyType({})
    """What the only task of a run changes, if a JSON file describes it."""
    prompted: str | None = None
    """Name of the kind of a task whose file has a "prompt"; None if it can have none."""

    def columns(self, description: "Description") -> Columns | None:
        """Where the parts of an example stand in the files, as a JSON file says."""
        return None

    def columns_of_split(self, description: "Description", split: str) -> Columns | None:
        """The same for one of the splits, where they differ."""
        return self.columns(description)

    def described(self, description: "Description") -> dict[str, Any]:
        """The fields of a `TaskSpec` that the kind's keys of a JSON file give, `metric` included.

        Raises:
            ValueError: a value is not one of those that the key may have.
        """
        raise NotImplementedError


class DescribedTexts(DescribedKind):
    """Tables of whole texts or pairs."""

    formats = TABLE_FORMATS

    def described(self, description: "Description") -> dict[str, Any]:
        return {"metric": description.one_of("metric", self.metrics, self.metrics[0])}

    def columns(self, description: "Description") -> Columns:
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


class DescribedClassification(DescribedTexts):
    """One class for each text."""

    name = "classification"
    keys = ("columns", "labels", "double_unordered", "header", "prompt")
    prompted = "prompted_classification"
    metrics = ("accuracy", "f1", "macro_f1", "precision", "recall", "mcc")

    def described(self, description: "Description") -> dict[str, Any]:
        return {
            **super().described(description),
            "labels": description.labels(),
            "double_unordered": _doubled(description),
        }


class DescribedPrompt(DescribedClassification):
    """One class for each text, by the options of a prompt."""

    name = "prompted_classification"

    def described(self, description: "Description") -> dict[str, Any]:
        found = super().described(description)
        given = description.typed("prompt", dict, {})
        texts = TEXTS[: 2 if "text_b" in description.fields["columns"] else 1]
        if problem := problem_of_prompt(given, found["labels"], texts):
            description.need(False, "prompt", problem[0], repr(problem[1]))
        labels = found["labels"] or tuple(label.strip() for label in given["options"])
        prompt = Prompt(given["template"], options_in_order(given, labels))
        return {**found, "labels": labels, "prompt": prompt}


class DescribedMultiLabel(DescribedTexts):
    """Any number of classes for each text."""

    name = "multilabel"
    keys = ("columns", "labels", "separator", "header")
    metrics = ("micro_f1", "macro_f1", "exact")

    def described(self, description: "Description") -> dict[str, Any]:
        return {
            **super().described(description),
            "labels": description.labels(),
            "separator": description.typed("separator", str, ";"),
        }


class DescribedRegression(DescribedTexts):
    """A score for each text."""

    name = "regression"
    keys = ("columns", "value_range", "double_unordered", "header")
    metrics = ("spearman", "pearson", "mse")

    def described(self, description: "Description") -> dict[str, Any]:
        value = description.fields.get("value_range")
        is_range = isinstance(value, list) and len(value) == 2 and all(map(is_number, value))
        valid = is_range and value[0] < value[1]
        description.need(valid, "value_range", "to be [lowest, highest] score", repr(value))
        return {
            **super().described(description),
            "value_range": (float(value[0]), float(value[1])),
            "double_unordered": _doubled(description),
        }


class DescribedTagging(DescribedKind):
    """A tag for each word."""

    name = "tagging"
    formats = ("conll",)
    keys = ("columns", "labels", "scheme", "header")
    metrics = ("f1", "precision", "recall", "accuracy")

    def columns(self, description: "Description") -> Columns:
        given = {"word": 0, "tag": -1} | description.typed("columns", dict, {})
        description.check_columns(given, ("word", "tag"))
        # None: files of tags have no header by custom; what seems to be one is refused.
        return Columns(given["word"], None, given["tag"], description.header(default=None))

    def described(self, description: "Description") -> dict[str, Any]:
        scheme = description.one_of("scheme", ("spans", "tokens"), "spans")
        metrics = ("accuracy",) if scheme == "tokens" else self.metrics
        labels = description.labels()
        if labels is not None and scheme == "spans":
            bad = [label for label in labels if not is_span_tag(label)]
            description.need(not bad, "labels", f"to be {SPAN_TAGS}", repr(bad))
            labels = with_all_letters(labels)
        metric = description.one_of("metric", metrics, metrics[0])
        return {"metric": metric, "labels": labels, "scheme": scheme}


class DescribedQuestions(DescribedKind):
    """Answers to questions."""

    name = "qa"
    formats = ("squad_v1", "squad_v2", "mrqa")
    keys = ("answer_units",)
    metrics = ("f1", "exact_match", "exact", "best_exact", "best_f1")
    hparams = QUESTION_HPARAMS

    def described(self, description: "Description") -> dict[str, Any]:
        metrics = _OFFICIAL_METRICS[description.format]
        return {
            "metric": description.one_of("metric", metrics, metrics[0]),
            "official": description.format,
            "answer_units": description.one_of("answer_units", ANSWER_UNITS, "words"),
        }


class DescribedEmbedding(DescribedKind):
    """A vector for each text, learned from pairs of texts or from single ones.

    All pairs of the training file belong together. Those of other splits have a score each, or are
    to be found among each other.
    """

    name = "embedding"
    formats = TABLE_FORMATS
    keys = ("columns", "columns_of_splits", "header", "pooling", "temperature")
    metrics = ("spearman", "mrr", *(f"recall_at_{k}" for k in RECALLS))

    def columns_of_split(self, description: "Description", split: str) -> Columns:
        files, columns = description.fields["files"], description.typed("columns", dict, {})
        others = description.typed("columns_of_splits", dict, {})
        for name, given in others.items():
            expected = f"to be the columns of some of {', '.join(files)}"
            is_split = name in files and isinstance(given, dict)
            description.need(is_split, "columns_of_splits", expected, f"{name!r}: {given!r}")
        key, given = "columns", columns
        if split in others:
            key, given = "columns_of_splits", others[split]
        description.need("text_a" in given, key, f"of {split} to have 'text_a'", repr(given))
        description.check_columns(given, ("text_a", "text_b", "negative", "label"), key)
        header = description.header(default=True, given=given)
        return dataclasses.replace(Columns(given["text_a"]), **given, header=header)

    def described(self, description: "Description") -> dict[str, Any]:
        temperature = description.fields.get("temperature", TEMPERATURE)
        is_usable = is_number(temperature) and temperature > 0
        description.need(is_usable, "temperature", "to be a number above 0", repr(temperature))
        pooling = description.one_of("pooling", POOLINGS, POOLINGS[0])
        fields = description.fields
        columns = {name: self.columns_of_split(description, name) for name in fields["files"]}
        for name in set(fields.get("unlabelled", ())):
            del columns[name]
        train = columns.pop("train", None)
        if "held_out" in fields and train is not None:
            columns["the held-out split"] = train
        is_scored = any(given.label is not None for given in columns.values())
        default = self.metrics[0 if is_scored else 1]
        metric = description.one_of("metric", self.metrics, default)
        if train is not None:
            expected = "of train to have no label, since all its pairs belong together"
            description.need(train.label is None, "columns", expected, _parts(train))
            expected = "of train to have 'text_b' beside 'negative'"
            is_pair = train.text_b is not None or train.negative is None
            description.need(is_pair, "columns", expected, _parts(train))
        for name, given in columns.items():
            needed = "'label'" if metric == "spearman" else "no label"
            fits = (given.label is not None) == (metric == "spearman") and given.text_b is not None
            expected = f"of {name} to have 'text_b' and {needed} for the metric {metric}, "
            expected += "or the split to be unlabelled"
            description.need(fits, "columns", expected, _parts(given))
        return {
            "metric": metric,
            "options": {"pooling": pooling, "temperature": float(temperature)},
        }


def _parts(columns: Columns) -> str:
    """The parts of an example that have a column."""
    names = ("text_a", "text_b", "negative", "label")
    return ", ".join(name for name in names if getattr(columns, name) is not None)


def _doubled(description: "Description") -> bool:
    """Whether training pairs are repeated with their texts exchanged."""
    wanted = description.typed("double_unordered", bool, False)
    is_pair = "text_b" in description.fields.get("columns", {})
    description.need(is_pair or not wanted, "double_unordered", "of pairs only", "no 'text_b'")
    return wanted


BUILT_IN = (
    (DescribedClassification(), "sequence.Classification"),
    (DescribedRegression(), "regression.Regression"),
    (DescribedMultiLabel(), "sequence.MultiLabel"),
    (DescribedTagging(), "tagging.Tagging"),
    (DescribedQuestions(), "questions.Questions"),
    (DescribedEmbedding(), "embedding.Embedding"),
    (DescribedPrompt(), "prompted.PromptedClassification"),
)
"""The kinds of this package: what a file can say, and the class of the kind in `finetuning.kinds`,
in the order in which messages list them."""
KINDS: dict[str, DescribedKind] = {kind.name: kind for kind, _ in BUILT_IN}
"""Name -> kind. Each gives way to the whole kind when `finetuning.kinds` is imported, which adds
those that are registered."""
