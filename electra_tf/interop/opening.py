# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Opening what lies at a path: which kind of model it is, decided once, and the model itself."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from electra_tf.config import PretrainingConfig
from electra_tf.config.fields import shown
from electra_tf.config.stored import configured_sizes
from electra_tf.files import exists, read_json
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.given_files import HUB_PREFIX, local_folder, no_model
from electra_tf.interop.huggingface.content import read_content, read_encoder, read_tokenizer
from electra_tf.interop.huggingface.model import HuggingFaceModel
from electra_tf.interop.huggingface.names import GENERATOR_FOLDER
from electra_tf.interop.huggingface.our_models import OF_A_TASK, model_of_content
from electra_tf.interop.reference import encoder_alone, read_checkpoint
from electra_tf.interop.stored_model import Pair, StoredModel, encoder_and_head, objective_of
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.text import load_tokenizer, stored_settings
from electra_tf.text.loading import find_vocabulary_file
from electra_tf.training.checkpoints.checkpoint import read_step, resolve_prefix
from electra_tf.training.checkpoints.run_folder import BEST_FOLDER, CONFIG_FILE
from electra_tf.training.checkpoints.weights import (
    check_size,
    load_weights,
    moments_of,
    state_left,
    usable_weights,
)

PRETRAINED = "pretrained"
"""A folder that pre-training wrote here."""
FINETUNED = "finetuned"
"""A folder that fine-tuning wrote here."""
HUGGING_FACE = "huggingface"
REFERENCE = "reference"
"""A checkpoint of the original, or a folder with one."""
EXPORTED = "exported"
"""A SavedModel."""

_CASE = ("do_lower_case", "strip_accents")
_TOKENIZER = ("pre_split", "tokenizer")
"""Hyperparameters that say what a vocabulary is used by, see `text.load_tokenizer`."""


class Place(NamedTuple):
    """What is at a path."""

    kind: str
    """One of the kinds above."""
    folder: str
    """Of the model; that of a checkpoint in `best/` is the one above."""
    prefix: str | None = None
    """Of the checkpoint that counts; None where weights are in other files."""


def find_model(path: str) -> Place:
    """The kind of model at a path, which follows from its files; only this function decides it.

    Args:
        path: of a folder or checkpoint, or "hf://owner/name", see `local_folder`.

    Raises:
        FileNotFoundError: there is nothing of any kind; the message says where to get one.
        ValueError: there is a Hugging Face model of another architecture.
    """
    path = os.fspath(path)
    if path.startswith(HUB_PREFIX):
        path = local_folder(path)
    path = path.rstrip("/") or "/"
    if exists(os.path.join(path, "saved_model.pb")):
        return Place(EXPORTED, path)
    stored = _stored_config(path)
    kind = _kind_of(stored)
    if kind == HUGGING_FACE:
        return Place(kind, path)
    if kind == FINETUNED:
        return Place(kind, path, finetuned.require_weights(path))
    try:
        prefix = resolve_prefix(path)
    except FileNotFoundError as error:
        if "model_type" in stored:
            raise ValueError(
                f"{os.path.join(path, CONFIG_FILE)}: model_type is expected to be 'electra', but "
                f"is {shown(stored['model_type'])}. Models of other architectures cannot be read."
            ) from error
        raise no_model(error, path) from error
    folder = _folder_of_model(os.path.dirname(prefix))
    return Place(_kind_of(_stored_config(folder)), folder, prefix)


def _stored_config(folder: str) -> dict[str, Any]:
    """The config.json of a folder; empty if it has none."""
    path = os.path.join(folder, CONFIG_FILE)
    return read_json(path) if exists(path) else {}


def _kind_of(stored: Mapping[str, Any]) -> str:
    """The kind of model that a config.json stands beside."""
    if stored.get("model_type") == "electra":
        return HUGGING_FACE
    kinds = {"finetuning": FINETUNED, "pretraining": PRETRAINED}
    return next((kind for key, kind in kinds.items() if key in stored), REFERENCE)


