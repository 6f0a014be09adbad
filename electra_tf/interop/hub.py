# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`hf://owner/name`: models of the Hugging Face hub, downloaded by huggingface_hub."""

import importlib
import re

from electra_tf.given_files import HUB_PREFIX

_PATH = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w.-]+))?/?")
_OTHERS = ["*.h5", "*.msgpack", "*.onnx", "*.ot", "*.bin", "*.pt", "*.pth", "*.tflite", "*.ckpt*"]
"""Files of a repository that nothing here reads."""


def local_folder(path: str) -> str:
    """The folder on this machine that a path stands for; what is on the hub is downloaded.

    Args:
        path: a path as it is, or "hf://owner/name", or "hf://owner/name@revision".

    Raises:
        ValueError: the path begins with "hf://" but is none of this, or huggingface_hub is not
            installed.
        FileNotFoundError: there is no such model, or no network and no copy from before.
    """
    if not path.startswith(HUB_PREFIX):
        return path
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError(
            f"a path on the Hugging Face hub is expected to be hf://owner/name, but is {path}."
        )
    name, revision = match.groups()
    by_hand = f"`hf download {name} --local-dir FOLDER` on a machine that can"
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ValueError(
            f"{path} cannot be downloaded, since huggingface_hub is not installed. Install it with "
            f"`pip install huggingface_hub`, or run {by_hand} and give FOLDER."
        ) from error
    try:
        return hub.snapshot_download(name, revision=revision, ignore_patterns=_OTHERS)
    except Exception as error:  # of the hub, of the network and of the disk: many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileNotFoundError(
            f"{path} cannot be downloaded, and there is no copy from before: {reason}. Without a "
            f"network, run {by_hand} and give FOLDER."
        ) from error
