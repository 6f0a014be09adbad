# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Our models as Hugging Face folders hold them, read and written: which class is which model.

A pre-trained pair is two folders there: the discriminator's, and inside it, in `generator`, the
generator's. Their encoders are both named "electra" in `huggingface.names`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from absl import logging

from electra_tf.config import FinetuningConfig, check
from electra_tf.config.fields import Role, names_of
from electra_tf.config.stored import from_stored
from electra_tf.config.task_json import task_from_json
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds import Kind, TextKind, kind_of
from electra_tf.finetuning.kinds.questions import Questions
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.model_folder import check_spec
from electra_tf.finetuning.prediction import task_number
from electra_tf.finetuning.task import Task
from electra_tf.interop.huggingface.config_file import HuggingFaceConfig
from electra_tf.interop.huggingface.content import Content
from electra_tf.interop.huggingface.model import settings_for, task_spec
from electra_tf.interop.huggingface.names import (
    ARCHITECTURES,
    GENERATOR_FOLDER,
    renamed,
    with_segments_exchanged,
)
from electra_tf.interop.stored_model import Pair, StoredModel, pretraining_config
from electra_tf.pretraining.discriminators import TokenRestorer
from electra_tf.pretraining.pair import MaskedLanguageModel
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.weights import assign_weights

PARTS = ("discriminator", "generator")
OF_A_TASK = ("task_names", "max_seq_length")
"""Hyperparameters that may be given for a folder with the head of a task."""


def model_of_content(
    content: Content,
    generator: Content | None,
    folder: str,
    hparams: Mapping[str, Any] | None = None,
) -> StoredModel:
    """Our model of one folder, or of the two of a pair, of which `content` is the discriminator's.

    Hyperparameters can be given for a model with the head of a task, see `OF_A_TASK`.

    Raises:
        ValueError: the two are no pair, or the class is none that a model here is made of, or
            hyperparameters do not fit it.
    """
    architecture, source = content.config.architecture, f"the Hugging Face model {folder}"
    for part in (content, generator):
        _require_gelu(part, source)
    if hparams and content.config.kind is None:
        raise ValueError(
            f"{', '.join(sorted(hparams))} can be given for a model with the head of a task, but "
            f"{source} is a {architecture}."
        )
    if content.config.architecture == "ElectraModel":
        own = f"{folder}/{GENERATOR_FOLDER}"
        raise ValueError(
            f"{source} is an encoder without a head, which can only be used as the initial weights "
            f"of fine-tuning.{f' Its generator is a model of its own, {own}.' if generator else ''}"
        )
    if generator is not None:
        _require_pair(content, generator, source)
        found = _pair(content, generator, source)
    elif content.config.kind is not None:
        found = _finetuned(content, source, hparams or {})
    else:
        found = _part(content, source)
    return dataclasses.replace(
        found, step=content.config.extra.get("step", 0), folder=folder, origin=source
    )


def _part(content: Content, source: str) -> StoredModel:
    is_discriminator = content.config.architecture == "ElectraForPreTraining"
    objective = {"uniform_generator": True} if is_discriminator else {"electra_objective": False}
    return _pretrained(content, objective, content.weights, source)


def _pair(content: Content, generator: Content, source: str) -> StoredModel:
    full, small = content.config.encoder, generator.config.encoder
    theirs = generator.weights
    same = {
        name
        for name in theirs
        if name in content.weights and np.array_equal(theirs[name], content.weights[name])
    }
    own = {name for name in theirs if name.startswith("electra/")}
    embeddings = {name for name in own if name.startswith("electra/embeddings/")}
    if own <= same and full == small:
        objective: dict[str, Any] = {"untied_generator": False}
        weights = theirs
    else:
        objective = {
            "untied_generator_embeddings": not embeddings <= same,
            "generator_hidden_size": small.hidden_size / full.hidden_size,
            "generator_layers": small.num_hidden_layers / full.num_hidden_layers,
        }
        if not embeddings <= same and small.embedding_size != small.hidden_size:
            objective["generator_embedding_size"] = small.embedding_size
        weights = {
            renamed(name, "electra/", "generator/"): weight
            for name, weight in theirs.items()
            if not (embeddings <= same and name in embeddings)
        }
    found = _pretrained(content, objective, {**weights, **content.weights}, source)
    built = found.config.generator_encoder
    for name in ("num_attention_heads", "hidden_act"):
        expected, stored = getattr(built, name), getattr(small, name)
        where = f"{source}: {name} of its generator"
        check(stored == expected, where, f"{expected!r}, as in the original", stored)
    return found


