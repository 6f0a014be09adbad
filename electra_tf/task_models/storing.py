# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Task models as folders of this library, and exported for serving."""

import os
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from electra_tf.config.fields import check, check_names
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.interop.conversion import write_own
from electra_tf.interop.stored_model import StoredModel
from electra_tf.serving import portable
from electra_tf.serving.export import export_opened
from electra_tf.text import Tokenizer, load_tokenizer, save_tokenizer
from electra_tf.training import ElectraAdam

if TYPE_CHECKING:
    from electra_tf.task_models.task_model import TaskModel

SAVED_MODEL = "tf_saved_model"
_OPTIONS = {
    SAVED_MODEL: ("max_seq_length", "dtype", "names", "branches"),
    "onnx": ("max_seq_length",),
    "litert": ("max_seq_length",),
}
"""Format -> options of an export in it."""
_WRITERS = {"onnx": portable.convert_to_onnx, "litert": portable.convert_to_litert}


class StoredInFolders:
    """What task models can be written as."""

    tokenizer: Tokenizer

    def save_to_preset(self, folder: str) -> None:
        """Write a folder as `run_finetuning.py` does, which all commands read.

        Args:
            folder: a new one, which is written completely or not at all.

        Raises:
            FileExistsError, ValueError: the folder is not new.
        """
        write_own(stored_model(self), os.fspath(folder))

    def export(self, filepath: str, format: str = "tf_saved_model", **options: Any) -> None:
        """Write the model for serving.

        Args:
            filepath: a new folder; of "onnx" and "litert" a file.
            format: "tf_saved_model", which takes raw strings, see `serving.export_model`; "onnx" or
                "litert", which take ids.
            **options: of `serving.export_model`: max_seq_length, and for a SavedModel dtype,
                names and branches.

        Raises:
            ValueError: there is no such format or option.
            FileExistsError: filepath is not new.
            ModuleNotFoundError: tf2onnx, which "onnx" needs, is not installed.
        """
        check(format in tuple(_OPTIONS), "format", f"one of {', '.join(_OPTIONS)}", format)
        check_names(options, _OPTIONS[format], f"option of an export as {format}")
        stored, path = stored_model(self), os.fspath(filepath)
        if format == SAVED_MODEL:
            export_opened(stored, stored.description, path, **options)
            return
        if tf.io.gfile.exists(path):
            raise FileExistsError(f"filepath {path} is expected to be new, but exists.")
        with tempfile.TemporaryDirectory() as folder:
            exported = os.path.join(folder, "export")
            export_opened(stored, stored.description, exported, names=["ids"], **options)
            _WRITERS[format](exported, path)

    def save_assets(self, dir_path: str) -> None:
        """Keras' files hold the tokenizer, too."""
        save_tokenizer(self.tokenizer, dir_path)

    def load_assets(self, dir_path: str) -> None:
        """The counterpart of `save_assets`."""
        self.tokenizer = load_tokenizer(dir_path)


def stored_model(model: "TaskModel") -> StoredModel:
    """A model as what is written of it: with all weights, frozen ones included, and moments."""
    config = model.config.replace(precision="float32")
    weights = {variable.path: np.asarray(variable.value) for variable in model.weights}
    plain: FinetuningModel = model
    if model.encoder.compute_dtype != "float32":
        plain = FinetuningModel(config, model.tasks)
        for variable in plain.weights:
            variable.assign(weights[variable.path])
    optimizer = getattr(model, "optimizer", None)  # there is none before `compile`
    has_moments = isinstance(optimizer, ElectraAdam) and optimizer.built
    slots = optimizer.slots() if has_moments else {}
    moments = {name: np.asarray(slot.value) for name, slot in slots.items()}
    return StoredModel(
        f"the Keras model {model.name}",
        model.encoder.config,
        weights,
        model.config,
        plain,
        model.tokenizer,
        tasks=(model.task(labelled=False),),
        step=0 if optimizer is None else int(optimizer.iterations.numpy()),
        # Of all weights or of none, as commands that train further expect it.
        moments=moments if len(moments) == 2 * len(weights) else {},
    )
