# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A fine-tuning run (google-research/electra, configure_finetuning.py)."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from electra_tf.config.encoder import OVERRIDABLE, check_encoder_fields, size_of
from electra_tf.config.fields import (
    LARGEST_FLOAT,
    Role,
    check,
    check_names,
    check_values,
    fact,
    is_number,
    is_text,
    names_of,
    shown,
)
from electra_tf.config.pretraining_checks import MOST_ROWS
from electra_tf.config.run_config import LARGEST_INTEGER, RunConfig
from electra_tf.config.task_table import TASKS
from electra_tf.files import exists

DEBUG_RUN = {
    "save_checkpoints_steps": 1000000,
    "use_tfrecords_if_existing": False,
    "num_trials": 1,
    "iterations_per_loop": 1,
    "train_batch_size": 32,
    "num_train_epochs": 3.0,
    "log_examples": True,
}
_PLACE = "{:}"


@dataclasses.dataclass(frozen=True)
class FinetuningConfig(RunConfig):
    """Everything that decides a fine-tuning run; build it with `from_hparams`."""

    verb = "finetune"

    log_examples: bool = fact(False, Role.RUN)
    """Print the first example of each task with its features."""
    num_trials: int = fact(1, Role.RUN, at_least=1, at_most=10**6)
    """Runs with different seeds."""
    do_eval: bool = fact(True, Role.RUN)
    """Evaluate on the development split, and other labelled ones."""
    keep_all_models: bool = fact(True, Role.RUN)
    """False keeps the checkpoint of the last trial only."""

    # Model
    task_names: list = fact(["chunk"], Role.MAY_BE_PATH)
    """Built-in tasks, or paths of .json files that describe a task (new)."""
    classifier_dropout: float | None = fact(None, within="[0, 1)", expected="in [0, 1)")
    """New. Dropout before a classification head; default: the encoder's hidden dropout."""
    classifier_hidden_layer: bool = fact(False, Role.HEAD)
    """New. A hidden layer of the encoder's width with GELU before the classes, as Hugging Face's
    sequence classification has it."""

    # Training
    learning_rate: float = fact(1e-4, at_least=0)
    """Highest learning rate, before warm-up and decay; 5e-5 for the size large."""
    layerwise_lr_decay: float = fact(0.8, at_least=0)
    """Factor of the learning rate per layer downwards; 0 for one rate."""
    num_train_epochs: float = fact(
        3.0, at_least=0, at_most=10**6, expected="at least 0 and at most 10**6"
    )
    """Passes over the training data; 10 for STS and RTE, 2 for questions. 0 leaves the first
    weights as they are, for tasks with a prompt (new)."""
    warmup_proportion: float = fact(0.1, within="[0, 1]")
    """Share of the steps in which the learning rate rises linearly."""
    save_checkpoints_steps: int = fact(1000000, Role.RUN, at_least=1, at_most=LARGEST_INTEGER)
    """Steps between two checkpoints; the last step is always saved."""
    iterations_per_loop: int = fact(1000, Role.RUN, at_least=1, at_most=10**6)
    """Steps per call into the runtime, at most."""
    use_tfrecords_if_existing: bool = fact(True, Role.RUN)
    """Whether cached features may be used; they are keyed by all they were made from."""
    label_smoothing: float = fact(0.0, within="[0, 1)")
    """New. Classification and tagging."""
    class_weights: dict = fact({})
    """New. Label -> weight of its loss; labels left out weigh 1."""
    early_stopping_patience: int = fact(0, Role.BEST, at_least=0)
    """New. Evaluations without a better score after which a trial ends; 0: never."""
    retry_failed_trials: int = fact(0, Role.RUN, at_least=0, at_most=1000)
    """New. New seeds tried at most for a trial that collapsed."""
    log_every_steps: int = fact(50, Role.RUN, at_least=1, at_most=LARGEST_INTEGER)
    """New. Steps between two lines of the log."""

    # Outputs
    write_test_outputs: bool = fact(False, Role.RUN)
    """Predict the unlabelled splits, and write files for the GLUE leaderboard."""
    n_writes_test: int = fact(5, Role.RUN, at_least=0)
    """Trials whose test predictions are written."""
    skip_bad_rows: bool = False
    """New. List bad rows in a file beside the results instead of stopping at the first."""

    # Sizes
    train_batch_size: int = fact(32, at_least=1, at_most=MOST_ROWS)
    """B, rows of a batch over all devices."""
    eval_batch_size: int = fact(32, Role.RUN, at_least=1, at_most=MOST_ROWS)
    """Rows of an evaluation's batch."""
    predict_batch_size: int = fact(32, Role.RUN, at_least=1, at_most=MOST_ROWS)
    """Rows of a batch of predictions."""
    double_unordered: bool = True
    """Also train on swapped pairs where order means nothing."""

    # Question answering
    max_query_length: int = fact(64, Role.INPUT | Role.PREDICTION, at_least=1, at_most=2**20)
    """Tokens of a question, at most."""
    doc_stride: int = fact(128, Role.INPUT | Role.PREDICTION, at_least=1, at_most=2**20)
    """Tokens between the beginnings of two windows of a passage."""
    n_best_size: int = fact(20, Role.BEST | Role.PREDICTION, at_least=1, at_most=2**20)
    """Answers that are kept of a question."""
    max_answer_length: int = fact(30, Role.BEST | Role.PREDICTION, at_least=1, at_most=2**20)
    """Tokens of an answer, at most."""
    answerable_classifier: bool = fact(True, Role.HEAD)
    """A head that decides whether a question has an answer (SQuAD 2.0)."""
    answerable_uses_start_logits: bool = fact(True, Role.HEAD)
    """That head sees where the answer probably begins, too."""
    answerable_weight: float = fact(0.5, at_least=0)
    """Weight of the loss of that head."""
    joint_prediction: bool = fact(True, Role.HEAD)
    """The end of an answer depends on its beginning, as in XLNet."""
    beam_size: int = fact(20, Role.BEST | Role.INPUT, at_least=1, at_most=2**20)
    """Beginnings of an answer that ends are looked for."""
    qa_na_threshold: float = fact(-2.75, Role.BEST | Role.PREDICTION)
    """A question has no answer if the score of that exceeds this (SQuAD 2.0)."""

    # Files; "{:}" stands for the task, in `test_predictions` for task, split and trial
    raw_data_dir: str = fact("", Role.PATH)
    """Folder of a task's files, <data_dir>/finetuning_data/<task>."""
    qa_eval_file: str = fact("", Role.PATH)
    """File of the scores of questions."""
    qa_preds_file: str = fact("", Role.PATH)
    """File of the answers to questions."""
    qa_na_file: str = fact("", Role.PATH)
    """File of the scores of having no answer."""
    preprocessed_data_dir: str = fact("", Role.PATH)
    """Folder of cached features."""
    test_predictions: str = fact("", Role.PATH)
    """Files of `write_test_outputs`."""

    @classmethod
    def from_hparams(
        cls,
        model_name: str,
        data_dir: str,
        hparams: dict[str, Any],
        task_hparams: Mapping[str, Any] | None = None,
    ) -> "FinetuningConfig":
        """Configuration of a run: `hparams` over the defaults of size, task and folders.

        Args:
            model_name: the folder of the model is named after it.
            data_dir: folder of data and models.
            hparams: values by their names.
            task_hparams: what the only task of the run changes, if it is not a built-in one.

        Raises:
            ValueError: an unknown name, or a value of a wrong type or out of range.
        """
        cls._check_hparams(model_name, data_dir, hparams)
        task_names = hparams.get("task_names", ["chunk"])
        check(
            isinstance(task_names, list)
            and bool(task_names)
            and all(is_text(name) and name for name in task_names),
            "task_names",
            "a list of names of tasks",
            task_names,
        )
        if len(set(task_names)) < len(task_names):
            raise ValueError(
                f"task_names is expected to have different names, but has {shown(task_names)}."
            )
        if len(task_names) > 1:
            task_hparams = None
        elif not task_hparams and task_names[0] in TASKS:
            task_hparams = TASKS[task_names[0]].hparams
        size = size_of(hparams)
        values = {
            **_file_defaults(model_name, data_dir, task_names, bool(hparams.get("debug"))),
            **(task_hparams or {}),
            **size.defaults,
            **size.finetuning,
            **(DEBUG_RUN if hparams.get("debug") else {}),
            **hparams,
        }
        return cls._of(model_name, data_dir, values)

    @classmethod
    def to_find_files(
        cls, model_name: str, data_dir: str, hparams: dict[str, Any]
    ) -> "FinetuningConfig":
        """The configuration before the run's files are read, from which the rest of it follows.

        Arguments and errors are those of `from_hparams`.
        """
        cls._check_hparams(model_name, data_dir, hparams)
        overrides = hparams.get("model_hparam_overrides", {})
        check(isinstance(overrides, dict), "model_hparam_overrides", "an object", overrides)
        check_names(overrides, OVERRIDABLE, "model_hparam_overrides key")
        asked = cls.from_hparams(model_name, data_dir, without_shape(hparams))
        if asked.do_train and asked.init_checkpoint is None:
            positions = overrides.get("max_position_embeddings", asked.max_seq_length)
            shortest = min(asked.max_seq_length, positions) if type(positions) is int else 5
            return cls.from_hparams(model_name, data_dir, {"max_seq_length": shortest, **hparams})
        _check_shape(hparams)
        return asked

    def __post_init__(self):
        super().__post_init__()
        for label, weight in self.class_weights.items():
            valid = is_number(weight) and 0 <= weight <= LARGEST_FLOAT
            check(valid, f"class_weights of {label!r}", "a number of at least 0", weight)
        check(self.do_train or self.do_eval, "do_train or do_eval", "true", False)
        check(
            self.do_eval or not self.write_test_outputs,
            "do_eval",
            "true where write_test_outputs is",
            self.do_eval,
        )
        check(
            self.eval_every_steps > 0 or not self.early_stopping_patience,
            "eval_every_steps",
            "above 0 where early_stopping_patience is",
            self.eval_every_steps,
        )
        longest = self.encoder.max_position_embeddings
        check(
            5 <= self.max_seq_length <= longest,
            "max_seq_length",
            f"between 5 and max_position_embeddings={longest}",
            self.max_seq_length,
        )

    @property
    def head_dropout(self) -> float:
        if self.classifier_dropout is not None:
            return self.classifier_dropout
        return self.encoder.hidden_dropout_prob


