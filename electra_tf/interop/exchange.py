# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Live models to and from Hugging Face folders."""

import keras

from electra_tf.finetuning.model_folder import FinetunedModel
from electra_tf.interop.huggingface.content import read_content, write_contents
from electra_tf.interop.huggingface.model import HuggingFaceModel, content_of, model_of
from electra_tf.interop.opening import HUGGING_FACE, find_model
from electra_tf.interop.stored_model import Pair, StoredModel
from electra_tf.interop.to_huggingface import content_of_part, contents_of
from electra_tf.pretraining.discriminator import Discriminator
from electra_tf.pretraining.generator import MaskedLanguageModel
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer


def load_huggingface(
    folder: str, *, pre_split: bool | None = None, tokenizer: str | None = None
) -> HuggingFaceModel:
    """The model of a Hugging Face ELECTRA folder.

    Args:
        folder: with config.json and model.safetensors; nothing is downloaded.
        pre_split: whether words are what white space separates, and nothing else; default: what
            the folder says.
        tokenizer: "bert" takes the vocabulary for BERT's although the folder describes another
            tokenizer.

    Returns:
        A Keras model that is called on {input_ids, input_mask, segment_ids} int32 [B, L].

    Raises:
        FileNotFoundError: there is no such folder, or no weights in it.
        ValueError: it is another kind of folder; class, tokenizer or a setting has no counterpart;
            the weights are pickled; or names or shapes differ, and all of them are listed.
    """
    kind = find_model(folder).kind
    if kind != HUGGING_FACE:
        raise ValueError(
            f"{folder} is expected to be a Hugging Face ELECTRA folder, but is one of the kind "
            f"{kind!r}; electra_tf.load reads all kinds."
        )
    return model_of(read_content(folder, pre_split, tokenizer))


def save_huggingface(
    model: keras.Model | StoredModel | FinetunedModel,
    folder: str,
    tokenizer: Tokenizer | None = None,
):
    """Write a Hugging Face folder: config.json, model.safetensors and the tokenizer's files.

    Args:
        model: a `HuggingFaceModel`; an `ElectraPretrainer`, whose discriminator goes to the folder
            and whose generator to `generator` inside it; one of those two; a `FinetunedModel` with
            one task; or a `StoredModel`.
        folder: a new one; it is there completely or not at all.
        tokenizer: for models that have none of their own.

    Raises:
        ValueError: the folder holds files, or Hugging Face has no class for the model; says why.
    """
    if isinstance(model, HuggingFaceModel):
        contents = {"": content_of(model)}
    elif isinstance(model, Discriminator | MaskedLanguageModel):
        contents = {"": content_of_part(model, tokenizer)}
    else:
        if isinstance(model, ElectraPretrainer):
            pair = Pair(model.config, model.generator, model.discriminator)
            model = StoredModel("the model", model.config, tokenizer, pair)
        if isinstance(model, FinetunedModel):
            found = model
            model = StoredModel(
                "the model", found.config, found.tokenizer, found.model, found.tasks
            )
        if not isinstance(model, StoredModel):
            raise ValueError(
                "model is expected to be an ElectraPretrainer, one of its two models, a "
                f"FinetunedModel or a HuggingFaceModel, but is a {type(model).__name__}."
            )
        contents = contents_of(model.folded())
    write_contents(contents, folder)