def _require_pair(content: Content, generator: Content, source: str):
    expected = ("ElectraForPreTraining", "ElectraForMaskedLM")
    found = (content.config.architecture, generator.config.architecture)
    if found != expected:
        raise ValueError(
            f"{source} and its generator are expected to be of the classes {expected}, but are of "
            f"{found}."
        )
    if content.tokenizer and generator.tokenizer:
        if content.tokenizer.settings != generator.tokenizer.settings:
            raise ValueError(f"{source} and its generator are expected to share a tokenizer.")


def _pretrained(
    content: Content,
    objective: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    source: str,
) -> StoredModel:
    tokenizer = content.tokenizer
    case = {} if tokenizer is None else tokenizer.case
    config = pretraining_config(content.config.encoder, objective, case)
    pair = Pair.build(config)
    assign_weights(weights, pair, source, None, "a model here", "the source")
    return StoredModel.of(source, config, tokenizer, pair)


def _require_gelu(content: Content | None, source: str):
    if content is None or content.config.architecture != "ElectraForMaskedLM":
        return
    activation = content.config.encoder.hidden_act
    if activation != "gelu":
        raise ValueError(
            f"{source} cannot be read: Hugging Face's generator has GELU before the vocabulary, "
            f"ours its hidden_act, which is {activation!r}."
        )


def _described(content: Content, names: Sequence[str], source: str) -> TaskSpec:
    """The task of a JSON file with the labels of the folder, in their order."""
    config = content.config
    is_path = len(names) == 1 and names[0].endswith(".json")
    check(is_path, "task_names", f"the path of one JSON file, as {source} has one head", names)
    spec = task_from_json(names[0])
    if spec.kind != config.kind:
        raise ValueError(
            f"{names[0]} is expected to describe a task of the kind {config.kind}, as {source} is, "
            f"but its kind is {spec.kind}."
        )
    if spec.labels is not None and not set(config.labels) <= set(spec.labels):
        raise ValueError(
            f"{names[0]} is expected to have the labels of {source}, "
            f"{', '.join(config.labels)}, but has {', '.join(spec.labels)}."
        )
    # What the head gives is the score itself.
    value_range = kind_of(spec).range_of_outputs
    return dataclasses.replace(spec, labels=config.labels, value_range=value_range)


def _finetuned(content: Content, source: str, hparams: Mapping[str, Any]) -> StoredModel:
    config, extra = content.config, content.config.extra
    if "task_names" in hparams:
        spec = _described(content, hparams["task_names"], source)
    elif "task" in extra:
        spec = from_stored(TaskSpec, extra["task"], f"{source}: electra_tf.task")
        check_spec(spec, source)
    else:
        spec = task_spec(content.task, config.kind, config.labels)
    given = {name: value for name, value in hparams.items() if name != "task_names"}
    known = {**extra.get("settings", {}), **given}
    try:
        settings = settings_for(spec, config.encoder, config.classifier_dropout, **known)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    if content.tokenizer is not None:
        settings = settings.replace(**content.tokenizer.case)
    model = FinetuningModel(settings.replace(precision="float32"), [spec])
    weights = {
        renamed(name, f"task_specific/{content.task}/", f"task_specific/{spec.name}/"): weight
        for name, weight in content.weights.items()
    }
    if kind_of(spec).first_segment:
        weights = with_segments_exchanged(weights)
    assign_weights(weights, model, source, None, "a model here", "the source")
    tasks = (Task(spec, "", BadRows()),)
    return StoredModel.of(source, settings, content.tokenizer, model, tasks=tasks)


def contents_of(
    model: StoredModel, part: str | None = None, task: str | None = None
) -> dict[str, Content]:
    """What is written for a model: folder inside the output ("" for itself) -> content.

    Of a pre-trained pair `part` is "discriminator" or "generator", by default both; `task` is the
    head of a model that was fine-tuned on several tasks.

    Raises:
        ValueError: there is no such part or task, or it has no counterpart there; says why, and
            what there is.
    """
    if model.is_finetuned:
        if part is not None:
            raise ValueError(
                f"part can be given for a pre-trained pair, not for {model.description}"
            )
        return {"": _of_finetuned(model, task)}
    if task is not None:
        raise ValueError(f"task can be given for a fine-tuned model, not for {model.description}.")
    found = model.parts
    if part is not None and part not in found:
        raise ValueError(
            f"part is expected to be one of those of {model.description}, {', '.join(found)}, but "
            f"is {part!r}."
        )
    wanted = [part] if part is not None else list(found)
    contents = [content_of_part(found[name], model.tokenizer, model.step) for name in wanted]
    return dict(zip(("", GENERATOR_FOLDER), contents, strict=False))


