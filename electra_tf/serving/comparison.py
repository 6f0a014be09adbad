# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An export is used only if it says what its model says: both answer the probes."""

from electra_tf.serving.compare_pair import compare_pair
from electra_tf.serving.compare_task import compare_task
from electra_tf.serving.differences import Differences
from electra_tf.serving.live import LivePair
from electra_tf.serving.sources import FinetunedSource, PretrainedSource


def compare(signatures, source: PretrainedSource | FinetunedSource, dtype: str) -> Differences:
    """Compare the signatures of a loaded export with the model it was made of.

    Args:
        source: with the export's length.

    Raises:
        ExportDiffersError: they differ by more than rounding; names signature, output and text.
    """
    differences = Differences(dtype)
    if isinstance(source, PretrainedSource):
        compare_pair(signatures, LivePair(source), differences)
    else:
        compare_task(signatures, source, differences)
    return differences