def open_model(
    path: str,
    hparams: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    generator: str | None = None,
) -> StoredModel:
    """The model at a path.

    Args:
        path: a folder that pre-training or fine-tuning wrote here; a checkpoint of the original
            or a folder with one; a Hugging Face ELECTRA folder, with its generator in a folder
            of that name inside it, if it has one.
        hparams: what a checkpoint of the original does not contain, see
            `reference.read_checkpoint`; do_lower_case, strip_accents and vocab_file too. For a
            Hugging Face folder with a task's head: task_names, with the path of a JSON file that
            describes the task, and max_seq_length. For both pre_split and tokenizer, see
            `text.load_tokenizer`. For others there is nothing to give.
        labels: classes of a fine-tuned checkpoint of the original.
        generator: a Hugging Face folder with the generator, if it is elsewhere.

    Raises:
        FileNotFoundError: there is nothing there.
        ValueError: the model cannot be represented, or does not fit its configuration.
    """
    place = find_model(path)
    kind, hparams = place.kind, dict(hparams or {})
    if kind == EXPORTED:
        raise ValueError(
            f"{path} is an exported model, whose weights have no names any more; the folder that "
            "it was exported from is expected."
        )
    taken = (*OF_A_TASK, *_TOKENIZER) if kind == HUGGING_FACE else ()
    refused = sorted(set(hparams) - set(taken))
    if kind != REFERENCE and (refused or labels):
        raise ValueError(
            f"hyperparameters and labels can be given for checkpoints of the original, but {path} "
            f"contains its own: {', '.join(refused) or 'labels'}."
        )
    if kind != HUGGING_FACE and generator is not None:
        raise ValueError(
            f"a generator can be given for a Hugging Face folder, but {path} is one of the kind "
            f"{kind!r}."
        )
    if kind == HUGGING_FACE:
        return _checked(_from_huggingface(place.folder, generator, hparams))
    if kind == REFERENCE:
        return _checked(_from_reference(place, hparams, labels))
    return _from_own(place)