def heads_left(model: StoredModel, task: str | None) -> list[str]:
    """What is not written of a model of several tasks: a folder there has one head."""
    names = sorted(found.name for found in model.tasks)
    return [f"the head of the task {name}" for name in names if len(names) > 1 and name != task]


def content_of_part(part: keras.Model, tokenizer: Tokenizer | None, step: int = 0) -> Content:
    """The content of a `Discriminator` or `MaskedLanguageModel`; of a `TokenRestorer` the encoder.

    Raises:
        ValueError: it is another generator, or its settings have no counterpart.
    """
    is_generator = isinstance(part, MaskedLanguageModel)
    if not is_generator and not hasattr(part, "encoder"):
        raise ValueError(
            f"a {type(part).__name__} cannot be written: Hugging Face has no class with two "
            'towers or without weights. The discriminator can: part "discriminator".'
        )
    if isinstance(part, TokenRestorer):
        logging.warning(
            "The head that restores tokens is not written, since Hugging Face has no class with "
            "it: the encoder alone is."
        )
        architecture, written = "ElectraModel", part.encoder
    else:
        architecture = "ElectraForMaskedLM" if is_generator else "ElectraForPreTraining"
        written = part
    encoder = part.encoder.config
    if is_generator and encoder.hidden_act != "gelu":
        raise ValueError(
            "the generator cannot be written: Hugging Face's has GELU before the vocabulary, this "
            f"one has hidden_act={encoder.hidden_act!r}."
        )
    weights = {
        # A separate generator's encoder is the only one in its folder.
        renamed(variable.path, "generator/", "electra/"): np.asarray(variable.value)
        for variable in written.weights
    }
    config = HuggingFaceConfig(architecture, encoder, extra={"step": step})
    return Content(config, weights, tokenizer)


def _of_finetuned(found: StoredModel, task_name: str | None) -> Content:
    spec = found.tasks[task_number(found, found.description, task_name)].spec
    settings = found.config
    weights = {
        name: weight
        for name, weight in found.weights.items()
        if not name.startswith("task_specific/") or name.startswith(f"task_specific/{spec.name}/")
    }
    if kind_of(spec).first_segment:
        weights = with_segments_exchanged(weights)
    config = HuggingFaceConfig(
        _architecture(kind_of(spec), settings),
        found.encoder,
        spec.kind,
        spec.labels,
        settings.classifier_dropout,
        extra={
            "step": found.step,
            "task": dataclasses.asdict(spec),
            "settings": {
                name: getattr(settings, name)
                for name in names_of(FinetuningConfig, Role.PREDICTION)
            },
        },
    )
    return Content(config, weights, found.tokenizer, spec.name)


def _architecture(kind: Kind, settings: FinetuningConfig) -> str:
    """The class of a head; raises ValueError with the reason where there is none."""
    if kind.name not in ARCHITECTURES:
        raise ValueError(
            f"the head cannot be written: Hugging Face has none for a task of the kind {kind.name},"
            f" only for {', '.join(ARCHITECTURES)}. The SavedModel export takes every head."
        )
    is_joint = settings.joint_prediction or settings.answerable_classifier
    if isinstance(kind, Questions) and is_joint:
        raise ValueError(
            "the head cannot be written: Hugging Face's predicts start and end of an answer "
            "independently and has no answerable classifier, but this one has "
            f"joint_prediction={settings.joint_prediction} and answerable_classifier="
            f"{settings.answerable_classifier}. Fine-tune with both false to write it; the "
            "SavedModel export takes every head."
        )
    if isinstance(kind, TextKind) and not settings.classifier_hidden_layer:
        raise ValueError(
            "the head cannot be written: Hugging Face's sequence classification has a hidden layer "
            "between the first token and the classes, which this one, like the original's, has "
            "not. Fine-tune with classifier_hidden_layer true to write it; the SavedModel export "
            "takes every head."
        )
    return ARCHITECTURES[kind.name]
