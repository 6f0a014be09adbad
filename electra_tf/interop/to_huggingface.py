# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Our models as Hugging Face folders: which class is which model, and what has none.

A pre-trained pair is two folders there: the discriminator's, and inside it, in `generator`, the
generator's. Their encoders are both named "electra" in `huggingface.names`.
"""

import dataclasses

import keras
import numpy as np

from electra_tf.config import FinetuningConfig
from electra_tf.config.fields import Role, names_of
from electra_tf.finetuning.kinds import Kind, Questions, TextKind, kind_of
from electra_tf.interop.huggingface import Content
from electra_tf.interop.huggingface.config_file import ARCHITECTURES, HuggingFaceConfig
from electra_tf.interop.huggingface.names import (
    GENERATOR_FOLDER,
    renamed,
    with_segments_exchanged,
)
from electra_tf.interop.stored_model import StoredModel
from electra_tf.pretraining.pair import MaskedLanguageModel
from electra_tf.text import Tokenizer

PARTS = ("discriminator", "generator")


def contents_of(
    model: StoredModel, part: str | None = None, task: str | None = None
) -> dict[str, Content]:
    """What is written for a model: folder inside the output ("" for itself) -> content.

    Args:
        part: "discriminator" or "generator" of a pre-trained pair; default: both.
        task: which head of a model that was fine-tuned on several tasks.

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
    """The content of a `Discriminator` or `MaskedLanguageModel`.

    Raises:
        ValueError: it is another generator, or its settings have no counterpart.
    """
    is_generator = isinstance(part, MaskedLanguageModel)
    if not is_generator and not hasattr(part, "encoder"):
        raise ValueError(
            f"a {type(part).__name__} cannot be written: Hugging Face has no class with two "
            'towers or without weights. The discriminator can: part "discriminator".'
        )
    encoder = part.encoder.config
    if is_generator and encoder.hidden_act != "gelu":
        raise ValueError(
            "the generator cannot be written: Hugging Face's has GELU before the vocabulary, this "
            f"one has hidden_act={encoder.hidden_act!r}."
        )
    weights = {
        # A separate generator's encoder is the only one in its folder.
        renamed(variable.path, "generator/", "electra/"): np.asarray(variable.value)
        for variable in part.trainable_variables
    }
    architecture = "ElectraForMaskedLM" if is_generator else "ElectraForPreTraining"
    config = HuggingFaceConfig(architecture, encoder, extra={"step": step})
    return Content(config, weights, tokenizer)


def _of_finetuned(found: StoredModel, task_name: str | None) -> Content:
    names = [task.name for task in found.tasks]
    if task_name is None and len(names) == 1:
        task_name = names[0]
    if task_name not in names:
        raise ValueError(
            f"task is expected to be one of those of {found.description}, {', '.join(names)}, but "
            f"is {task_name!r}."
        )
    spec = found.tasks[names.index(task_name)].spec
    settings = found.config
    weights = {
        name: weight
        for name, weight in found.weights.items()
        if not name.startswith("task_specific/") or name.startswith(f"task_specific/{task_name}/")
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
    return Content(config, weights, found.tokenizer, task_name)


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
