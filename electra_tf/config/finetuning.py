# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A fine-tuning run (google-research/electra, configure_finetuning.py)."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from electra_tf.config.checks import (
    LARGEST_FLOAT,
    TOKENIZERS,
    check,
    check_at_most,
    check_given,
    check_model_name,
    check_names,
    check_types,
    is_text,
    shown,
)
from electra_tf.config.devices import Devices, devices_of, with_strategy
from electra_tf.config.encoder import MODEL_SIZES, OVERRIDABLE, EncoderConfig, encoder_of_size
from electra_tf.config.precision import check_precision
from electra_tf.config.stages import MOST_ROWS
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
SIZE_DEFAULTS = {
    "small": {"embedding_size": 128},
    "base": {},
    "large": {"learning_rate": 5e-5, "layerwise_lr_decay": 0.9},
}
"""What a size changes, over what a task changes."""
LARGEST = {
    "num_trials": 10**6,
    "train_batch_size": MOST_ROWS,
    "eval_batch_size": MOST_ROWS,
    "predict_batch_size": MOST_ROWS,
    "save_checkpoints_steps": 2**63 - 1,
    "iterations_per_loop": 10**6,
    "log_every_steps": 2**63 - 1,
    "max_query_length": 2**20,
    "doc_stride": 2**20,
    "n_best_size": 2**20,
    "max_answer_length": 2**20,
    "beam_size": 2**20,
    "num_tpu_cores": 2**16,
}
"""What is at least 1, and at most this."""


