# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The kinds of task: one object for each, and the table that finds it by its name."""

import importlib

from electra_tf.config import check
from electra_tf.config.task_kinds import BUILT_IN, KINDS
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.kinds.kind import Kind, Predictions
from electra_tf.finetuning.kinds.sequence import TextKind

__all__ = ["KINDS", "Kind", "Predictions", "TextKind", "kind_of", "register"]


def register(kind: Kind) -> None:
    """Make a kind known under its name.

    What TensorFlow traces of it is not converted by AutoGraph: branches and loops over tensors are
    `tf.cond` and `tf.while_loop`.

    Raises:
        ValueError: the name is that of another kind.
    """
    is_taken = isinstance(KINDS.get(kind.name), Kind)
    check(not is_taken, "name of a kind", f"none of {', '.join(KINDS)}", kind.name)
    KINDS[kind.name] = kind


def kind_of(spec: TaskSpec) -> Kind:
    """The kind of a task."""
    return KINDS[spec.kind]


def _register_built_in():
    """The classes that the rows of `BUILT_IN` name, such as "regression.Regression"."""
    for _, place in BUILT_IN:
        module, name = place.split(".")
        register(getattr(importlib.import_module(f"{__name__}.{module}"), name)())


_register_built_in()
