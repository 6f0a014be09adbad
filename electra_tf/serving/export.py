# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From a model folder to a SavedModel that was compared with its model before it appears."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

import electra_tf
from electra_tf.config import check
from electra_tf.config.task_table import TaskSpec
from electra_tf.files import write_json, write_text, writing
from electra_tf.finetuning.prediction import task_number
from electra_tf.finetuning.task import Task
from electra_tf.folders import new_folder
from electra_tf.given_files import check_branches, check_export_dir
from electra_tf.interop.opening import find_model, open_model
from electra_tf.interop.stored_model import StoredModel
from electra_tf.model import Encoder
from electra_tf.serving.card import default_signature, model_card
from electra_tf.serving.comparison import TOLERANCES, Comparison, compare
from electra_tf.serving.export_files import DIGESTS, SETTINGS_FILE, digests_of, write_warmup
from electra_tf.serving.finetuned import TaskServer, server_of
from electra_tf.serving.pretrained import PretrainedServer, encoders_of
from electra_tf.text import save_tokenizer

CARD_FILE = "README.md"
DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
DTYPES = tuple(TOLERANCES)


def export_model(
    model_dir: str,
    export_dir: str,
    task: str | None = None,
    max_seq_length: int | None = None,
    dtype: str = "float32",
    top_k: int = 10,
    names: Sequence[str] = (),
    *,
    branches: int = 1,
    generator: str | None = None,
    hparams: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
) -> Comparison:
    """Write a SavedModel with the signatures of docs/serving.md.

    Args:
        model_dir: a folder that pre-training or fine-tuning wrote, a checkpoint of the original or
            its folder, or a Hugging Face ELECTRA folder.
        export_dir: folder to make; appears when all is written and compared.
        task: which task of a fine-tuned model with several.
        max_seq_length: tokens of a row, at most; default: that of training.
        dtype: "float32" or "bfloat16", of weights and matrix products of encoders.
        top_k: fillings of `fill_mask` for each mask.
        names: signatures to write; default: all. Only "ids" loads without tensorflow-text.
        branches: parts of a request that are computed at the same time, by a thread each, where
            TensorFlow gives each operation one thread.
        generator: Hugging Face folder of the generator, if it is not inside `model_dir`.
        hparams: what the files do not say, see `interop.opening.open_model`.
        labels: likewise.

    Returns:
        What the comparison with the model found.

    Raises:
        FileNotFoundError: model_dir has no such model.
        FileExistsError: there is something at export_dir, or see `check_new`.
        ValueError: a setting does not fit the model.
        ExportDiffersError: the export does not say what the model says.
    """
    _check_options(export_dir, dtype, top_k, branches)
    _require_model(model_dir)
    model = open_model(model_dir, hparams, labels, generator)
    settings = (task, max_seq_length, dtype, top_k, names, branches)
    return export_opened(model, model_dir, export_dir, *settings)


def export_opened(
    model: StoredModel,
    source: str,
    export_dir: str,
    task: str | None = None,
    max_seq_length: int | None = None,
    dtype: str = "float32",
    top_k: int = 10,
    names: Sequence[str] = (),
    branches: int = 1,
) -> Comparison:
    """Write a SavedModel of a model that is in memory.

    Args:
        model: what is served.
        source: where it is from, for messages.
        export_dir: see `export_model`.
        task: likewise.
        max_seq_length: likewise.
        dtype: likewise.
        top_k: likewise.
        names: likewise.
        branches: likewise.

    Returns:
        What the comparison with the model found.

    Raises:
        FileExistsError, ValueError, ExportDiffersError: see `export_model`.
    """
    _check_options(export_dir, dtype, top_k, branches)
    served_task = model.tasks[task_number(model, source, task)] if model.is_finetuned else None
    length = _checked_length(model, served_task, max_seq_length)
    server = server_of_model(model, source, task, length, tf.as_dtype(dtype), top_k, branches)
    settings = {"max_seq_length": length, "dtype": dtype, "branches": branches}
    if served_task is None:
        settings["top_k"] = top_k
    signatures = _chosen(server.signatures, names)
    spec = None if served_task is None else served_task.spec
    with new_folder(export_dir.rstrip("/")) as unfinished:
        return _write(unfinished, model, spec, server, signatures, settings)


def _check_options(export_dir: str, dtype: str, top_k: int, branches: int):
    check(dtype in DTYPES, "dtype", f"one of {', '.join(DTYPES)}", dtype)
    check(top_k >= 1, "top-k", "1 or more", top_k)
    check_branches(branches)
    check_export_dir(export_dir)


