# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a kind of task decides: the base class of the objects that decide it.

The methods stand in the order in which a run calls them. Examples are those of a task's files, in
their order; rows are what the model reads, one or several for each example.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig
from electra_tf.config.task_kinds import DescribedKind
from electra_tf.config.task_table import Split, TaskSpec
from electra_tf.files import write_pickle
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds.heads import TaskHead, Tensors
from electra_tf.finetuning.kinds.question_windows import AnswerWindows
from electra_tf.model import Initializers
from electra_tf.text import Tokenizer

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.evaluation import Evaluation
    from electra_tf.finetuning.split_data import SplitData
    from electra_tf.finetuning.task import Task

Compared = tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]
"""Labels [B, ...], predictions [B, ...] and, where a row has several of them, which are real, bool
[B, N]; else None."""


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Predictions for the examples of a split, in their order.

    values: what the kind predicts; its class says in which form.
    probabilities: a row or a vector for each example, where the kind has any; else None.
    logits: what the model gave, [n, C] or [n], where the original stores it; else None.
    loss: mean over rows; None without labels, or for questions, as in the original.
    """

    values: Any
    probabilities: Any = None
    logits: np.ndarray | None = None
    loss: float | None = None


class Kind(DescribedKind):
    """A kind of task: one object, which `kinds.KINDS` lists under its name.

    A new kind subclasses this, or the kind that it resembles most, and overrides what it decides
    otherwise; `kinds.register` makes it known. What it takes from a JSON file is in
    `config.task_kinds`.
    """

    has_labels = True
    """Whether a task has names of classes, as many as its head has outputs."""
    weighs_labels = False
    """Whether `label_smoothing` and `class_weights` apply to the loss."""
    label_arrays: tuple[str, ...] = ()
    """Names, behind that of the task, of the arrays that stand for labels."""
    row_settings: tuple[str, ...] = ()
    """Hyperparameters besides `max_seq_length` that decide the rows of an example."""
    first_segment = 0
    """The segment id of the tokens of the first text."""
    serves_features = False
    """Whether what is served of the last layer is also a feature of any other."""
    has_zero_shot = False
    """Whether a pre-trained model brings the head, so that it can be used without training."""
    range_of_outputs: tuple[float, float] | None = None
    """`value_range` of a task whose head gives the scores themselves."""

    # ---- Data

    def spec_of_head(self, name: str, labels: tuple[str, ...] | None) -> TaskSpec:
        """A task of a single unlabelled file, for a head that comes without a description.

        labels: names of the classes in the order of their ids; None for kinds without.
        """
        raise NotImplementedError

    def problem(self, spec: TaskSpec) -> tuple[str, str, Any] | None:
        """Field, expected and received, if a stored task is not one that a model can have."""
        if self.has_labels and not (spec.labels and len(set(spec.labels)) == len(spec.labels)):
            return "labels", "the different names of classes", spec.labels
        return None

    def read(
        self, path: str, file: Split, spec: TaskSpec, bad_rows: BadRows, labelled: bool
    ) -> list:
        """The examples of a file that is laid out as `file`.

        Raises:
            FileNotFoundError, ValueError: see `Task.examples_of`.
        """
        raise NotImplementedError

    def collected_labels(self, task: "Task") -> tuple[str, ...]:
        """The labels of a task that lists none, in the order of their ids: sorted."""
        raise NotImplementedError

    def check_labels(self, spec: TaskSpec) -> None:
        """Raise a ValueError unless the primary metric is for such labels."""

    def warn(self, examples: list, spec: TaskSpec, path: str, split: str) -> None:
        """Log a warning of labelled examples that are hardly meant so."""

    def example_of_line(self, spec: TaskSpec, line: str, number: int, place: str) -> Any:
        """The example that a line of text stands for.

        number: of the line, from 1.
        place: what messages call the source of lines.

        Raises:
            ValueError: the line is none; names its number.
        """
        raise NotImplementedError

    # ---- Rows and model

    def rows(
        self,
        spec: TaskSpec,
        examples: Sequence,
        tokenizer: Tokenizer,
        max_seq_length: int,
        **settings: int,
    ) -> tuple[dict[str, np.ndarray], AnswerWindows | None]:
        """What a model reads and what it is to answer; of questions, also their windows.

        Names are the reference's: `input_ids, input_mask, segment_ids, <task>_eid`, and
        `<task>_` with each of `label_arrays`. Rows are in the order of the examples; a long
        sentence or context has several. Labels that are None become 0.

        settings: the values of `row_settings`.

        Raises:
            ValueError: a setting leaves no room for text, or a context has no token.
        """
        raise NotImplementedError

    def head(
        self, spec: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
    ) -> TaskHead:
        """The layers on top of the encoder."""
        raise NotImplementedError

    def settings_of_layers(self, layers: set[str]) -> dict[str, bool]:
        """Hyperparameters that decide which layers a head has, from the names of its layers."""
        return {}

    def compared(self, spec: TaskSpec, outputs: Tensors) -> Compared:
        """What Keras' metrics compare: labels and predictions, from a head's outputs.

        Raises:
            ValueError: there is nothing that a metric of Keras could compare.
        """
        raise ValueError(
            f"metrics are expected to be none for a task of the kind {self.name}, which Keras has "
            "no metrics for; evaluate gives its scores."
        )

    # ---- From outputs to results

    def outputs_needed(self, head: TaskHead) -> tuple[str, ...]:
        """Names of the head's outputs that predictions are made from; the others can be large."""
        return ("predictions", "logits", "loss")

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        """Predictions for the examples of a split.

        outputs: name -> array over all rows of the split, in order.
        """
        raise NotImplementedError

    def record(self, data: "SplitData", predictions: Predictions, row: int) -> dict[str, Any]:
        """One example and what is predicted for it, JSON-serializable.

        row: number of the example.
        """
        raise NotImplementedError

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        """All metrics of a labelled split."""
        raise NotImplementedError

    def trivial(self, train: "SplitData", data: "SplitData") -> Any:
        """Values of the predictions that one would make without a model."""
        raise NotImplementedError

    def collapse(self, spec: TaskSpec, values: Any) -> str | None:
        """In which way predictions are the same for all examples, if they are."""
        return None

    def report(self, data: "SplitData", predictions: Predictions) -> str | None:
        """A table of the classes of a labelled split, where there are any."""
        return None

    def write_answers(self, evaluation: "Evaluation") -> None:
        """Write files that the original writes for an evaluated split of this kind."""

    def write_predictions(self, path: str, evaluation: "Evaluation") -> None:
        """Write the predictions for a test split in the original's format; path: of a pickle."""
        logits = evaluation.predictions.logits
        if logits is not None:
            ids = [example.id for example in evaluation.data.examples]
            write_pickle(path, dict(zip(ids, logits, strict=True)))

    def cells(self, spec: TaskSpec, values: Any) -> list[str]:
        """Predictions as the GLUE leaderboard takes them: names of classes, or numbers."""
        return [spec.labels[int(value)] for value in values]

    # ---- In exports

    def is_pair(self, spec: TaskSpec) -> bool:
        """Whether a text is predicted for together with a second one."""
        columns = spec.splits[0].columns
        return columns is not None and columns.text_b is not None

    def least_length(self, config: FinetuningConfig) -> int:
        """Tokens that a row must at least have room for."""
        return 5

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """What an exported model gives for each row: labels and numbers, from a head's outputs.

        Runs in a graph.
        """
        raise NotImplementedError


def mean_loss(data: "SplitData", outputs: Mapping[str, np.ndarray]) -> float | None:
    """Mean over rows; None without labels."""
    return float(np.mean(outputs["loss"])) if data.is_labelled else None


def label_options(spec: TaskSpec, config: FinetuningConfig) -> dict[str, Any]:
    """`label_smoothing`, and `class_weights` in the order of the labels; empty for ones."""
    weights = config.class_weights
    in_order = tuple(float(weights.get(label, 1.0)) for label in spec.labels) if weights else ()
    return {"label_smoothing": config.label_smoothing, "class_weights": in_order}


def collapsed_to(spec: TaskSpec, ids: Sequence[int]) -> str:
    """The message for predictions that are the same everywhere."""
    return "collapsed to " + (", ".join(spec.labels[int(i)] for i in ids) or "no label")