def load_huggingface(
    folder: str, *, pre_split: bool | None = None, tokenizer: str | None = None
) -> HuggingFaceModel:
    """The model of a Hugging Face ELECTRA folder.

    Args:
        folder: with config.json and model.safetensors, or "hf://owner/name".
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
    place = find_model(folder)
    if place.kind != HUGGING_FACE:
        raise ValueError(
            f"{folder} is expected to be a Hugging Face ELECTRA folder, but is one of the kind "
            f"{place.kind!r}; electra_tf.load reads all kinds."
        )
    return HuggingFaceModel(read_content(place.folder, pre_split=pre_split, tokenizer=tokenizer))


def find_starting_point(
    path: str, pre_split: bool | None = None, tokenizer: str | None = None
) -> StoredModel:
    """The encoder at a path, with which training may begin whatever head there is.

    The path is one of those that `open_model` takes; for `pre_split` and `tokenizer` see
    `text.load_tokenizer`.

    Raises:
        FileNotFoundError: there is nothing of the kind.
        ValueError: the model cannot be used.
    """
    place = find_model(path)
    if place.kind == EXPORTED:
        raise _exported(path)
    choice = {"pre_split": pre_split, "tokenizer": tokenizer}
    if place.kind == HUGGING_FACE:
        return _start_of_huggingface(place.folder, choice)
    if place.kind == REFERENCE:
        return _start_of_reference(place, choice)
    return _start_of_own(place)


def find_pretraining_weights(config: PretrainingConfig, name: str) -> StoredModel | None:
    """The weights that a pre-training run begins with by a name; None if it is a checkpoint.

    The name is `init_checkpoint` or `generator_checkpoint`. Of Hugging Face folders: a pair, a
    discriminator or a generator; of other classes the encoder.

    Raises:
        FileNotFoundError: there is nothing of the kind.
        ValueError: the model cannot be used.
    """
    path = getattr(config, name)
    given: dict[str, Any] = {"pre_split": config.pre_split or None, "tokenizer": config.tokenizer}
    try:
        place = find_model(path)
        if place.kind == EXPORTED:
            raise _exported(path)
        if place.kind != HUGGING_FACE:
            return None
        architecture = read_encoder(place.folder).config.architecture
        if architecture not in ("ElectraForPreTraining", "ElectraForMaskedLM"):
            return find_starting_point(path, **given)
        return open_model(path, {n: value for n, value in given.items() if value is not None})
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: {error}") from error


def _checked(model: StoredModel) -> StoredModel:
    tokenizer, size = model.tokenizer, model.config.vocab_size
    if tokenizer is not None and tokenizer.vocabulary.num_rows > size:
        raise ValueError(
            f"the vocabulary of {model.description} is expected to have at most vocab_size={size} "
            f"tokens, as many as the embeddings, but has {tokenizer.vocabulary.num_rows}."
        )
    return model


def _from_own(place: Place) -> StoredModel:
    prefix = place.prefix
    if place.kind == FINETUNED:
        stored = finetuned.read_config(place.folder)
        found = finetuned.load_finetuned(place.folder, precision="float32", prefix=prefix)
        config, tokenizer, model = stored.finetuning, found.tokenizer, found.model
        known = {"tasks": found.tasks, "data": stored.data}
    else:
        stored, known = pretrained.read_config(place.folder), {}
        config = stored.pretraining.replace(model_dir=place.folder)
        check_size(prefix, config.sizes)
        tokenizer = load_tokenizer(place.folder, **stored.case)
        model = Pair.build(config)
        load_weights(prefix, model)
    return StoredModel.of(
        _described(place),
        config,
        tokenizer,
        model,
        step=read_step(prefix),
        moments=moments_of(prefix, model),
        left_behind=state_left(prefix),
        folder=place.folder,
        origin=stored.converted_from,
        **known,
    )


def _described(place: Place) -> str:
    kind = "fine-tuned" if place.kind == FINETUNED else "pre-trained"
    return f"the {kind} model {place.prefix}"


def _from_reference(
    place: Place, hparams: dict[str, Any], labels: Sequence[str] | None
) -> StoredModel:
    vocab_file = hparams.pop("vocab_file", None)
    given = {name: hparams[name] for name in (*_CASE, *_TOKENIZER) if name in hparams}
    if vocab_file is None:
        vocab_file = _vocabulary_in(place.folder)
    tokenizer = None if vocab_file is None else load_tokenizer(vocab_file, **given)
    if tokenizer is not None:
        hparams["pre_split"] = tokenizer.pre_split
    return read_checkpoint(place.prefix, tokenizer, hparams, labels)


def _from_huggingface(path: str, generator: str | None, hparams: dict[str, Any]) -> StoredModel:
    choice = {name: hparams.pop(name) for name in _TOKENIZER if name in hparams}
    content = read_content(path, **choice)
    inside = os.path.join(path, GENERATOR_FOLDER)
    if generator is None and _kind_of(_stored_config(inside)) == HUGGING_FACE:
        generator = inside
    beside = None
    if generator is not None:
        place = find_model(generator)
        if place.kind != HUGGING_FACE:
            raise ValueError(f"{generator} is expected to be a Hugging Face ELECTRA folder.")
        beside = read_content(place.folder, **choice)
    return model_of_content(content, beside, path, hparams)


def _exported(path: str) -> ValueError:
    return ValueError(
        f"{path} is an exported model, whose weights cannot be trained; the folder that it was "
        "exported from is expected."
    )


def _start_of_own(place: Place) -> StoredModel:
    stored = (finetuned if place.kind == FINETUNED else pretrained).read_config(place.folder)
    check_size(place.prefix, configured_sizes(stored.encoder))
    # Electric's logits are the head's and the generator's together.
    is_electric = place.kind == PRETRAINED and stored.pretraining.electric_objective
    encoder, head = encoder_and_head(usable_weights(place.prefix))
    objective = objective_of(stored.pretraining) if place.kind == PRETRAINED else ""
    return StoredModel(
        _described(place) + objective,
        stored.encoder,
        encoder,
        discriminator_head={} if is_electric else head,
        tokenizer_settings=stored.case,
        vocab_file=_vocabulary_in(place.folder),
    )


def _start_of_reference(place: Place, choice: Mapping[str, Any]) -> StoredModel:
    vocab_file = _vocabulary_in(place.folder)
    encoder, head = encoder_and_head(usable_weights(place.prefix))
    return dataclasses.replace(
        encoder_alone(place.prefix),
        weights=encoder,
        discriminator_head=head,
        tokenizer_settings={} if vocab_file is None else stored_settings(vocab_file, **choice),
        vocab_file=vocab_file,
    )


def _start_of_huggingface(folder: str, choice: Mapping[str, Any]) -> StoredModel:
    files, found = read_tokenizer(folder, **choice), read_encoder(folder)
    encoder, head = encoder_and_head(found.weights)
    return StoredModel(
        f"the Hugging Face model {folder}",
        found.config.encoder,
        encoder,
        discriminator_head=head,
        tokenizer=files.tokenizer,
        tokenizer_settings=files.settings,
        vocab_file=files.vocab_file,
    )


def _vocabulary_in(folder: str) -> str | None:
    """The vocabulary file of a folder; None if it has none."""
    try:
        path = find_vocabulary_file(folder)
    except FileNotFoundError:
        return None
    return path if exists(path) else None


def _folder_of_model(folder: str) -> str:
    """The folder of the model whose checkpoint is in `folder`, which may be `best/` there."""
    above = os.path.dirname(folder)
    is_best = os.path.basename(folder) == BEST_FOLDER and exists(os.path.join(above, CONFIG_FILE))
    return above if is_best and not exists(os.path.join(folder, CONFIG_FILE)) else folder
