# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA folders of Hugging Face transformers, read and written."""

from electra_tf.interop.huggingface.content import (
    Content,
    read_content,
    read_encoder,
    write_contents,
)
from electra_tf.interop.huggingface.model import HuggingFaceModel, content_of, model_of
from electra_tf.interop.huggingface.tokenizer_files import read_tokenizer

__all__ = [
    "Content",
    "HuggingFaceModel",
    "content_of",
    "model_of",
    "read_content",
    "read_encoder",
    "read_tokenizer",
    "write_contents",
]
