# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Own data by configuration alone: a task described in a JSON file."""

import dataclasses
import json
import os
import sys

from electra_tf.finetuning.files import is_text, json_value
from electra_tf.finetuning.qa_metrics import ANSWER_UNITS
from electra_tf.finetuning.readers import TABLE_FORMATS, Columns
from electra_tf.finetuning.spans import SPAN_TAGS, is_span_tag, with_all_letters
from electra_tf.finetuning.task_table import KINDS, HeldOut, Split, TaskSpec

METRICS = {
    "classification": ("accuracy", "f1", "macro_f1", "precision", "recall", "mcc"),
    "regression": ("spearman", "pearson", "mse"),
    "multilabel": ("micro_f1", "macro_f1", "exact"),
    "tagging": ("f1", "precision", "recall", "accuracy"),
    "qa": ("f1", "exact_match", "exact", "best_exact", "best_f1"),
}
"""Kind -> metrics that can be the headline; the first is the default."""

OFFICIAL_METRICS = {
    "squad_v1": ("f1", "exact_match"),
    "mrqa": ("f1", "exact_match"),
    "squad_v2": ("best_f1", "best_exact", "f1", "exact"),
}
FORMATS_OF_KIND = {
    "classification": TABLE_FORMATS,
    "regression": TABLE_FORMATS,
    "multilabel": TABLE_FORMATS,
    "tagging": ("conll",),
    "qa": ("squad_v1", "squad_v2", "mrqa"),
}
FROM_TRAINING_FILE = "from the training file"

_REQUIRED = ("kind", "format", "files")
_OPTIONAL = {
    "classification": ("columns", "labels", "double_unordered", "header"),
    "regression": ("columns", "value_range", "double_unordered", "header"),
    "multilabel": ("columns", "labels", "separator", "header"),
    "tagging": ("columns", "labels", "scheme", "header"),
    "qa": ("answer_units",),
}
_ALWAYS_OPTIONAL = ("name", "metric", "unlabelled", "held_out", "about")


def task_from_json(path):
    """Returns the `TaskSpec` that a JSON file describes; docs: configs/finetuning/README.md.

    The name of the file is the name of the task, unless "name" gives another.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a JSON object, a key is missing or unknown, or a value is not one of
            those that the key may have; names the file and the key.
    """
    path = str(path)
    fields = json_value(path)
    if not is_text(json.dumps(fields, ensure_ascii=False)):
        raise ValueError(f"{path}: expected texts, received half of a surrogate pair.")
    return _Description(path, fields).spec()