def _check_shape(hparams: Mapping[str, Any]) -> None:
    """Check what was given of the shape of an encoder whose weights decide the rest."""
    check_encoder_fields(hparams.get("model_hparam_overrides", {}))
    given = {name: hparams[name] for name in ("vocab_size", "embedding_size") if name in hparams}
    check_encoder_fields({name: value for name, value in given.items() if value is not None})
    length = {name: hparams[name] for name in ("max_seq_length",) if name in hparams}
    check_values(FinetuningConfig, length)
    for name, value in length.items():
        check(value >= 5, name, "at least 5", value)


def without_shape(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters without those that depend on the shape of an encoder."""
    shape = names_of(FinetuningConfig, Role.SHAPE)
    return {name: value for name, value in hparams.items() if name not in shape}


def filled(path: str, literal: str, *values: Any) -> str:
    """A path with values in its places "{:}": a single one in all of them, several in the last.

    Args:
        path: may have several places.
        literal: a folder; if the path starts with it, that part has no places.
        values: what is put there; those that find no place are left out.
    """
    head = literal if path.startswith(literal) else ""
    rest = path[len(head) :]
    if len(values) == 1:
        return head + rest.replace(_PLACE, str(values[0]))
    begin, *parts = rest.rsplit(_PLACE, len(values))
    places = zip(values, parts, strict=False)
    return head + begin + "".join(f"{value}{part}" for value, part in places)


def _file_defaults(
    model_name: str, data_dir: str, task_names: list[str], debug: bool
) -> dict[str, str | None]:
    folder = os.path.join(data_dir, "models", model_name)
    tasks = ",".join(os.path.splitext(os.path.basename(name))[0] for name in task_names)
    results = os.path.join(folder, "results")
    answers = os.path.join(results, f"{tasks}_qa")
    vocab_file = os.path.join(folder, "vocab.txt")
    if not exists(vocab_file):
        vocab_file = os.path.join(data_dir, "vocab.txt")
    return {
        "raw_data_dir": os.path.join(data_dir, "finetuning_data", "{:}"),
        "vocab_file": vocab_file,
        "init_checkpoint": None if debug else folder,
        "model_dir": os.path.join(folder, "finetuning_models", f"{tasks}_model"),
        "results_txt": os.path.join(results, f"{tasks}_results.txt"),
        "results_pkl": os.path.join(results, f"{tasks}_results.pkl"),
        "qa_eval_file": os.path.join(answers, "{:}_eval.json"),
        "qa_preds_file": os.path.join(answers, "{:}_preds.json"),
        "qa_na_file": os.path.join(answers, "{:}_null_odds.json"),
        "preprocessed_data_dir": os.path.join(
            folder, "finetuning_tfrecords", f"{tasks}_tfrecords" + ("-debug" if debug else "")
        ),
        "test_predictions": os.path.join(folder, "test_predictions", "{:}_{:}_{:}_predictions.pkl"),
    }
