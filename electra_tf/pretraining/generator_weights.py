# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The weights of another model's generator, for a generator to begin with or to keep."""

import os
from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np
from absl import logging

from electra_tf.pretraining.positions import positions_of_checkpoint, tables_in
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer, Vocabulary, load_vocabulary
from electra_tf.training.checkpoints.checkpoint import resolve_prefix
from electra_tf.training.checkpoints.checkpoint_reader import (
    CheckpointReader,
    differing_names,
    float32_of,
)
from electra_tf.training.checkpoints.weights import SUFFIX


class StartingWeights(Protocol):
    """Weights that are in no checkpoint: an `interop.StoredModel`, whose fields these are."""

    description: str
    weights: Mapping[str, np.ndarray]
    vocabulary: Vocabulary | None


def load_generator(
    path: str, pretrainer: ElectraPretrainer, tokenizer: Tokenizer, found: StartingWeights | None
) -> dict[str, int]:
    """Give a generator the weights of another model's: of its generator, or of a masked LM.

    A generator that shares its embeddings with the discriminator gives them to it, too.

    Args:
        path: a checkpoint or a folder with one.
        pretrainer: with a separate generator.
        tokenizer: the one the model is trained with.
        found: the weights, if `path` is no checkpoint.

    Returns:
        How many positions of each of the generator's tables of positions are trained, by its name.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: there is no generator, or its shapes or vocabulary are others.
    """
    if found is None:
        source = resolve_prefix(path)
        reader = CheckpointReader(source)
        shapes, vocabulary = reader.shapes, _vocabulary_beside(source)
        stored = positions_of_checkpoint(source, shapes)
    else:
        source, reader, vocabulary = found.description, found.weights, found.vocabulary
        shapes = {name: list(weight.shape) for name, weight in reader.items()}
        stored = {name: shapes[name][0] for name in tables_in(shapes)}
    if vocabulary is not None and vocabulary.sha256 != tokenizer.vocabulary.sha256:
        raise ValueError(
            f"generator_checkpoint: the vocabulary of {source} is expected to be that of the run, "
            "since the fakes are its tokens, but differs from it."
        )
    variables = {variable.path: variable for variable in pretrainer.generator.weights}
    sources = {name: _source_of(name, shapes) for name in variables}
    subject = f"generator_checkpoint: {source} does not fit the generator"
    differing_names(
        {name: shapes[theirs] for name, theirs in sources.items() if theirs in shapes},
        {name: list(variable.shape) for name, variable in variables.items()},
        "the checkpoint",
        subject,
    )
    for name, variable in variables.items():
        variable.assign(float32_of(reader[sources[name]], sources[name], source))
    logging.info("The generator begins with %d weights of %s.", len(variables), source)
    return {name: stored[sources[name].removesuffix(SUFFIX)] for name in tables_in(variables)}


def _source_of(name: str, names: Collection[str]) -> str:
    """The name that a model has for one of our generator's weights; averages come first."""
    encoder = name.removeprefix("generator/").removeprefix("electra/")
    choices = [name]
    if encoder != name:
        choices = [f"generator/{encoder}", f"electra/{encoder}"]
        has_generator = any(other.startswith("generator/") for other in names)
        if has_generator and not encoder.startswith("embeddings/"):
            choices = choices[:1]  # "electra/..." is its discriminator
    averaged = [f"{choice}{SUFFIX}" for choice in choices]
    ordered = [one for pair in zip(averaged, choices, strict=True) for one in pair]
    return next((one for one in ordered if one in names), name)


def _vocabulary_beside(prefix: str) -> Vocabulary | None:
    try:
        return load_vocabulary(os.path.dirname(prefix))
    except FileNotFoundError:
        return None
