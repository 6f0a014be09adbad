# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The initial weights of pre-training, at step 0, whatever their source."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.stored import Shapes
from electra_tf.files import first_names
from electra_tf.pretraining import model_folder
from electra_tf.pretraining.discriminators import RESTORATION_HEAD
from electra_tf.pretraining.positions import (
    load_longer,
    positions_of_checkpoint,
    shorter_tables,
    tables_in,
)
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer, Vocabulary
from electra_tf.training.checkpoints.checkpoint import LoadReport, resolve_prefix
from electra_tf.training.checkpoints.checkpoint_reader import (
    CheckpointReader,
    float32_of,
    require_match,
)
from electra_tf.training.checkpoints.weights import (
    SUFFIX,
    assign_weights,
    load_weights,
    weights_by_name,
)

_GENERATOR = r"^(generator(_ltr|_rtl)?/|generator_predictions/|cloze_predictions/)"

_DISCRIMINATOR_HEADS = ("discriminator_predictions/", f"{RESTORATION_HEAD}/")


class StartingWeights(Protocol):
    """Weights that are in no checkpoint: an `interop.StoredModel`, whose fields these are."""

    description: str
    weights: Mapping[str, np.ndarray]
    vocabulary: Vocabulary | None


FindWeights = Callable[[PretrainingConfig, str], StartingWeights | None]
"""Reads what a hyperparameter of a run names; None if it is a checkpoint, which is read here."""


class FoundWeights(NamedTuple):
    """What was read, before a model was made, of weights that are in no checkpoint."""

    model: StartingWeights | None
    """At `init_checkpoint`."""
    generator: StartingWeights | None
    """At `generator_checkpoint`."""


def found_weights(config: PretrainingConfig, find: FindWeights | None) -> FoundWeights:
    """What a new run begins with, as far as it is not in checkpoints."""
    is_new = model_folder.checkpoints(config).latest() is None and config.decay_from is None
    names = ("init_checkpoint", "generator_checkpoint")
    wanted = [name for name in names if find and is_new and getattr(config, name) is not None]
    return FoundWeights(*(find(config, name) if name in wanted else None for name in names))


def load_starting_weights(
    config: PretrainingConfig,
    pretrainer: ElectraPretrainer,
    tokenizer: Tokenizer,
    found: FoundWeights,
) -> dict[str, int]:
    """Load what `init_checkpoint` and `generator_checkpoint` name into a new model.

    Returns:
        How many positions of each table of positions are trained, by its name; 0: it is random.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: names, shapes or the generator's vocabulary differ; or a generator is frozen
            that nothing has trained.
    """
    if config.freeze_generator and not (config.generator_checkpoint or config.init_checkpoint):
        raise ValueError(
            "generator_checkpoint is expected to be given with freeze_generator, since nothing "
            "trains the generator here, but is None."
        )
    trained = dict.fromkeys(tables_in(weights_by_name(pretrainer)), 0)
    trained |= _load_model(config, pretrainer, tokenizer, found.model)
    if config.generator_checkpoint is not None:
        path = config.generator_checkpoint
        trained |= _load_generator(path, pretrainer, tokenizer, found.generator)
        pretrainer.updates.begin_averages()
    return trained


class _Source(NamedTuple):
    """Weights to begin with, of a checkpoint or of a model that was read before."""

    name: str
    """For messages; of a checkpoint its prefix."""
    weights: CheckpointReader | Mapping[str, np.ndarray]
    shapes: Shapes
    positions: Mapping[str, int]
    """How many positions of each table are trained, by the name of the table."""
    vocabulary: Vocabulary | None

    @classmethod
    def at(cls, path: str, found: StartingWeights | None) -> "_Source":
        """What was found at a path, or else the checkpoint there."""
        if found is None:
            prefix = resolve_prefix(path)
            reader = CheckpointReader(prefix)
            vocabulary = model_folder.vocabulary_in(os.path.dirname(prefix))
            positions = positions_of_checkpoint(prefix, reader.shapes)
            return cls(prefix, reader, reader.shapes, positions, vocabulary)
        shapes = {name: list(weight.shape) for name, weight in found.weights.items()}
        positions = {name: shapes[name][0] for name in tables_in(shapes)}
        return cls(found.description, found.weights, shapes, positions, found.vocabulary)


def _load_model(
    config: PretrainingConfig,
    pretrainer: ElectraPretrainer,
    tokenizer: Tokenizer,
    start: StartingWeights | None,
) -> dict[str, int]:
    """Load what `init_checkpoint` names into a new model, or log that there is nothing.

    A generator that the source lacks keeps its random weights, with a warning. Returns how many
    positions of each table are trained, none if there is nothing to load.
    """
    if config.init_checkpoint is None:
        logging.info(
            "There is no checkpoint in %s: beginning at step 0 from random weights.",
            config.model_dir,
        )
        return {}
    source = _Source.at(config.init_checkpoint, start)
    if source.vocabulary and source.vocabulary.sha256 != tokenizer.vocabulary.sha256:
        logging.warning(
            "The vocabulary beside %s differs from that of the run: its token embeddings may be "
            "those of other tokens.",
            source.name,
        )
    tables = _tables_to_extend(source.shapes, config, pretrainer, source.name)
    excused = _excused(source.shapes, config, source.name, tables)
    if start is None:
        report = load_weights(source.name, pretrainer, excused)
    else:
        report = assign_weights(start.weights, pretrainer, source.name, excused)
    loaded = {*report.loaded, *tables}
    _check_frozen(config, pretrainer, loaded, source.name)
    weights = weights_by_name(pretrainer)
    trained = {name: source.positions[name] if name in loaded else 0 for name in tables_in(weights)}
    if config.extend_positions and not tables:
        _check_extended(config, trained, source.name)
    load_longer(tables, source.weights.__getitem__, weights, trained)
    pretrainer.updates.begin_averages()
    _log(report, source.name)
    return trained


