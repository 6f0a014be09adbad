# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writing models, opened ones and live ones, in any format."""

import dataclasses
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from electra_tf.files import write_json, writes
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.finetuning.model_folder import FinetunedModel
from electra_tf.folders import new_folder
from electra_tf.interop.error_calibration import write_calibration
from electra_tf.interop.huggingface.content import write_contents
from electra_tf.interop.huggingface.model import HuggingFaceModel
from electra_tf.interop.huggingface.our_models import content_of_part, contents_of, heads_left
from electra_tf.interop.reference import UNTOLD_FILE, untold
from electra_tf.interop.stored_model import Pair, StoredModel
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.pretraining.discriminators import Discriminator, TokenRestorer
from electra_tf.pretraining.pair import MaskedLanguageModel
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer, save_tokenizer
from electra_tf.training.checkpoints.checkpoint import (
    GLOBAL_STEP,
    CheckpointFolder,
    write_names,
    write_tensors,
)


def write_own(model: StoredModel, folder: str) -> None:
    """Write a folder as training here does: checkpoint, config.json, vocabulary.

    Raises:
        ValueError: the folder is not new, or the tokenizer is unknown.
    """
    if model.tokenizer is None:
        raise ValueError(
            f"{model.description} has no vocabulary, which a folder of this library holds; "
            "put vocab.txt beside the weights or name it."
        )
    with new_folder(folder) as partial:
        if model.is_finetuned:
            config = dataclasses.replace(model.config, model_dir=folder)
            finetuned.write_config(
                partial,
                config,
                model.tokenizer,
                model.tasks,
                run_key=f"converted from {model.description}",
                converted_from=model.description,
            )
        else:
            config = dataclasses.replace(model.config, model_dir=partial)
            pretrained.write_config(config, model.tokenizer, converted_from=model.description)
            if model.error_calibration is not None:
                weights = model.discriminator_fingerprint
                write_calibration(model.error_calibration, partial, model.step, weights)
        CheckpointFolder(partial).save(model.step, {**model.weights, **model.moments}, {})


def write_reference(model: StoredModel, folder: str) -> None:
    """Write a folder as the original's: model.ckpt-<step>, `checkpoint`, vocab.txt.

    Two more files are not the original's: tokenizer.json says the case, encoder.json
    attention heads of another width than 64 and an activation other than GELU, if there are such.

    Raises:
        ValueError: the folder is not new, or the model has a head that the original has not.
    """
    if model.is_finetuned and model.config.classifier_hidden_layer:
        raise ValueError(
            "classifier_hidden_layer is expected to be false, since the original's heads have no "
            "hidden layer, but the model has one, as Hugging Face's have."
        )
    for task in model.tasks:
        if task.spec.prompt is not None:
            raise ValueError(
                f"the task {task.name} is expected to have no prompt, since the original's heads "
                "know none, but has one."
            )
    with new_folder(folder) as partial:
        name = f"model.ckpt-{model.step}"
        arrays = {**model.weights, **model.moments, GLOBAL_STEP: np.int64(model.step)}
        with writes(os.path.join(folder, name)):
            tensors = {key: tf.constant(array) for key, array in arrays.items()}
            write_tensors(os.path.join(partial, name), tensors)
        write_names(partial, [name])
        if fields := untold(model.encoder):
            write_json(os.path.join(partial, UNTOLD_FILE), fields)
        if model.tokenizer is not None:
            save_tokenizer(model.tokenizer, partial)


WRITERS: dict[str, Callable[[StoredModel, str], None]] = {
    "electra_tf": write_own,
    "reference": write_reference,
}
HUGGING_FACE = "huggingface"
FORMATS = (*WRITERS, HUGGING_FACE)


def convert(
    model: StoredModel, target: str, folder: str, part: str | None = None, task: str | None = None
) -> list[str]:
    """Write a model in a format.

    Args:
        model: what is written; it is not changed.
        target: one of `FORMATS`.
        folder: a new one.
        part: of a pre-trained pair, for Hugging Face: "discriminator" or "generator".
        task: of a model fine-tuned on several tasks, for Hugging Face.

    Returns:
        Lines that say what was written, and what of the source was not.

    Raises:
        ValueError: the format has no place for the model; says why.
    """
    model = model.folded()
    left = list(model.left_behind)
    if target == HUGGING_FACE:
        contents = contents_of(model, part, task)
        write_contents(contents, folder)
        left += heads_left(model, task)
        lines = [
            f"{os.path.normpath(os.path.join(folder, name))}: {content.config.architecture}, "
            f"{len(content.weights)} variables"
            for name, content in contents.items()
        ]
        if model.moments:
            left.append(f"{len(model.moments)} of Adam's moments")
    else:
        if part is not None or task is not None:
            raise ValueError(f"part and task are for {HUGGING_FACE}, but the format is {target}.")
        WRITERS[target](model, folder)
        lines = [f"{folder}: step {model.step}, {len(model.weights)} variables"]
        if model.moments:
            lines.append(f"  with {len(model.moments)} of Adam's moments")
    if model.error_calibration is not None and target != "electra_tf":
        left.append("the calibration of errors")
    if left:
        lines.append(f"not written, since the format has no place for them: {', '.join(left)}")
    if not model.is_finetuned and model.config.uniform_generator:
        lines.append(
            "no generator was found: this is a discriminator alone, and trained further as it is, "
            "it sees fakes drawn uniformly from the vocabulary"
        )
    if model.tokenizer is None:
        lines.append("no vocabulary was found, so no tokenizer was written")
    return lines


def save_huggingface(
    model: keras.Model | StoredModel | FinetunedModel,
    folder: str,
    tokenizer: Tokenizer | None = None,
) -> None:
    """Write a Hugging Face folder: config.json, model.safetensors and the tokenizer's files.

    Args:
        model: a `HuggingFaceModel`; an `ElectraPretrainer`, whose discriminator goes to the folder
            and whose generator to `generator` inside it; one of those two; a `FinetunedModel` with
            one task; or a `StoredModel`.
        folder: a new one, which is written completely or not at all.
        tokenizer: for models without one.

    Raises:
        ValueError: the folder holds files, or Hugging Face has no class for the model; says why.
    """
    if isinstance(model, HuggingFaceModel):
        contents = {"": model.content}
    elif isinstance(model, Discriminator | TokenRestorer | MaskedLanguageModel):
        contents = {"": content_of_part(model, tokenizer)}
    else:
        if isinstance(model, ElectraPretrainer):
            pair = Pair(model.config, model.generator, model.discriminator)
            model = StoredModel.of("the model", model.config, tokenizer, pair)
        if isinstance(model, FinetunedModel):
            found = model
            model = StoredModel.of(
                "the model", found.config, found.tokenizer, found.model, tasks=found.tasks
            )
        if not isinstance(model, StoredModel):
            raise ValueError(
                "model is expected to be an ElectraPretrainer, one of its two models, a "
                f"FinetunedModel or a HuggingFaceModel, but is a {type(model).__name__}."
            )
        contents = contents_of(model.folded())
    write_contents(contents, folder)