class _Description:
    """The checked keys of one file."""

    def __init__(self, path, fields):
        self._path, self._fields = path, fields
        for key in _REQUIRED:
            self._need(key in fields, key, "to be given", "nothing")
        self._kind = self._one_of("kind", KINDS)
        known = (*_REQUIRED, *_ALWAYS_OPTIONAL, *_OPTIONAL[self._kind])
        for key in fields:
            if key not in known:
                raise ValueError(
                    f"{path}: a task of kind {self._kind} has no key {key!r}; the keys are "
                    f"{', '.join(known)}."
                )
        self._format = self._one_of("format", FORMATS_OF_KIND[self._kind])

    def spec(self):
        official = self._format if self._kind == "qa" else None
        scheme = None
        if self._kind == "tagging":
            scheme = self._one_of("scheme", ("spans", "tokens"), "spans")
        return TaskSpec(
            name=self._name(),
            kind=self._kind,
            splits=self._splits(),
            metric=self._metric(official, scheme),
            labels=self._labels(scheme),
            value_range=self._value_range(),
            double_unordered=self._double_unordered(),
            official=official,
            answer_units=self._one_of("answer_units", ANSWER_UNITS, "words"),
            scheme=scheme,
            held_out=self._held_out(),
            separator=self._typed("separator", str, ";"),
        )

    def _need(self, holds, key, expected, received):
        if not holds:
            received = received if len(received) <= 200 else f"{received[:200]}..."
            raise ValueError(f"{self._path}: expected {key!r} {expected}, received {received}.")

    def _double_unordered(self):
        doubled = self._typed("double_unordered", bool, False)
        is_pair = "text_b" in self._fields.get("columns", {})
        self._need(is_pair or not doubled, "double_unordered", "of pairs only", "no 'text_b'")
        return doubled

    def _typed(self, key, expected_type, default):
        value = self._fields.get(key, default)
        valid = key not in self._fields or isinstance(value, expected_type)
        self._need(valid, key, f"to be a {expected_type.__name__}", repr(value))
        return value

    def _one_of(self, key, choices, default=None):
        value = self._fields.get(key, default)
        self._need(value in choices, key, f"to be one of {', '.join(choices)}", repr(value))
        return value

    def _name(self):
        default = os.path.basename(self._path).removesuffix(".json")
        name = self._typed("name", str, default)
        is_name = name.isidentifier() and len(name) <= 100  # files are called after it
        self._need(is_name, "name", "to be letters, digits and _, at most 100", repr(name))
        return name

    def _metric(self, official, scheme):
        metrics = METRICS[self._kind]
        if official:
            metrics = OFFICIAL_METRICS[official]
        if scheme == "tokens":
            metrics = ("accuracy",)
        return self._one_of("metric", metrics, metrics[0])

    def _labels(self, scheme):
        labels = self._fields.get("labels", FROM_TRAINING_FILE)
        if labels == FROM_TRAINING_FILE:
            return None
        is_list = isinstance(labels, list) and len(labels) > 1
        self._need(
            is_list and all(isinstance(label, str) for label in labels),
            "labels",
            f"to be a list of two or more texts or {FROM_TRAINING_FILE!r}",
            repr(labels),
        )
        labels = [label.strip() for label in labels]  # as those of the files
        self._need(len(set(labels)) == len(labels), "labels", "to be different", repr(labels))
        if scheme != "spans":
            return tuple(labels)
        bad = [label for label in labels if not is_span_tag(label)]
        self._need(not bad, "labels", f"to be {SPAN_TAGS}", repr(bad))
        return with_all_letters(labels)

    def _value_range(self):
        if self._kind != "regression":
            return None
        value = self._fields.get("value_range")
        valid = (
            isinstance(value, list)
            and len(value) == 2
            and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
            and all(abs(v) <= sys.float_info.max for v in value)
            and value[0] < value[1]
        )
        self._need(valid, "value_range", "to be [lowest, highest] score", repr(value))
        return float(value[0]), float(value[1])

    def _splits(self):
        files = self._typed("files", dict, {})
        valid = bool(files) and all(isinstance(file, str) and file for file in files.values())
        self._need(valid, "files", 'to be {"train": file, "dev": file, ...}', repr(files))
        unlabelled = self._typed("unlabelled", list, [])
        for name in unlabelled:
            self._need(name in files, "unlabelled", f"to be among {sorted(files)}", repr(name))
            used = name == "train" or name.split("_")[0] == "dev"
            self._need(not used, "unlabelled", "to leave out train and dev", repr(name))
        columns = self._columns()
        file_format = {"squad_v1": "squad", "squad_v2": "squad"}.get(self._format, self._format)
        return tuple(
            Split(name, file, file_format, columns, labelled=name not in unlabelled)
            for name, file in files.items()
        )

    def _columns(self):
        if self._kind == "qa":
            return None
        given = self._typed("columns", dict, {})
        is_tagging = self._kind == "tagging"
        if is_tagging:
            known, columns = ("word", "tag"), {"word": 0, "tag": -1} | given
        else:
            known, columns = ("text_a", "text_b", "label"), given
            self._need("text_a" in given, "columns", "to have 'text_a'", repr(given))
        kinds = (str,) if self._format == "jsonl" else (int, str)
        for part, column in columns.items():
            valid = part in known and isinstance(column, kinds) and not isinstance(column, bool)
            self._need(valid, "columns", f"to place {', '.join(known)}", f"{part!r}: {column!r}")
        if not is_tagging and "label" not in columns:
            labelled = set(self._fields["files"]) - set(self._fields.get("unlabelled", ()))
            self._need(not labelled, "columns", "to have 'label' for labelled splits", repr(given))
        # None: files of tags have no header by custom; what seems to be one is refused.
        header = self._typed("header", bool, None if is_tagging else True)
        if not header and any(isinstance(column, str) for column in columns.values()):
            expected = 'to be numbers, since there is no header; for names, "header": true'
            self._need(False, "columns", expected, repr(given))
        if is_tagging:
            return Columns(columns["word"], None, columns["tag"], header)
        return dataclasses.replace(Columns(columns["text_a"]), **columns, header=header)

    def _held_out(self):
        if "held_out" not in self._fields:
            return None
        given = self._typed("held_out", dict, {})
        valid = set(given) == {"split", "from", "share"}
        self._need(valid, "held_out", 'to have the keys "split", "from" and "share"', repr(given))
        files = self._fields["files"]
        self._need(given["from"] in files, "held_out", f"from one of {sorted(files)}", repr(given))
        self._need(given["split"] not in files, "held_out", "to be a new split", repr(given))
        labelled = given["from"] not in self._fields.get("unlabelled", ())
        self._need(labelled, "held_out", "from a split with labels", repr(given))
        share = given["share"]
        valid = isinstance(share, float) and 0 < share < 1
        self._need(valid, "held_out", "to have a share between 0 and 1", repr(share))
        return HeldOut(given["split"], given["from"], share)