def _check_frozen(
    config: PretrainingConfig, pretrainer: ElectraPretrainer, loaded: Collection[str], source: str
):
    """Raise a ValueError if a generator is frozen of which `init_checkpoint` left some random."""
    if not config.freeze_generator or config.generator_checkpoint is not None:
        return
    paths = [variable.path for variable in pretrainer.generator.weights]
    left = [path for path in paths if path not in loaded]
    if left:
        raise ValueError(
            "generator_checkpoint is expected to be given with freeze_generator, since "
            f"{len(left)} variables of the generator are not loaded from {source} and nothing "
            f"trains them here: {first_names(left)}."
        )


def _check_extended(config: PretrainingConfig, trained: Mapping[str, int], source: str):
    """Raise a ValueError if `extend_positions` has nothing to do in any stage."""
    lengths = [stage.max_seq_length for stage in config.plan]
    if all(max(lengths) <= (positions or lengths[0]) for positions in trained.values()):
        raise ValueError(
            f"extend_positions is expected to be false, since {source} has trained the "
            f"{max(lengths)} positions that the stages use."
        )


def warn_of_uniform_fakes(config: PretrainingConfig) -> None:
    """Warn that there is no generator; a user of a converted discriminator may expect one."""
    if not config.uniform_generator:
        return
    stored = model_folder.read_config(config.model_dir)
    source = stored.converted_from if stored else None
    if source is None:
        logging.info("uniform_generator: fakes are drawn uniformly from the vocabulary.")
        return
    logging.warning(
        "The model in %s was converted from %s, a discriminator without its generator: "
        "fakes are drawn uniformly from the vocabulary, which teaches it little. To train it "
        "against a generator, begin another model with init_checkpoint %s.",
        config.model_dir,
        source,
        config.model_dir,
    )


def _tables_to_extend(
    shapes: Shapes, config: PretrainingConfig, pretrainer: ElectraPretrainer, source: str
) -> dict[str, str]:
    """Tables of positions that are longer here, see `shorter_tables`.

    Raises:
        ValueError: there are some although `extend_positions` is false.
    """
    ignored = re.compile(config.init_checkpoint_ignore or r"\Z.")
    tables = shorter_tables(shapes, weights_by_name(pretrainer))
    tables = {name: stored for name, stored in tables.items() if not ignored.search(name)}
    most = config.encoder.max_position_embeddings
    if tables and not config.extend_positions:
        raise ValueError(
            f"max_position_embeddings is expected to be {shapes[next(iter(tables.values()))][0]}, "
            f"as in {source}, but is {most}. With extend_positions the further positions begin as "
            "copies of trained ones."
        )
    return tables


def _excused(
    names: Iterable[str], config: PretrainingConfig, source: str, extended: Iterable[str]
) -> str | None:
    """Which variables may differ: what the run says, what is extended, a generator not there."""
    names = list(names)
    given = [config.init_checkpoint_ignore, *(f"^{name}({SUFFIX})?$" for name in extended)]
    has_discriminator = any(name.startswith(_DISCRIMINATOR_HEADS) for name in names)
    has_generator = any(re.search(_GENERATOR, name) for name in names)
    if has_generator or not (has_discriminator and config.has_generator):
        return "|".join(filter(None, given)) or None
    logging.warning(
        "%s is a discriminator without its generator: the generator starts from random weights, "
        "and the discriminator sees easy fakes until it has learned.",
        source,
    )
    return "|".join(filter(None, [*given, _GENERATOR]))


def _log(report: LoadReport, source: str):
    left = ""
    if report.excused:
        left = f", {len(report.excused)} were left alone: {first_names(report.excused)}"
    logging.info(
        "Beginning at step 0 with the weights of %s: %d variables matched%s.",
        source,
        len(report.loaded),
        left,
    )


# ---- The generator of another model


def _load_generator(
    path: str, pretrainer: ElectraPretrainer, tokenizer: Tokenizer, found: StartingWeights | None
) -> dict[str, int]:
    """Give a generator the weights of another model's: of its generator, or of a masked LM.

    A generator that shares its embeddings with the discriminator gives them to it, too. Returns how
    many positions of each of the generator's tables of positions are trained, by its name.
    """
    source = _Source.at(path, found)
    if source.vocabulary and source.vocabulary.sha256 != tokenizer.vocabulary.sha256:
        raise ValueError(
            f"generator_checkpoint: the vocabulary of {source.name} is expected to be that of the "
            "run, since the fakes are its tokens, but differs from it."
        )
    variables = {variable.path: variable for variable in pretrainer.generator.weights}
    theirs = {name: _their_name(name, source.shapes) for name in variables}
    require_match(
        {name: source.shapes[own] for name, own in theirs.items() if own in source.shapes},
        {name: list(variable.shape) for name, variable in variables.items()},
        "the checkpoint",
        f"generator_checkpoint: {source.name} does not fit the generator",
    )
    for name, variable in variables.items():
        variable.assign(float32_of(source.weights[theirs[name]], theirs[name], source.name))
    logging.info("The generator begins with %d weights of %s.", len(variables), source.name)
    return {n: source.positions[theirs[n].removesuffix(SUFFIX)] for n in tables_in(variables)}


def _their_name(name: str, names: Collection[str]) -> str:
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