def _write(
    folder: str,
    model: StoredModel,
    spec: TaskSpec | None,
    server: TaskServer | PretrainedServer,
    signatures: Mapping[str, tf.types.experimental.PolymorphicFunction],
    settings: Mapping[str, Any],
) -> Comparison:
    """Write all files of an export, and compare it with the model as soon as it can be loaded."""
    served = {**signatures, DEFAULT: signatures[default_signature(signatures)]}
    _save(server, served, model, folder)
    write_warmup(folder, served)
    loaded = tf.saved_model.load(folder)
    comparison = compare(
        loaded.signatures,
        served,
        list(zip(server.encoders, live_encoders(model), strict=True)),
        model.tokenizer,
        settings["max_seq_length"],
        settings["dtype"],
    )
    vocabulary = model.tokenizer.vocabulary
    content = {
        "electra_tf_version": electra_tf.__version__,
        "kind": "pretrained",
        "signatures": sorted(signatures),
        "tokenizer": model.tokenizer.settings,
        "mask_token": vocabulary.token_of(vocabulary.mask_id),
        **settings,
        "comparison": comparison._asdict(),
        DIGESTS: digests_of(folder),
    }
    if spec is not None:
        content |= {"kind": spec.kind, "task": spec.name, "labels": spec.labels}
    write_json(os.path.join(folder, SETTINGS_FILE), content)
    card = model_card(model, spec, loaded.signatures, settings, comparison)
    write_text(os.path.join(folder, CARD_FILE), card)
    return comparison


def _chosen(signatures: dict, names: Sequence[str]) -> dict:
    unknown = sorted(set(names) - set(signatures))
    if unknown:
        raise ValueError(
            f"signatures is expected to name some of {', '.join(sorted(signatures))}, but names "
            f"{', '.join(unknown)}."
        )
    return {name: signatures[name] for name in names or signatures}


def server_of_model(
    model: StoredModel,
    folder: str,
    task: str | None,
    max_seq_length: int,
    dtype: tf.DType,
    top_k: int,
    branches: int = 1,
) -> TaskServer | PretrainedServer:
    """What serves a model, or one of its tasks.

    Args:
        model: pre-trained or fine-tuned.
        folder: where it was opened, for messages.
        task: see `export_model`.
        max_seq_length: see `export_model`.
        dtype: see `export_model`.
        top_k: see `export_model`.
        branches: see `export_model`.

    Raises:
        ValueError: there is no vocabulary; a task is named that the model does not have, or none
            of several.
    """
    if model.tokenizer is None:
        raise ValueError(
            f"{folder} has no vocabulary: put vocab.txt into it, or for a checkpoint of the "
            'original give hparams={"vocab_file": ...}.'
        )
    if model.is_finetuned:
        number = task_number(model, folder, task)
        return server_of(model, number, max_seq_length, dtype, branches)
    if task is not None:
        raise ValueError(f"task is {task!r}, but {folder} holds a pre-trained model.")
    calibration = model.error_calibration
    settings = (max_seq_length, dtype, top_k, calibration, branches)
    return PretrainedServer(model.model, model.tokenizer, *settings)


def live_encoders(model: StoredModel) -> list[Encoder]:
    """The encoders of a model, each once, in the order of those of what serves it."""
    return [model.model.encoder] if model.is_finetuned else encoders_of(model.model)


def _require_model(folder: str):
    """Raise a FileNotFoundError if there is no model of any kind."""
    try:
        find_model(folder)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"model-dir {folder} is expected to be a folder that `electra pretrain`, "
            "`electra finetune` or `electra convert` wrote, or another one with a model: "
            f"{error}"
        ) from error


def _checked_length(model: StoredModel, task: Task | None, max_seq_length: int | None) -> int:
    """Tokens of a row of the export, at most; longer rows than in training were never trained."""
    if max_seq_length is None:
        return model.config.max_seq_length
    least = 5 if task is None else task.kind.least_length(model.config)
    positions = model.config.encoder.max_position_embeddings
    expected = f"in {least}..{positions}, the positions of the model"
    check(least <= max_seq_length <= positions, "max-seq-length", expected, max_seq_length)
    return max_seq_length


def _save(
    server: TaskServer | PretrainedServer,
    signatures: Mapping[str, tf.types.experimental.PolymorphicFunction],
    model: StoredModel,
    folder: str,
):
    """Write the SavedModel with the vocabulary among its assets."""
    module = tf.Module()
    module.server = server
    functions = {name: function.get_concrete_function() for name, function in signatures.items()}
    with tempfile.TemporaryDirectory() as temporary:
        save_tokenizer(model.tokenizer, temporary)
        module.vocabulary = [
            tf.saved_model.Asset(os.path.join(temporary, name))
            for name in sorted(os.listdir(temporary))
        ]
        writing(folder, tf.saved_model.save, module, folder, signatures=functions)
