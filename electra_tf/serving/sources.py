# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The model folders that can be exported, and the models in them."""

import dataclasses
import os

from electra_tf.config import PretrainingConfig
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.finetuning.prediction import task_number
from electra_tf.model import Encoder
from electra_tf.pretraining import ElectraPretrainer, run
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.serving.pretrained import encoders_of
from electra_tf.text.tokenizer import Tokenizer
from electra_tf.training.checkpoint import read_step, resolve_prefix


@dataclasses.dataclass(frozen=True)
class PretrainedSource:
    """A pre-trained model with its weights."""

    folder: str
    config: PretrainingConfig
    tokenizer: Tokenizer
    pretrainer: ElectraPretrainer
    step: int
    """Updates that made the weights."""
    converted_from: str | None
    """Where the weights are from, if they were not trained here."""

    @property
    def encoders(self) -> list[Encoder]:
        """Those of its models."""
        return encoders_of(self.pretrainer)

    @property
    def max_length(self) -> int:
        """Tokens that the model has seen together; longer rows were never trained."""
        return self.config.max_seq_length

    @property
    def max_positions(self) -> int:
        return self.config.encoder.max_position_embeddings


@dataclasses.dataclass(frozen=True)
class FinetunedSource:
    """A fine-tuned model with its weights, and the one of its tasks to serve."""

    folder: str
    loaded: finetuned.FinetunedModel
    task_id: int
    step: int
    """Updates that made the weights."""
    converted_from: str | None
    """Where the weights are from, if they were not trained here."""
    data: list[dict]
    """The splits it was trained and evaluated on: task, split, numbers of examples and rows."""

    @property
    def config(self):
        return self.loaded.config

    @property
    def tokenizer(self) -> Tokenizer:
        return self.loaded.tokenizer

    @property
    def encoders(self) -> list[Encoder]:
        """The one encoder, in a list."""
        return [self.loaded.model.encoder]

    @property
    def task(self):
        return self.loaded.tasks[self.task_id]

    @property
    def max_length(self) -> int:
        return self.config.max_seq_length

    @property
    def max_positions(self) -> int:
        return self.config.encoder.max_position_embeddings


def load_source(folder: str, task_name: str | None = None) -> PretrainedSource | FinetunedSource:
    """The model of a folder that pre-training or fine-tuning wrote, computing in float32.

    Args:
        task_name: which task of a fine-tuned model; may be left out if there is one.

    Raises:
        FileNotFoundError: the folder has no such model.
        ValueError: a task is named that the model does not have, or none of several.
    """
    described = finetuned.read_config(folder)
    if described is not None:
        loaded = finetuned.load_finetuned(folder, precision="float32")
        return FinetunedSource(
            folder,
            loaded,
            task_number(loaded, folder, task_name),
            read_step(finetuned.weights_prefix(folder)),
            described.converted_from,
            list(described.data),
        )
    stored = pretrained.read_config(folder) if pretrained.is_own(folder) else None
    if stored is None:
        is_there = os.path.isdir(folder)
        found = f"has no {pretrained.CONFIG_FILE} of one" if is_there else "is not there"
        raise FileNotFoundError(
            f"model-dir {folder} is expected to be a folder that run_pretraining.py or "
            f"run_finetuning.py wrote, but {found}. For released checkpoints and Hugging Face "
            "folders use convert_checkpoint.py first; nothing is downloaded."
        )
    if task_name is not None:
        raise ValueError(f"task is {task_name!r}, but {folder} holds a pre-trained model.")
    config = _config_in_place(folder, stored.pretraining)
    tokenizer = run.load_matching_tokenizer(config)
    return PretrainedSource(
        folder,
        config,
        tokenizer,
        run.load_pretrainer(config, tokenizer),
        read_step(resolve_prefix(folder)),
        stored.converted_from,
    )


def _config_in_place(folder: str, stored: PretrainingConfig) -> PretrainingConfig:
    """The stored configuration, of the folder where it now is, to compute in float32."""
    vocab_file = os.path.join(folder, pretrained.VOCABULARY_FILE)
    return stored.replace(model_dir=folder, vocab_file=vocab_file, precision="float32")


def with_length(source, max_seq_length: int):
    """The same model for rows of another length."""
    if isinstance(source, PretrainedSource):
        return dataclasses.replace(
            source, config=source.config.replace(max_seq_length=max_seq_length)
        )
    config = dataclasses.replace(source.config, max_seq_length=max_seq_length)
    return dataclasses.replace(source, loaded=dataclasses.replace(source.loaded, config=config))
