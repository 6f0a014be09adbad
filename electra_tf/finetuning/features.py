# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From batches of examples to arrays: what a model reads, and what it is to answer.

Names are the reference's: `input_ids, input_mask, segment_ids, task_id, <task>_eid` and, by kind,
`<task>_label_ids`, `<task>_targets`, `<task>_labels, _labels_mask, _labeled_positions` or
`<task>_start_positions, _end_positions, _is_impossible`. Integers are int32.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.bounded import arrays_of_parts
from electra_tf.finetuning.examples import QuestionExample, TaggingExample, TextExample
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.qa_features import question_features
from electra_tf.finetuning.tagging_features import tagging_features
from electra_tf.finetuning.task_table import TaskSpec
from electra_tf.text import Tokenizer
from electra_tf.text.packing import text_batch


def task_features(
    spec: TaskSpec,
    examples: Sequence[TextExample] | Sequence[TaggingExample] | Sequence[QuestionExample],
    tokenizer: Tokenizer,
    max_seq_length: int,
    task_id: int = 0,
    doc_stride: int = 128,
    max_query_length: int = 64,
    first_number: int = 0,
) -> dict[str, np.ndarray]:
    """Returns the arrays of examples of a task whose labels are known (`Task.spec`).

    Rows are in the order of the examples; a long sentence or context has several. first_number is
    the number of the first question in its split, where they come in batches. For questions this
    leaves out the `AnswerWindows`, which `question_features` returns too.

    Raises:
        ValueError: a setting leaves no room for text, or a context has no token.
    """
    if spec.kind == "qa":
        return question_features(
            examples,
            tokenizer,
            max_seq_length,
            spec.name,
            task_id,
            doc_stride,
            max_query_length,
            first_number,
        ).arrays
    if spec.kind == "tagging":
        return tagging_features(examples, tokenizer, max_seq_length, spec, task_id)
    return text_features(examples, tokenizer, max_seq_length, spec, task_id)


def text_features(
    examples: Sequence[TextExample],
    tokenizer: Tokenizer,
    max_seq_length: int,
    spec: TaskSpec,
    task_id: int = 0,
) -> dict[str, np.ndarray]:
    """Returns the arrays of `TextExample`s: one row each, [n, L]; labels that are None become 0.

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
    return arrays | kind_of(spec).targets(examples, spec)
