# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reading an export back: what is damaged is named, and never computed with."""

import hashlib
import os
from typing import Any

import tensorflow as tf

from electra_tf.files import check_keys, exists, read_bytes, read_json
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader, without_pattern

SETTINGS_FILE = os.path.join("assets.extra", "electra_tf.json")
DIGESTS = "sha256"
"""Key of the settings: hexadecimal SHA-256 of the files that have no checksums of their own."""

_GRAPH_FILE = "saved_model.pb"
_ASSETS = "assets"
_VARIABLES = os.path.join("variables", "variables")


def digests_of(folder: str) -> dict[str, str]:
    """What the settings of an export hold under `DIGESTS`."""
    assets = os.path.join(folder, _ASSETS)
    names = [os.path.join(_ASSETS, name) for name in sorted(tf.io.gfile.listdir(assets))]
    return {
        name: hashlib.sha256(read_bytes(os.path.join(folder, name))).hexdigest()
        for name in (_GRAPH_FILE, *names)
    }


def load_exported(folder: str) -> tuple[Any, Any]:
    """The SavedModel of a folder, and what is to be kept as long as it is used.

    Raises:
        OSError, ValueError: a file of it is damaged or missing; names it.
    """
    settings = os.path.join(folder, SETTINGS_FILE)
    if exists(settings):
        _check(folder, read_json(settings), settings)
    path, alias = without_pattern(folder)
    try:
        return tf.saved_model.load(path), alias
    except Exception as error:  # TensorFlow raises errors of many types
        reader = CheckpointReader(os.path.join(folder, _VARIABLES))
        for name in reader.shapes:
            reader[name]  # raises an error that names the damaged file
        reason = " ".join(str(getattr(error, "message", error)).split())
        raise OSError(f"{folder} cannot be loaded as an exported model: {reason}") from error


def _check(folder: str, settings: dict[str, Any], where: str):
    digests = settings.get(DIGESTS, {})  # exports of earlier versions have none
    check_keys({DIGESTS: digests}, {DIGESTS: dict}, where)
    for name, digest in digests.items():
        path = os.path.join(folder, name)
        if hashlib.sha256(read_bytes(path)).hexdigest() != digest:
            raise ValueError(
                f"{path} is damaged: it is not as it was exported, by what {where} holds. Copy or "
                "export the model again."
            )
