# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Signatures beside the model's own answers, also on hostile texts."""

from compare_pair import compare_pair
from compare_task import compare_task
from differences import Differences
from live import LivePair

from electra_tf.interop.stored_model import StoredModel


def compare_fully(signatures, source: StoredModel, dtype: str):
    """Compare every signature of a loaded export with the model it was made of.

    Raises:
        ExportDiffersError: they differ by more than rounding; names signature, output and text.
    """
    differences = Differences(dtype)
    if not source.is_finetuned:
        compare_pair(signatures, LivePair(source), differences)
    else:
        compare_task(signatures, source, differences)
    assert differences.count > 20
