# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From text to pre-training records, and from records to batches."""

from electra_tf.data.building import build_pretraining_records
from electra_tf.data.manifest import Manifest
from electra_tf.data.pipeline import Span, pool_at
from electra_tf.data.plan import WorkShare
from electra_tf.data.records import PretrainingRecords

__all__ = [
    "Manifest",
    "PretrainingRecords",
    "Span",
    "WorkShare",
    "build_pretraining_records",
    "pool_at",
]
