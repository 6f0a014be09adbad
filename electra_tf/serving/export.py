# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From a model folder to a SavedModel that was compared with its model before it appears."""

import os
import tempfile
from collections.abc import Sequence

import tensorflow as tf

import electra_tf
from electra_tf.files import check_new, new_folder, write_json, write_text, writing
from electra_tf.serving.card import default_signature, model_card
from electra_tf.serving.comparison import TOLERANCES, Comparison, compare
from electra_tf.serving.exported import DIGESTS, SETTINGS_FILE, digests_of
from electra_tf.serving.finetuned import server_of
from electra_tf.serving.pretrained import PretrainedServer
from electra_tf.serving.sources import FinetunedSource, load_source, with_length
from electra_tf.serving.warmup import write_warmup
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
) -> Comparison:
    """Write a SavedModel with the signatures of docs/serving.md.

    Args:
        model_dir: a folder that pre-training or fine-tuning wrote.
        export_dir: folder to make; appears when all is written and compared.
        task: which task of a fine-tuned model with several.
        max_seq_length: tokens of a row, at most; default: that of training.
        dtype: "float32" or "bfloat16", of weights and matrix products of encoders.
        top_k: fillings of `fill_mask` for each mask.
        names: signatures to write; default: all. Only "ids" loads without tensorflow-text.

    Returns:
        What the comparison with the model found.

    Raises:
        FileNotFoundError: model_dir has no such model.
        FileExistsError: there is something at export_dir, or see `check_new`.
        ValueError: a setting does not fit the model.
        ExportDiffersError: the export does not say what the model says.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype is expected to be one of {', '.join(DTYPES)}, but is {dtype!r}.")
    if top_k < 1:
        raise ValueError(f"top-k is expected to be 1 or more, but is {top_k}.")
    export_dir = export_dir.rstrip("/")
    if any(character in export_dir for character in "[\\"):
        raise ValueError(
            f"export-dir {export_dir} is expected to be a path without [ and \\, since TensorFlow "
            "does not find the variables of a SavedModel in such a folder."
        )
    if tf.io.gfile.exists(export_dir):
        raise FileExistsError(f"export-dir {export_dir} is expected to be new, but exists.")
    check_new(export_dir)
    source = load_source(model_dir.rstrip("/"), task)
    source = _with_checked_length(source, max_seq_length)
    server = _server(source, tf.as_dtype(dtype), top_k)
    settings = {"max_seq_length": source.max_length, "dtype": dtype}
    if not isinstance(source, FinetunedSource):
        settings["top_k"] = top_k

    signatures = _chosen(server.signatures, names)
    served = {**signatures, DEFAULT: signatures[default_signature(signatures)]}
    with new_folder(export_dir) as unfinished:
        _save(server, served, source, unfinished)
        write_warmup(unfinished, served)
        loaded = tf.saved_model.load(unfinished)
        comparison = compare(
            loaded.signatures,
            served,
            list(zip(server.encoders, source.encoders, strict=True)),
            source.tokenizer,
            source.max_length,
            dtype,
        )
        _write_settings(unfinished, source, settings, signatures)
        write_text(
            os.path.join(unfinished, CARD_FILE),
            model_card(source, loaded.signatures, settings, comparison),
        )
    return comparison


def _chosen(signatures: dict, names: Sequence[str]) -> dict:
    unknown = sorted(set(names) - set(signatures))
    if unknown:
        raise ValueError(
            f"signatures is expected to name some of {', '.join(sorted(signatures))}, but names "
            f"{', '.join(unknown)}."
        )
    return {name: signatures[name] for name in names or signatures}


def _with_checked_length(source, max_seq_length):
    if max_seq_length is None:
        return source
    least = 5
    if isinstance(source, FinetunedSource):
        least = source.task.kind.least_length(source.config)
    if not least <= max_seq_length <= source.max_positions:
        raise ValueError(
            f"max-seq-length is expected to be in {least}..{source.max_positions}, the positions "
            f"of the model, but is {max_seq_length}."
        )
    return with_length(source, max_seq_length)


def _server(source, dtype, top_k):
    if isinstance(source, FinetunedSource):
        return server_of(source.loaded, source.task_id, source.max_length, dtype)
    return PretrainedServer(source.pretrainer, source.tokenizer, source.max_length, dtype, top_k)


def _save(server, signatures, source, folder):
    """Write the SavedModel with the vocabulary among its assets."""
    module = tf.Module()
    module.server = server
    functions = {name: function.get_concrete_function() for name, function in signatures.items()}
    with tempfile.TemporaryDirectory() as temporary:
        save_tokenizer(source.tokenizer, temporary)
        module.vocabulary = [
            tf.saved_model.Asset(os.path.join(temporary, name))
            for name in sorted(os.listdir(temporary))
        ]
        writing(folder, tf.saved_model.save, module, folder, signatures=functions)


def _write_settings(folder, source, settings, signatures):
    """What Python code needs to know of an export without running it."""
    vocabulary = source.tokenizer.vocabulary
    content = {
        "electra_tf_version": electra_tf.__version__,
        "kind": "pretrained",
        "signatures": sorted(signatures),
        "tokenizer": source.tokenizer.settings,
        "mask_token": vocabulary.token_of(vocabulary.mask_id),
        **settings,
        DIGESTS: digests_of(folder),
    }
    if isinstance(source, FinetunedSource):
        spec = source.task.spec
        content |= {"kind": spec.kind, "task": spec.name, "labels": spec.labels}
    write_json(os.path.join(folder, SETTINGS_FILE), content)
