# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The initial weights of pre-training, at step 0, whatever their source."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.stored import Shapes
from electra_tf.files import first_names
from electra_tf.pretraining import model_folder
from electra_tf.pretraining.discriminators import RESTORATION_HEAD
from electra_tf.pretraining.generator_weights import StartingWeights, load_generator
from electra_tf.pretraining.positions import (
    load_longer,
    positions_of_checkpoint,
    shorter_tables,
    tables_in,
)
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.checkpoint import LoadReport, resolve_prefix
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader
from electra_tf.training.checkpoints.weights import (
    SUFFIX,
    assign_weights,
    load_weights,
    weights_by_name,
)

_GENERATOR = r"^(generator(_ltr|_rtl)?/|generator_predictions/|cloze_predictions/)"

_DISCRIMINATOR_HEADS = ("discriminator_predictions/", f"{RESTORATION_HEAD}/")

FindWeights = Callable[[PretrainingConfig], StartingWeights | None]
"""Reads `init_checkpoint` of a run; None if it is a checkpoint, which is read here."""


class FoundWeights(NamedTuple):
    """What was read, before a model was made, of weights that are in no checkpoint."""

    model: StartingWeights | None
    """At `init_checkpoint`."""
    generator: StartingWeights | None
    """At `generator_checkpoint`."""


def found_weights(config: PretrainingConfig, find: FindWeights | None) -> FoundWeights:
    """What a new run begins with, as far as it is not in checkpoints."""
    found = []
    is_new = model_folder.checkpoints(config).latest() is None and config.decay_from is None
    for name in ("init_checkpoint", "generator_checkpoint"):
        path, weights = getattr(config, name), None
        if find and is_new and path is not None:
            try:
                weights = find(config.replace(init_checkpoint=path))
            except FileNotFoundError as error:
                message = str(error).removeprefix("init_checkpoint: ")
                raise FileNotFoundError(f"{name}: {message}") from error
        found.append(weights)
    return FoundWeights(*found)


def load_starting_weights(
    config: PretrainingConfig,
    pretrainer: ElectraPretrainer,
    tokenizer: Tokenizer,
    found: FoundWeights,
) -> dict[str, int]:
    """Load what `init_checkpoint` and `generator_checkpoint` name into a new model.

    Args:
        config: names the sources.
        pretrainer: the new model.
        tokenizer: the one the model is trained with.
        found: the weights that are not in checkpoints.

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
        trained |= load_generator(path, pretrainer, tokenizer, found.generator)
        pretrainer.updates.begin_averages()
    return trained


def _load_model(
    config: PretrainingConfig,
    pretrainer: ElectraPretrainer,
    tokenizer: Tokenizer,
    start: StartingWeights | None,
) -> dict[str, int]:
    """Load what `init_checkpoint` names into a new model, or log that there is nothing.

    A generator that the source lacks keeps its random weights, with a warning. Returns how many
    positions of each table are trained, none if there is nothing to load.

    Args:
        config: names the source, and the names that may differ.
        pretrainer: the new model.
        tokenizer: the one the model is trained with.
        start: the weights; None if `init_checkpoint` is a checkpoint or null.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: names or shapes differ that `init_checkpoint_ignore` does not excuse; a frozen
            generator would be random; or there is nothing for `extend_positions` to do.
    """
    if config.init_checkpoint is None:
        logging.info(
            "There is no checkpoint in %s: beginning at step 0 from random weights.",
            config.model_dir,
        )
        return {}
    if start is None:
        source = resolve_prefix(config.init_checkpoint)
        reader = CheckpointReader(source)
        model_folder.warn_of_other_vocabulary(source, tokenizer)
        shapes, stored = reader.shapes, positions_of_checkpoint(source, reader.shapes)
        tables = _tables_to_extend(shapes, config, pretrainer, source)
        report = load_weights(source, pretrainer, _excused(shapes, config, source, tables))
    else:
        source = start.description
        if start.vocabulary is not None:
            model_folder.warn_if_other(start.vocabulary, source, tokenizer)
        reader = start.weights
        shapes = {name: list(weight.shape) for name, weight in reader.items()}
        stored = {name: shapes[name][0] for name in tables_in(shapes)}
        tables = _tables_to_extend(shapes, config, pretrainer, source)
        excused = _excused(shapes, config, source, tables)
        report = assign_weights(start.weights, pretrainer, source, excused)
    loaded = {*report.loaded, *tables}
    _check_frozen(config, pretrainer, loaded, source)
    weights = weights_by_name(pretrainer)
    trained = {name: stored[name] if name in loaded else 0 for name in tables_in(weights)}
    if config.extend_positions and not tables:
        _check_extended(config, trained, source)
    load_longer(tables, reader.__getitem__, weights, trained)
    pretrainer.updates.begin_averages()
    _log(report, source)
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
