# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Examples of a split with the arrays that a model reads."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from electra_tf.config import FinetuningConfig
from electra_tf.finetuning.kinds.question_windows import AnswerWindows
from electra_tf.finetuning.task import Task
from electra_tf.text import Tokenizer


@dataclasses.dataclass(frozen=True)
class SplitData:
    """Examples of a split with the arrays that a model reads."""

    task: Task
    split: str
    examples: list
    arrays: dict[str, np.ndarray]
    windows: AnswerWindows | None
    """Of questions."""
    key: str
    """Changes with data, tokenizer and settings; empty for examples from elsewhere."""

    @property
    def name(self) -> str:
        """What scores are listed under: the task; if not of dev, followed by the split."""
        return self.task.name if self.split == "dev" else f"{self.task.name}_{self.split}"

    @property
    def is_labelled(self) -> bool:
        return self.task.is_labelled(self.split)


def split_of_examples(
    task: Task,
    split: str,
    examples: Sequence,
    task_id: int,
    config: FinetuningConfig,
    tokenizer: Tokenizer,
    key: str = "",
) -> SplitData:
    """Examples, laid out as those of `split`, with their features.

    Raises:
        ValueError: see `Kind.rows`.
    """
    kind = task.kind
    settings = {name: getattr(config, name) for name in kind.row_settings}
    arrays, windows = kind.rows(
        task.spec, examples, tokenizer, config.max_seq_length, task_id, **settings
    )
    return SplitData(task, split, list(examples), arrays, windows, key)