@dataclasses.dataclass(frozen=True)
class FinetuningConfig:
    """Everything that decides a fine-tuning run; build it with `from_hparams`."""

    model_name: str
    data_dir: str
    debug: bool = False
    log_examples: bool = False
    """Print the first example of each task with its features."""
    num_trials: int = 1
    """Runs with different seeds."""
    do_train: bool = True
    do_eval: bool = True
    keep_all_models: bool = True
    """False keeps the checkpoint of the last trial only."""

    # Model
    model_size: str = "small"
    task_names: list = dataclasses.field(default_factory=lambda: ["chunk"])
    """Built-in tasks, or paths of .json files that describe a task (new)."""
    model_hparam_overrides: dict = dataclasses.field(default_factory=dict)
    embedding_size: int | None = None
    vocab_size: int = 30522
    do_lower_case: bool = True
    strip_accents: bool = True
    """New here; in the original always on."""
    pre_split: bool = False
    """New. Whether words are what white space separates in the text, and nothing else."""
    tokenizer: str | None = None
    """New. "bert" takes a vocabulary for BERT's although its files describe another tokenizer."""
    classifier_dropout: float | None = None
    """New. Dropout before a classification head; default: the encoder's hidden dropout."""
    classifier_hidden_layer: bool = False
    """New. A hidden layer of the encoder's width with GELU before the classes, as Hugging Face's
    sequence classification has it."""

    # Training
    learning_rate: float = 1e-4
    weight_decay_rate: float = 0.01
    layerwise_lr_decay: float = 0.8
    """Factor of the learning rate per layer downwards; 0 for one rate."""
    num_train_epochs: float = 3.0
    warmup_proportion: float = 0.1
    adam_bias_correction: bool = False
    """New. The original has none."""
    save_checkpoints_steps: int = 1000000
    iterations_per_loop: int = 1000
    use_tfrecords_if_existing: bool = True
    """Whether cached features may be used; they are keyed by all they were made from."""
    seed: int = 0
    """New. Of the first trial; the others count up."""
    label_smoothing: float = 0.0
    """New. Classification and tagging."""
    class_weights: dict = dataclasses.field(default_factory=dict)
    """New. Label -> weight of its loss; labels left out weigh 1."""
    eval_every_steps: int = 0
    """New. Evaluate on dev every so many steps and keep the best; 0: only at the end."""
    early_stopping_patience: int = 0
    """New. Evaluations without a better score after which a trial ends; 0: never."""
    retry_failed_trials: int = 0
    """New. New seeds tried at most for a trial that collapsed."""
    log_every_steps: int = 50
    """New."""

    # Computation
    precision: str | None = None
    """New. See `PRECISIONS`; null: bfloat16 on devices that have it, else float32."""
    jit_compile: bool | None = None
    """New. Compile steps by XLA, see docs/speed.md; null: on GPUs."""

    # Outputs
    write_test_outputs: bool = False
    n_writes_test: int = 5
    """Trials whose test predictions are written."""
    skip_bad_rows: bool = False
    """New. List bad rows in a file beside the results instead of stopping at the first."""

    # Sizes
    max_seq_length: int = 128
    train_batch_size: int = 32
    eval_batch_size: int = 32
    predict_batch_size: int = 32
    double_unordered: bool = True
    """Also train on swapped pairs where order means nothing."""

    # Question answering
    max_query_length: int = 64
    doc_stride: int = 128
    n_best_size: int = 20
    max_answer_length: int = 30
    answerable_classifier: bool = True
    answerable_uses_start_logits: bool = True
    answerable_weight: float = 0.5
    joint_prediction: bool = True
    beam_size: int = 20
    qa_na_threshold: float = -2.75

    # Devices
    strategy: str = "one_device"
    """New. Where to compute, see `Devices`."""
    use_tpu: bool = False
    num_tpu_cores: int = 1
    tpu_job_name: str | None = None
    tpu_name: str | None = None
    tpu_zone: str | None = None
    gcp_project: str | None = None

    # Files; "{:}" stands for the task, in `test_predictions` for task, split and trial
    raw_data_dir: str = ""
    vocab_file: str = ""
    init_checkpoint: str | None = None
    """Weights to begin with: a folder or checkpoint; null for random weights."""
    model_dir: str = ""
    results_txt: str = ""
    results_pkl: str = ""
    qa_eval_file: str = ""
    qa_preds_file: str = ""
    qa_na_file: str = ""
    preprocessed_data_dir: str = ""
    test_predictions: str = ""

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
            task_hparams: what the only task of the run changes, if it is not a built-in one.

        Raises:
            ValueError: an unknown name, or a value of a wrong type or out of range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        settable = [name for name in known if name not in ("model_name", "data_dir")]
        check_names(hparams, settable, "hyperparameter")
        check_given(hparams)
        for name, value in {"model_name": model_name, "data_dir": data_dir}.items():
            check(is_text(value), name, "a text", value)
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
        size = hparams.get("model_size", "small")
        check(size in tuple(MODEL_SIZES), "model_size", f"one of {tuple(MODEL_SIZES)}", size)
        if len(task_names) > 1:
            task_hparams = None
        elif not task_hparams and task_names[0] in TASKS:
            task_hparams = TASKS[task_names[0]].hparams
        values = {
            **_file_defaults(model_name, data_dir, task_names, bool(hparams.get("debug"))),
            **(task_hparams or {}),
            **SIZE_DEFAULTS[size],
            **(DEBUG_RUN if hparams.get("debug") else {}),
            **hparams,
        }
        return cls(model_name=model_name, data_dir=data_dir, **with_strategy(values))

    def __post_init__(self):
        check_types(self)
        check_model_name(self.model_name)
        check_names(self.model_hparam_overrides, OVERRIDABLE, "model_hparam_overrides key")
        self.devices  # noqa: B018  (its own checks)
        check_precision(self.precision)
        check_at_most(self, LARGEST)
        check(self.tokenizer in TOKENIZERS, "tokenizer", 'null or "bert"', self.tokenizer)
        for name in (
            "learning_rate",
            "weight_decay_rate",
            "layerwise_lr_decay",
            "answerable_weight",
            "eval_every_steps",
            "early_stopping_patience",
            "retry_failed_trials",
            "n_writes_test",
            "seed",
        ):
            check(getattr(self, name) >= 0, name, "at least 0", getattr(self, name))
        epochs = self.num_train_epochs
        check(0 < epochs <= 10**6, "num_train_epochs", "above 0 and at most 10**6", epochs)
        retries = self.retry_failed_trials
        check(retries <= 1000, "retry_failed_trials", "at most 1000", retries)
        check(
            0 <= self.warmup_proportion <= 1,
            "warmup_proportion",
            "in [0, 1]",
            self.warmup_proportion,
        )
        check(0 <= self.label_smoothing < 1, "label_smoothing", "in [0, 1)", self.label_smoothing)
        for label, weight in self.class_weights.items():
            is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
            valid = is_number and 0 <= weight <= LARGEST_FLOAT
            check(valid, f"class_weights of {label!r}", "a number of at least 0", weight)
        check(
            0 <= self.head_dropout < 1, "classifier_dropout", "in [0, 1)", self.classifier_dropout
        )
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

    def replace(self, **changes: Any) -> "FinetuningConfig":
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, JSON-serializable."""
        return dataclasses.asdict(self)

    @property
    def devices(self) -> Devices:
        """Where to compute."""
        return devices_of(self)

    @property
    def encoder(self) -> EncoderConfig:
        """The encoder that the hyperparameters ask for."""
        return encoder_of_size(
            self.model_size,
            self.model_hparam_overrides,
            self.vocab_size,
            self.embedding_size,
            self.debug,
        )

    @property
    def head_dropout(self) -> float:
        if self.classifier_dropout is not None:
            return self.classifier_dropout
        return self.encoder.hidden_dropout_prob


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
