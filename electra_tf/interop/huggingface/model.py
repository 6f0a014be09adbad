# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Hugging Face model as a Keras model: our encoder and heads, wired as its class is."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config import EncoderConfig, FinetuningConfig
from electra_tf.config.stored import as_stored, from_stored
from electra_tf.config.task_table import TASKS, TaskSpec
from electra_tf.finetuning.kinds import KINDS, TextKind, kind_of
from electra_tf.finetuning.model import TaskHeads, make_head
from electra_tf.finetuning.starting_weights import config_for
from electra_tf.interop.huggingface.config_file import HuggingFaceConfig
from electra_tf.interop.huggingface.content import Content
from electra_tf.interop.stored_model import StoredModel
from electra_tf.model import Encoder, Initializers, ReplacedTokenHead, TokenPredictionHead
from electra_tf.model.part import freeze_weights, frozen_weights, serializable
from electra_tf.seeds import SeedSource


@serializable
class HuggingFaceModel(keras.Model):
    """What `load_huggingface` gives; its variables have our names.

    Call: {input_ids, input_mask, segment_ids} int32 [B, L] -> `last_hidden_state` [B, L, H] and,
    by class, float32
        ElectraForPreTraining: `logits` [B, L], above 0 for replaced tokens;
        ElectraForMaskedLM: `logits` [B, L, V];
        ElectraForTokenClassification: `logits` [B, L, C];
        ElectraForSequenceClassification: `logits` [B, C];
        ElectraForQuestionAnswering: `start_logits`, `end_logits` [B, L], of all positions.

    Encoder and classification head drop out with `training=True`. Files of Keras keep the weights;
    the tokenizer is in folders only (`save_huggingface`).

    Args:
        content: of the folder; without weights they are random.
        **kwargs: of `keras.Model`.
    """

    def __init__(self, content: Content, name: str = "huggingface", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        # ---- Layers
        self.config = config = content.config
        initializers = Initializers(config.encoder.initializer_range, seed=0)
        self.encoder = Encoder(config.encoder, initializers)
        self.head = _make_head(config, content.task, initializers)
        self.built = True
        # ---- Config
        self.task = content.task
        self.tokenizer = content.tokenizer
        self.seed_source = SeedSource()
        for variable in self.trainable_variables if content.weights else ():
            variable.assign(content.weights[variable.path])

    def get_config(self) -> dict[str, Any]:
        """What a model is made from, JSON-serializable."""
        return {
            **super().get_config(),
            "config": as_stored(self.config),
            "task": self.task,
            "frozen": frozen_weights(self),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "HuggingFaceModel":
        """A model with new weights, from what `get_config` gave."""
        config = dict(config)
        where = "the configuration of a HuggingFaceModel"
        stored = from_stored(HuggingFaceConfig, config.pop("config"), where)
        frozen, task = config.pop("frozen"), config.pop("task")
        model = cls(Content(stored, {}, task=task), **config)
        freeze_weights(model, frozen)
        return model

    @property
    def content(self) -> Content:
        """What a folder of the model holds, with the weights as they are now."""
        weights = {v.path: np.asarray(v.value) for v in self.weights}
        return Content(self.config, weights, self.tokenizer, self.task)

    def call(
        self, inputs: Mapping[str, tf.Tensor], training: bool | None = None
    ) -> dict[str, tf.Tensor]:
        hidden = self.encoder(inputs, training=training).last_hidden_state
        seed = self.seed_source.next() if training else None
        return {"last_hidden_state": hidden, **self._outputs(hidden, seed)}

    def _outputs(self, hidden: tf.Tensor, seed: tf.Tensor | None) -> dict[str, tf.Tensor]:
        architecture = self.config.architecture
        if architecture == "ElectraModel":
            return {}
        if architecture == "ElectraForMaskedLM":
            return {"logits": self.head(hidden, self.encoder.embeddings.word_embeddings)}
        if architecture == "ElectraForPreTraining":
            return {"logits": self.head(hidden)}
        (head,) = self.head.heads
        if architecture == "ElectraForSequenceClassification":
            return {"logits": head.logits(hidden, seed)}
        if architecture == "ElectraForTokenClassification":
            return {"logits": tf.cast(head.output_layer(hidden), tf.float32)}
        return {
            "start_logits": tf.cast(head.start_layer(hidden)[..., 0], tf.float32),
            "end_logits": tf.cast(head.end_layer(hidden)[..., 0], tf.float32),
        }


def task_spec(name: str, kind: str, labels: Sequence[str] | None) -> TaskSpec:
    """The built-in task of a name, if it is of the kind, with these labels.

    Else it is a task of the kind that has a single unlabelled file. Labels are in the order of
    their ids; kinds without labels have None.
    """
    labels = None if labels is None else tuple(labels)
    if name in TASKS and TASKS[name].spec.kind == kind:
        spec = TASKS[name].spec
        return dataclasses.replace(spec, labels=labels if labels is not None else spec.labels)
    return KINDS[kind].spec_of_head(name, labels)


def settings_for(
    spec: TaskSpec,
    encoder: EncoderConfig,
    classifier_dropout: float | None = None,
    **given: Any,
) -> FinetuningConfig:
    """A configuration under which a head of Hugging Face's architectures is built.

    The dropout before it is the encoder's by default; further hyperparameters are taken as given.
    """
    hparams = {
        **kind_of(spec).hparams,
        "task_names": [spec.name],
        # The longest that the published models have seen; rows are trimmed to what is in them.
        "max_seq_length": min(512, encoder.max_position_embeddings),
        "classifier_dropout": classifier_dropout,
        "classifier_hidden_layer": isinstance(kind_of(spec), TextKind),
        "joint_prediction": False,
        "answerable_classifier": False,
        **given,
    }
    return config_for(spec.name, "", hparams, StoredModel(f"the task {spec.name}", encoder, {}))


def _make_head(config: HuggingFaceConfig, task: str, initializers: Initializers):
    if config.architecture == "ElectraModel":
        return None
    if config.architecture == "ElectraForPreTraining":
        return ReplacedTokenHead(config.encoder, initializers)
    if config.architecture == "ElectraForMaskedLM":
        return TokenPredictionHead(config.encoder, initializers, config.encoder.hidden_size)
    spec = task_spec(task, config.kind, config.labels)
    settings = settings_for(spec, config.encoder, config.classifier_dropout)
    return TaskHeads([make_head(spec, settings, initializers, config.encoder.hidden_size)])
