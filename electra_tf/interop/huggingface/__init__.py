# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA folders of Hugging Face transformers, read and written."""

from electra_tf.interop.huggingface.config_file import is_electra_folder
from electra_tf.interop.huggingface.content import Content, read_content, write_contents
from electra_tf.interop.huggingface.model import HuggingFaceModel

__all__ = ["Content", "HuggingFaceModel", "is_electra_folder", "read_content", "write_contents"]
