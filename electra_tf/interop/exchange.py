# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Models to and from Hugging Face folders."""

from electra_tf.interop import folders
from electra_tf.interop.huggingface.content import read_content, write_content
from electra_tf.interop.huggingface.model import HuggingFaceModel, content_of, model_of


def load_huggingface(folder: str) -> HuggingFaceModel:
    """The model of a Hugging Face ELECTRA folder.

    Args:
        folder: with config.json and model.safetensors; nothing is downloaded.

    Returns:
        A Keras model that is called on {input_ids, input_mask, segment_ids} int32 [B, L].

    Raises:
        FileNotFoundError: there is no such folder, or no weights in it.
        ValueError: it is another kind of folder; the class or a setting has no counterpart here;
            the weights are pickled; or names or shapes differ, and all of them are listed.
    """
    kind = folders.kind_of(folder)
    if kind != folders.HUGGING_FACE:
        raise ValueError(
            f"{folder} is expected to be a Hugging Face ELECTRA folder, but is one of the kind "
            f"{kind!r}; electra_tf.load reads all kinds."
        )
    return model_of(read_content(folder))


def save_huggingface(model: HuggingFaceModel, folder: str):
    write_content(content_of(model), folder)
