# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Any model that there is weights of: ours, the original's, Hugging Face's."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from electra_tf.finetuning import model_folder as finetuned
from electra_tf.interop import folders
from electra_tf.interop.from_huggingface import OF_A_TASK, transfer_of
from electra_tf.interop.huggingface import read_content
from electra_tf.interop.huggingface.names import GENERATOR_FOLDER
from electra_tf.interop.models import PretrainedModel, Transfer
from electra_tf.interop.reference import moments_of, read_checkpoint, state_left
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoint import read_step, resolve_prefix
from electra_tf.training.weights import check_size, load_weights, usable_weights

_CASE = ("do_lower_case", "strip_accents")
_TOKENIZER = ("pre_split", "tokenizer")
"""Hyperparameters that say what a vocabulary is used by, see `text.load_tokenizer`."""


def read_model(
    path: str,
    hparams: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    generator: str | None = None,
) -> Transfer:
    """The model at a path.

    Args:
        path: a folder that pre-training or fine-tuning wrote here; a checkpoint of the original
            or a folder with one; a Hugging Face ELECTRA folder, with its generator in a folder
            of that name inside it, if it has one.
        hparams: what a checkpoint of the original does not tell of itself, see
            `reference.read_checkpoint`; do_lower_case, strip_accents and vocab_file too. For a
            Hugging Face folder with a task's head: task_names, with the path of a JSON file that
            describes the task, and max_seq_length. For both pre_split and tokenizer, see
            `text.load_tokenizer`. For others there is nothing to give.
        labels: classes of a fine-tuned checkpoint of the original.
        generator: a Hugging Face folder with the generator, if it is elsewhere.

    Raises:
        FileNotFoundError: there is nothing there.
        ValueError: what is there cannot be represented, or does not fit its configuration.
    """
    kind = folders.kind_of(path)
    hparams = dict(hparams or {})
    if kind == folders.EXPORTED:
        raise ValueError(
            f"{path} is an exported model, whose weights have no names any more; the folder that "
            "it was exported from is expected."
        )
    taken = (*OF_A_TASK, *_TOKENIZER) if kind == folders.HUGGING_FACE else ()
    refused = sorted(set(hparams) - set(taken))
    if kind != folders.REFERENCE and (refused or labels):
        raise ValueError(
            f"hyperparameters and labels can be given for checkpoints of the original, but {path} "
            f"tells its own: {', '.join(refused) or 'labels'}."
        )
    if kind != folders.HUGGING_FACE and generator is not None:
        raise ValueError(
            f"a generator can be given for a Hugging Face folder, but {path} is one of the kind "
            f"{kind!r}."
        )
    if kind == folders.HUGGING_FACE:
        return _checked(_from_huggingface(path, generator, hparams))
    if kind == folders.REFERENCE:
        return _checked(_from_reference(path, hparams, labels))
    prefix = resolve_prefix(path)
    if kind == folders.PRETRAINED:
        return _from_pretrained(prefix, os.path.dirname(prefix))
    named = None if os.path.isdir(path) else prefix
    return _from_finetuned(folders.folder_of_model(os.path.dirname(prefix)), named)


def _checked(transfer: Transfer) -> Transfer:
    tokenizer, size = transfer.model.tokenizer, transfer.model.config.vocab_size
    if tokenizer is not None and tokenizer.vocabulary.num_rows > size:
        raise ValueError(
            f"the vocabulary of {transfer.source} is expected to have at most vocab_size={size} "
            f"tokens, as many as the embeddings, but has {tokenizer.vocabulary.num_rows}."
        )
    return transfer


def _from_pretrained(prefix, folder) -> Transfer:
    stored = pretrained.read_config(folder)
    config = stored.pretraining.replace(model_dir=folder)
    check_size(prefix, config.sizes)
    tokenizer = load_tokenizer(folder, **stored.case)
    source = f"the pre-trained model {prefix}"
    if config.disentangled_embeddings:
        return _folded(config, tokenizer, prefix, source)
    model = PretrainedModel.build(config, tokenizer)
    load_weights(prefix, model)
    moments, left = moments_of(prefix, model), state_left(prefix)
    return Transfer(model, source, read_step(prefix), moments, left)


def _folded(config, tokenizer, prefix, source) -> Transfer:
    """The discriminator alone, with token embeddings of its own.

    The generator has other ones then, of another width than its own, which no format has.
    """
    config = config.replace(disentangled_embeddings=False, uniform_generator=True)
    model = PretrainedModel.build(config, tokenizer)
    weights = usable_weights(prefix)
    for variable in model.trainable_variables:
        variable.assign(weights.pop(variable.path))
    return Transfer(
        model, source, read_step(prefix), left_behind=(*sorted(weights), *state_left(prefix))
    )


def _from_finetuned(folder, prefix=None) -> Transfer:
    """`prefix`: of the checkpoint; default: the one that counts."""
    prefix = prefix or finetuned.weights_prefix(folder)
    model = finetuned.load_finetuned(folder, prefix=prefix)
    source = f"the fine-tuned model {prefix}"
    moments, left = moments_of(prefix, model.model), state_left(prefix)
    return Transfer(model, source, read_step(prefix), moments, left)


def _from_reference(path, hparams, labels) -> Transfer:
    folder = os.path.dirname(resolve_prefix(path))
    vocab_file = hparams.pop("vocab_file", None)
    given = {name: hparams[name] for name in (*_CASE, *_TOKENIZER) if name in hparams}
    if vocab_file is None:
        vocab_file = folders.vocabulary_in(folder)
    tokenizer = None if vocab_file is None else load_tokenizer(vocab_file, **given)
    if tokenizer is not None:
        hparams["pre_split"] = tokenizer.pre_split
    return read_checkpoint(path, tokenizer, hparams, labels)


def _from_huggingface(path, generator, hparams) -> Transfer:
    choice = {name: hparams.pop(name) for name in _TOKENIZER if name in hparams}
    content = read_content(path, **choice)
    inside = os.path.join(path, GENERATOR_FOLDER)
    if generator is None and folders.is_electra_folder(inside):
        generator = inside
    beside = None
    if generator is not None:
        if folders.kind_of(generator) != folders.HUGGING_FACE:
            raise ValueError(f"{generator} is expected to be a Hugging Face ELECTRA folder.")
        beside = read_content(generator, **choice)
    return transfer_of(content, beside, f"the Hugging Face model {path}", hparams)
