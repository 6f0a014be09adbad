# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Own data by configuration alone: a task described in a JSON file."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from electra_tf.config.fields import did_you_mean, is_text
from electra_tf.config.task_kinds import KINDS
from electra_tf.config.task_table import HeldOut, Split, TaskSpec
from electra_tf.files import read_json, shortened

FROM_TRAINING_FILE = "from the training file"

_REQUIRED = ("kind", "format", "files")
_ALWAYS_OPTIONAL = ("name", "metric", "unlabelled", "held_out", "about")


def task_from_json(path: str) -> TaskSpec:
    """Returns the `TaskSpec` that a JSON file describes; docs: configs/finetuning/README.md.

    The name of the file is the name of the task, unless "name" gives another.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a JSON object, a key is missing or unknown, or a value is not one of
            those that the key may have; names the file and the key.
    """
    path = str(path)
    fields = read_json(path)
    if not is_text(json.dumps(fields, ensure_ascii=False)):
        raise ValueError(f"{path}: expected texts, received half of a surrogate pair.")
    return Description(path, fields).spec()


class Description:
    """The keys of one file, checked; a kind reads those that are its own.

    Attributes:
        fields: the content of the file.
        format: of its data files.
    """

    def __init__(self, path: str, fields: Mapping[str, Any]):
        self._path, self.fields = path, fields
        for key in _REQUIRED:
            self.need(key in fields, key, "to be given", "nothing")
        self._kind = KINDS[self.one_of("kind", tuple(KINDS))]
        if "prompt" in fields and self._kind.prompted is not None:
            self._kind = KINDS[self._kind.prompted]
        known = (*_REQUIRED, *_ALWAYS_OPTIONAL, *self._kind.keys)
        for key in fields:
            if key not in known:
                raise ValueError(
                    f"{path}: a task of kind {self._kind.name} has no key {key!r}"
                    f"{did_you_mean(key, known) or '.'} The keys are {', '.join(known)}."
                )
        self.format = self.one_of("format", self._kind.formats)

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self._name(),
            kind=self._kind.name,
            splits=self._splits(),
            **self._kind.described(self),
            held_out=self._held_out(),
        )

    # ---- For kinds

    def need(self, holds: bool, key: str, expected: str, received: str) -> None:
        """Raise a ValueError that names the key unless something holds."""
        if not holds:
            raise ValueError(
                f"{self._path}: expected {key!r} {expected}, received {shortened(received, 200)}."
            )

    def typed(self, key: str, expected_type: type, default: Any) -> Any:
        """The value of a key, of a type."""
        value = self.fields.get(key, default)
        valid = key not in self.fields or isinstance(value, expected_type)
        self.need(valid, key, f"to be a {expected_type.__name__}", repr(value))
        return value

    def one_of(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """The value of a key, one of several."""
        value = self.fields.get(key, default)
        self.need(value in choices, key, f"to be one of {', '.join(choices)}", repr(value))
        return value

    def labels(self) -> tuple[str, ...] | None:
        """The classes that the file lists; None if they are collected from the training file."""
        labels = self.fields.get("labels", FROM_TRAINING_FILE)
        if labels == FROM_TRAINING_FILE:
            return None
        is_list = isinstance(labels, list) and len(labels) > 1
        self.need(
            is_list and all(isinstance(label, str) for label in labels),
            "labels",
            f"to be a list of two or more texts or {FROM_TRAINING_FILE!r}",
            repr(labels),
        )
        labels = [label.strip() for label in labels]  # as those of the files
        self.need(len(set(labels)) == len(labels), "labels", "to be different", repr(labels))
        return tuple(labels)

    def check_columns(
        self, columns: Mapping[str, Any], known: Sequence[str], key: str = "columns"
    ) -> None:
        """Raise a ValueError unless the columns of a key are numbers or names of known parts."""
        kinds = (str,) if self.format == "jsonl" else (int, str)
        for part, column in columns.items():
            valid = part in known and isinstance(column, kinds) and not isinstance(column, bool)
            self.need(valid, key, f"to place {', '.join(known)}", f"{part!r}: {column!r}")

    def header(self, default: bool | None, given: Mapping[str, Any] | None = None) -> bool | None:
        """Whether the first row names the columns; given: those of a split, if not "columns"."""
        header = self.typed("header", bool, default)
        given = self.fields.get("columns", {}) if given is None else given
        if not header and any(isinstance(column, str) for column in given.values()):
            expected = 'to be numbers, since there is no header; for names, "header": true'
            self.need(False, "columns", expected, repr(given))
        return header

    # ---- For all

    def _name(self):
        default = os.path.basename(self._path).removesuffix(".json")
        name = self.typed("name", str, default)
        is_name = name.isidentifier() and len(name) <= 100  # files are called after it
        self.need(is_name, "name", "to be letters, digits and _, at most 100", repr(name))
        return name

    def _splits(self):
        files = self.typed("files", dict, {})
        valid = bool(files) and all(isinstance(file, str) and file for file in files.values())
        self.need(valid, "files", 'to be {"train": file, "dev": file, ...}', repr(files))
        unlabelled = self.typed("unlabelled", list, [])
        for name in unlabelled:
            self.need(name in files, "unlabelled", f"to be among {sorted(files)}", repr(name))
            used = name == "train" or name.split("_")[0] == "dev"
            self.need(not used, "unlabelled", "to leave out train and dev", repr(name))
        columns = {name: self._kind.columns_of_split(self, name) for name in files}
        file_format = {"squad_v1": "squad", "squad_v2": "squad"}.get(self.format, self.format)
        return tuple(
            Split(name, file, file_format, columns[name], labelled=name not in unlabelled)
            for name, file in files.items()
        )

    def _held_out(self):
        if "held_out" not in self.fields:
            return None
        given = self.typed("held_out", dict, {})
        valid = set(given) == {"split", "from", "share"}
        self.need(valid, "held_out", 'to have the keys "split", "from" and "share"', repr(given))
        files = self.fields["files"]
        self.need(given["from"] in files, "held_out", f"from one of {sorted(files)}", repr(given))
        self.need(given["split"] not in files, "held_out", "to be a new split", repr(given))
        labelled = given["from"] not in self.fields.get("unlabelled", ())
        self.need(labelled, "held_out", "from a split with labels", repr(given))
        share = given["share"]
        valid = isinstance(share, float) and 0 < share < 1
        self.need(valid, "held_out", "to have a share between 0 and 1", repr(share))
        return HeldOut(given["split"], given["from"], share)
