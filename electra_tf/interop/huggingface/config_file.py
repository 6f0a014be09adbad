# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""config.json of a Hugging Face ELECTRA folder: the encoder's shape, the class, the labels."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from absl import logging

import electra_tf
from electra_tf import files
from electra_tf.config import EncoderConfig, check
from electra_tf.config.stored import Shapes
from electra_tf.files import check_keys, write_json
from electra_tf.finetuning.kinds import KINDS
from electra_tf.interop.huggingface.names import HEADS, Head, class_of

CONFIG_FILE = "config.json"
EXTRA = "electra_tf"
"""Key of what the folder's own keys have no place for."""

_CONSTANTS = {
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
"""Settings that have one value here."""
_REQUIRED = tuple(field.name for field in dataclasses.fields(EncoderConfig))
_SPECIAL_IDS = tuple(
    f"{name}_token_id" for name in ("pad", "unk", "cls", "sep", "mask", "bos", "eos")
)
_DEFAULT_LABELS = 2
"""Transformers' number of classes where nothing is said."""
_MOST_LABELS = 1_000_000
"""More are damage: no model has as many classes."""


@dataclasses.dataclass(frozen=True)
class HuggingFaceConfig:
    """What config.json says."""

    architecture: str
    """A key of `names.HEADS`, or another class, of which the encoder alone can be read."""
    encoder: EncoderConfig
    kind: str | None = None
    """Of the task, as in `finetuning.kinds.KINDS`; None without one."""
    labels: tuple[str, ...] | None = None
    """Classes in the order of their ids, where the kind has any."""
    classifier_dropout: float | None = None
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What this library stored for itself."""
    special_ids: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Ids of special tokens by the names of their keys, such as pad_token_id."""

    @property
    def outputs(self) -> int:
        """Width of the last layer of a task's head; 0 without one."""
        return len(self.classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs of a task's head; none where they are numbers of positions."""
        if self.labels is not None:
            return self.labels
        return ("LABEL_0",) if self.problem_type else ()

    @property
    def problem_type(self) -> str | None:
        """What distinguishes the kind of task from others of its class."""
        return HEADS.get(self.architecture, Head()).kinds.get(self.kind)


def read_config(folder: str, shapes: Shapes, with_head: bool = True) -> HuggingFaceConfig:
    """Read config.json, labels and such if `with_head`; the shapes are those of the tensors.

    Raises:
        ValueError: a key is missing or of another type, or a setting cannot be represented here.
    """
    path = os.path.join(folder, CONFIG_FILE)
    stored = files.read_json(path)
    missing = [name for name in _REQUIRED if name not in stored]
    if missing:
        raise ValueError(f"{path} is expected to have the keys {', '.join(missing)}.")
    for name, expected in _CONSTANTS.items():
        found = stored.get(name, expected)
        check(found == expected, f"{path}: {name}", repr(expected), found)
    try:
        encoder = EncoderConfig(**{name: stored[name] for name in _REQUIRED})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    special_ids = _special_ids(stored, encoder.vocab_size, path)
    count = stored.get("num_labels")
    is_count = count is None or (type(count) is int and 1 <= count <= _MOST_LABELS)
    check(is_count, f"{path}: num_labels", f"at least 1 and at most {_MOST_LABELS:,}", count)
    architecture = _architecture(stored, shapes, path)
    if not with_head:
        return HuggingFaceConfig(architecture, encoder, special_ids=special_ids)
    dropout = stored.get("classifier_dropout")
    check_keys({"classifier_dropout": dropout}, {"classifier_dropout": (float, type(None))}, path)
    head = HEADS.get(architecture, Head())
    width = next(iter(shapes.get(head.last_layer, ())), None)  # one for each class
    labels = _labels(stored, path, width)
    kind = _kind(head.kinds, stored, labels, path)
    return HuggingFaceConfig(
        architecture,
        encoder,
        kind,
        labels if kind is not None and KINDS[kind].has_labels else None,
        dropout,
        _extra(stored, path),
        special_ids,
    )


def write_config(folder: str, config: HuggingFaceConfig) -> None:
    """Write config.json as transformers reads it."""
    content = {
        "architectures": [config.architecture],
        "model_type": "electra",
        **{name: getattr(config.encoder, name) for name in _REQUIRED},
        "layer_norm_eps": _CONSTANTS["layer_norm_eps"],
        "classifier_dropout": config.classifier_dropout,
        **config.special_ids,
        "tie_word_embeddings": True,
        "dtype": "float32",
        **_label_keys(config),
        EXTRA: {"version": electra_tf.__version__, **config.extra},
    }
    write_json(os.path.join(folder, CONFIG_FILE), content)


def require_known(architecture: str, place: str) -> None:
    """Raise a ValueError if the head of a class cannot be represented here."""
    if architecture not in HEADS:
        raise ValueError(
            f"{place} is expected to be of one of the classes {', '.join(HEADS)}, but is of "
            f"{architecture[:200]}, which has no counterpart here."
        )


def _architecture(stored: dict, shapes: Shapes, path: str) -> str:
    """The class that the file names, or else the one whose tensors there are."""
    named = stored.get("architectures")
    is_list = isinstance(named, list) and all(isinstance(name, str) for name in named)
    check(named is None or is_list, f"{path}: architectures", "a list of names", named)
    if named:
        return named[0]
    try:
        architecture = class_of(shapes)
    except ValueError as error:
        raise ValueError(
            f"{path} is expected to name a class in architectures, since the weights have {error}."
        ) from error
    logging.info("%s names no class: the tensors are those of %s.", path, architecture)
    return architecture


def _extra(stored: dict, path: str) -> dict[str, Any]:
    """What this library stored."""
    extra = stored.get(EXTRA) or {}
    check_keys({EXTRA: extra}, {EXTRA: dict}, path)
    kinds = {"step": int, "task": dict, "settings": dict}
    check_keys(extra, {name: kinds[name] for name in kinds if name in extra}, f"{path}, {EXTRA}")
    if "task" in extra:
        check_keys(extra["task"], {"name": str}, f"{path}, {EXTRA}, task")
    return extra


def _special_ids(stored: dict, vocab_size: int, path: str) -> dict[str, Any]:
    """What the file says of ids of special tokens."""
    ids = {name: stored[name] for name in _SPECIAL_IDS if stored.get(name) is not None}
    pad = ids.get("pad_token_id", 0)
    is_id = type(pad) is int and 0 <= pad < vocab_size
    check(is_id, f"{path}: pad_token_id", f"in 0..{vocab_size - 1}", pad)
    return ids


def _labels(stored: dict, path: str, width: int | None) -> tuple[str, ...]:
    """The labels in the order of their ids, as many as the head has classes."""
    named, count = stored.get("id2label"), stored.get("num_labels")
    if named is not None:
        labels = _named_labels(named, path)
        if count is not None and count != len(labels):
            raise ValueError(
                f"{path}: num_labels is expected to be {len(labels)}, as many as id2label has, but "
                f"is {count}."
            )
        count = len(labels)
    if width is not None and (count or _DEFAULT_LABELS) != width:
        raise ValueError(
            f"{path}: {'num_labels' if named is None else 'id2label'} is expected to have the "
            f"{width} classes of the last layer of the weights, but has {count or _DEFAULT_LABELS}."
        )
    if named is not None:
        return labels
    return tuple(f"LABEL_{number}" for number in range(width or _DEFAULT_LABELS))


def _named_labels(named: Any, path: str) -> tuple[str, ...]:
    expected = f"{path}: id2label is expected to be an object with a label for each of '0', '1', .."
    if not isinstance(named, dict) or not named:
        raise ValueError(f"{expected}, but is {str(named)[:60]}.")
    for number in range(len(named)):
        label = named.get(str(number))
        # Some files have numbers for labels; ours are words.
        if not isinstance(label, str) and type(label) is not int:
            received = repr(label) if str(number) in named else "not there"
            raise ValueError(f"{expected}, but that of '{number}' is {received}.")
    return tuple(str(named[str(number)]) for number in range(len(named)))


def _kind(
    kinds: Mapping[str, str | None], stored: dict, labels: tuple[str, ...], path: str
) -> str | None:
    """The kind of task, which is one of those of the class."""
    if len(kinds) < 2:
        return next(iter(kinds), None)
    named = {theirs: ours for ours, theirs in kinds.items()}
    problem = stored.get("problem_type")
    if problem is None:
        return "regression" if len(labels) == 1 else "classification"
    choices = f"null or one of {', '.join(named)}"
    check(problem in tuple(named), f"{path}: problem_type", choices, problem)
    return named[problem]


def _label_keys(config: HuggingFaceConfig) -> dict[str, Any]:
    labels = config.classes
    if not labels:
        return {}
    keys: dict[str, Any] = {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    if config.problem_type:
        keys["problem_type"] = config.problem_type
    return keys
