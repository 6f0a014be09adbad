# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What differs between the task models: each class says it for the kind of its task."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.kinds import Kind
from electra_tf.task_models.inputs import Given
from electra_tf.task_models.labels import weights_of_classes


class KindOfTask:
    """What the class of a kind of task decides; `TaskModel` does the rest."""

    tasks: Sequence[TaskSpec]

    kind: ClassVar[Kind]
    column_names: ClassVar[tuple[str, ...]] = ("text", "text_pair")
    needs_all_columns: ClassVar[bool] = False
    least_classes: ClassVar[int] = 2
    is_open: ClassVar[bool] = False
    """Whether a task with a new head is one that the first labelled data may change."""

    @property
    def reads_pairs(self) -> bool | None:
        """Whether rows are pairs of texts; None until the first labelled data decide."""
        return self.needs_all_columns

    @classmethod
    def new_task(cls, names: tuple[str, ...] | None) -> TaskSpec | None:
        """The task of a new head for classes; None if it needs classes and has none."""
        if cls.kind.has_labels and names is None:
            return None
        return cls.kind.spec_of_head(cls.kind.name, names)

    @classmethod
    def fields_of_task(cls, hparams: dict[str, Any]) -> dict[str, Any]:
        """Fields of the `TaskSpec` among the arguments of `from_preset`, taken out of them."""
        return {}

    def settled(self, given: Given) -> TaskSpec:
        """The task as the first labelled data say that it is."""
        return self.tasks[0]

    def examples(self, given: Given) -> list:
        """The examples of the kind, numbered from 0.

        Raises:
            ValueError: a text or a label is none that the task can have; names it.
        """
        raise NotImplementedError

    def class_weights(self, class_weight: Mapping[Any, float]) -> np.ndarray:
        """The weights of all classes, float32 [C], by id; see `labels.weights_of_classes`."""
        return weights_of_classes(class_weight, self.tasks[0].labels or ())

    def weighed_by_class(
        self, arrays: Mapping[str, np.ndarray], weights: np.ndarray
    ) -> dict[str, np.ndarray]:
        """What replaces arrays so that losses weigh as their classes do.

        Args:
            arrays: of labelled rows.
            weights: float32 [C], by id.
        """
        raise ValueError(
            f"class_weight is expected to be None for {type(self).__name__}, whose loss is not one "
            "of classes; sample_weight weighs examples."
        )

    def predicted(self, records: list[dict[str, Any]]) -> Any:
        """What `predict` returns, from the records of the kind, one for each example."""
        raise NotImplementedError
