# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts and pairs as the arrays that a model reads, all int32.

Names are the reference's: `input_ids, input_mask, segment_ids, task_id, <task>_eid`.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.bounded import arrays_of_parts
from electra_tf.finetuning.examples import TextExample
from electra_tf.finetuning.task_table import TaskSpec
from electra_tf.text import Tokenizer
from electra_tf.text.packing import text_batch


def text_features(
    examples: Sequence[TextExample],
    tokenizer: Tokenizer,
    max_seq_length: int,
    spec: TaskSpec,
    task_id: int = 0,
) -> dict[str, np.ndarray]:
    """Returns the arrays of `TextExample`s: one row each, [n, L], without labels.

    Pairs that are too long lose tokens at the end of their longer text, of the second if both are
    of one length (classification_tasks.py:289-306).

    Raises:
        ValueError: max_seq_length leaves no room for two tokens of text.
    """
    if max_seq_length < 5:
        raise ValueError(f"max_seq_length must be 5 or more for texts, received {max_seq_length}.")

    def make(part: slice) -> dict[str, tf.Tensor]:
        first = tf.constant([example.text_a for example in examples[part]], tf.string)
        second = tf.constant([example.text_b or "" for example in examples[part]], tf.string)
        return text_batch(tokenizer, first, second, max_seq_length, max_seq_length)

    sizes = [len(example.text_a) + len(example.text_b or "") for example in examples]
    arrays = arrays_of_parts(make, sizes)
    arrays["task_id"] = np.full(len(examples), task_id, np.int32)
    arrays[f"{spec.name}_eid"] = np.array([example.id for example in examples], np.int32)
    return arrays
