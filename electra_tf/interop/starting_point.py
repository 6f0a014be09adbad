# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Whatever training may begin with: found by path, told apart by its files."""

from typing import Any

import numpy as np

from electra_tf.config import PretrainingConfig
from electra_tf.config.stored_sizes import configured_sizes
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.finetuning.starting_weights import StartingPoint
from electra_tf.interop.huggingface.content import read_encoder
from electra_tf.interop.huggingface.tokenizer_files import read_tokenizer
from electra_tf.interop.opening import (
    EXPORTED,
    FINETUNED,
    HUGGING_FACE,
    PRETRAINED,
    find_model,
    open_model,
    vocabulary_in,
)
from electra_tf.interop.reference_shapes import encoder_of, inferred_fields
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.pretraining.starting_weights import StartingWeights
from electra_tf.text import stored_settings
from electra_tf.training.weights import check_size, usable_weights


def find_starting_point(
    path: str, pre_split: bool | None = None, tokenizer: str | None = None
) -> StartingPoint:
    """The encoder at a path.

    Args:
        path: a folder that pre-training or fine-tuning wrote here, a Hugging Face ELECTRA folder,
            or a checkpoint of the original or a folder with one.
        pre_split: see `text.load_tokenizer`; what the folder says by default.
        tokenizer: likewise.

    Raises:
        FileNotFoundError: there is nothing of the kind.
        ValueError: what is there cannot be used.
    """
    kind, folder, prefix = find_model(path)
    if kind == EXPORTED:
        raise _exported(path)
    if kind == HUGGING_FACE:
        return _from_huggingface(path, pre_split, tokenizer)
    if kind == FINETUNED:
        return _from_own(prefix, folder, finetuned.read_config(folder), "the fine-tuned model")
    if kind == PRETRAINED:
        return _from_own(prefix, folder, pretrained.read_config(folder), "the pre-trained model")
    return _from_reference(prefix, folder, pre_split, tokenizer)


def find_pretraining_weights(config: PretrainingConfig) -> StartingWeights | None:
    """The weights at `init_checkpoint` of a pre-training run; None if it is a checkpoint.

    Of Hugging Face folders: a pair, a discriminator or a generator; of other classes the encoder.

    Raises:
        FileNotFoundError: there is nothing of the kind.
        ValueError: what is there cannot be used.
    """
    path = config.init_checkpoint
    try:
        kind = find_model(path).kind
    except FileNotFoundError as error:
        raise FileNotFoundError(f"init_checkpoint: {error}") from error
    if kind == EXPORTED:
        raise _exported(path)
    if kind != HUGGING_FACE:
        return None
    found = read_encoder(path)
    given: dict[str, Any] = {"pre_split": config.pre_split or None, "tokenizer": config.tokenizer}
    if found.config.architecture not in ("ElectraForPreTraining", "ElectraForMaskedLM"):
        vocabulary = read_tokenizer(path, **given).vocabulary
        return StartingWeights(found.weights, f"the Hugging Face model {path}", vocabulary)
    model = open_model(path, {name: v for name, v in given.items() if v is not None})
    vocabulary = model.tokenizer.vocabulary if model.tokenizer else None
    return StartingWeights(model.weights, model.description, vocabulary)


def _exported(path: str) -> ValueError:
    return ValueError(
        f"{path} is an exported model, whose weights cannot be trained; the folder that it was "
        "exported from is expected."
    )


def _from_own(
    prefix: str,
    folder: str,
    stored: pretrained.StoredModel | finetuned.StoredModel,
    what: str,
) -> StartingPoint:
    check_size(prefix, configured_sizes(stored.encoder))
    return StartingPoint(
        stored.encoder,
        _encoder_weights(prefix),
        f"{what} {prefix}",
        tokenizer=stored.case,
        vocab_file=vocabulary_in(folder),
    )


def _from_reference(prefix, folder, pre_split, tokenizer) -> StartingPoint:
    vocab_file = vocabulary_in(folder)
    settings = {}
    if vocab_file is not None:
        settings = stored_settings(vocab_file, pre_split=pre_split, tokenizer=tokenizer)
    return StartingPoint(
        encoder_of(prefix),
        _encoder_weights(prefix),
        f"the checkpoint {prefix}",
        inferred=inferred_fields(prefix),
        tokenizer=settings,
        vocab_file=vocab_file,
    )


def _from_huggingface(folder, pre_split, tokenizer) -> StartingPoint:
    files, found = read_tokenizer(folder, pre_split, tokenizer), read_encoder(folder)
    return StartingPoint(
        found.config.encoder,
        found.weights,
        f"the Hugging Face model {folder}",
        tokenizer=files.settings,
        vocab_file=files.vocab_file,
    )


def _encoder_weights(prefix) -> dict[str, np.ndarray]:
    weights = usable_weights(prefix)
    return {name: value for name, value in weights.items() if name.startswith("electra/")}
