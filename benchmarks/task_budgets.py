# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How the benchmarks fine-tune models that they compare, and those models before a first step."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "quickstart")]

from quickstart_comparison import FINETUNING, MAX_SEQ_LENGTH  # noqa: E402

from electra_tf.config import PretrainingConfig  # noqa: E402

_CHANGES = {
    "bigram_shift": {"max_seq_length": MAX_SEQ_LENGTH},
    "rt_sentiment": {"max_seq_length": MAX_SEQ_LENGTH, "learning_rate": 3e-4},
    "boolq": {"max_seq_length": 128, "num_train_epochs": 2.0},
    "disflqa": {"max_seq_length": 128, "num_train_epochs": 4.0, "doc_stride": 64},
    "quac_spans": {"max_seq_length": 128, "num_train_epochs": 1.0, "doc_stride": 64},
    "ner_wnut": {"max_seq_length": 64, "num_train_epochs": 6.0},
    "pos_brown": {"max_seq_length": 64, "num_train_epochs": 0.5},
}
BUDGETS = {task: {**FINETUNING, **changes} for task, changes in _CHANGES.items()}
"""Hyperparameters of all models on each task: the quickstart's, as far as nothing else is here."""


def task_file(task: str) -> pathlib.Path:
    """The description of one of these tasks."""
    return ROOT / "configs" / "finetuning" / f"{task}.json"


def save_step_0(config: PretrainingConfig, name: str) -> str:
    """Save the weights with which a run begins as a model of another name; returns the name."""
    from electra_tf.interop.opening import find_pretraining_weights
    from electra_tf.pretraining import model_folder, run
    from electra_tf.pretraining.starting_weights import found_weights, load_starting_weights
    from electra_tf.training.checkpoints.weights import training_variables

    folder = str(pathlib.Path(config.data_dir) / "models" / name)
    begun = config.replace(model_name=name, model_dir=folder)
    checkpoints = model_folder.checkpoints(begun)
    if checkpoints.latest() is None:
        tokenizer = run.load_matching_tokenizer(begun)
        pretrainer = run.make_pretrainer(begun, tokenizer)
        found = found_weights(begun, find_pretraining_weights)
        load_starting_weights(begun, pretrainer, tokenizer, found)
        model_folder.write_config(begun, tokenizer)
        checkpoints.save(0, training_variables(pretrainer), {})
    return name
