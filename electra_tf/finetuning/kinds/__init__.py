# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The kinds of task: one object for each, and the table that finds it by its name."""

from electra_tf.config import check
from electra_tf.config.task_kinds import KINDS
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.kinds.embedding import Embedding
from electra_tf.finetuning.kinds.kind import Kind, Predictions
from electra_tf.finetuning.kinds.prompted import PromptedClassification
from electra_tf.finetuning.kinds.questions import Questions
from electra_tf.finetuning.kinds.regression import Regression
from electra_tf.finetuning.kinds.sequence import Classification, MultiLabel, TextKind
from electra_tf.finetuning.kinds.tagging import Tagging


def register(kind: Kind) -> None:
    """Make a kind known under its name.

    Raises:
        ValueError: the name is that of another kind.
    """
    is_taken = isinstance(KINDS.get(kind.name), Kind)
    check(not is_taken, "name of a kind", f"none of {', '.join(KINDS)}", kind.name)
    KINDS[kind.name] = kind


def kind_of(spec: TaskSpec) -> Kind:
    """The kind of a task."""
    return KINDS[spec.kind]


_PLAIN = (Classification(), Regression(), MultiLabel(), Tagging(), Questions(), Embedding())
for _kind in (*_PLAIN, PromptedClassification()):
    register(_kind)

__all__ = [
    "KINDS",
    "Classification",
    "Embedding",
    "Kind",
    "MultiLabel",
    "Predictions",
    "PromptedClassification",
    "Questions",
    "Regression",
    "Tagging",
    "TextKind",
    "kind_of",
    "register",
]
