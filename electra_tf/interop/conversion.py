# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From any format of weights to any other."""

import dataclasses
import os
from collections.abc import Callable

from electra_tf.files import new_folder
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.interop.huggingface import write_contents
from electra_tf.interop.reference import write_checkpoint
from electra_tf.interop.stored_model import StoredModel
from electra_tf.interop.to_huggingface import contents_of, heads_left
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.training.checkpoint import CheckpointFolder


def write_own(model: StoredModel, folder: str):
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
        CheckpointFolder(partial).save(model.step, {**model.weights, **model.moments}, {})


WRITERS: dict[str, Callable[[StoredModel, str], None]] = {
    "electra_tf": write_own,
    "reference": write_checkpoint,
}
HUGGING_FACE = "huggingface"
FORMATS = (*WRITERS, HUGGING_FACE)


def convert(
    model: StoredModel, target: str, folder: str, part: str | None = None, task: str | None = None
) -> list[str]:
    """Write a model in a format.

    Args:
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
