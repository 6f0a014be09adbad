# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which records the stages of a run read, and where in them the run stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from absl import logging

from electra_tf.config.stages import Stage
from electra_tf.data import PretrainingRecords, Span


class StageRecords:
    """The records of all stages, with the number of examples seen of each.

    Stages with the same records go on in them where the earlier one stopped.

    Args:
        plan: the stages.
        open_records: (patterns, max_seq_length) -> records that fit the run.
        buckets: see `PretrainingRecords.batches`.
    """

    def __init__(
        self,
        plan: Sequence[Stage],
        open_records: Callable[[str, int], PretrainingRecords],
        buckets: Sequence[int] = (),
    ):
        self._plan = plan
        self._buckets = tuple(buckets)
        opened = {
            (stage.pretrain_tfrecords, stage.max_seq_length): open_records(
                stage.pretrain_tfrecords, stage.max_seq_length
            )
            for stage in plan
        }
        self._records = {patterns: records for (patterns, _), records in opened.items()}
        self._first_step = 0
        self._seen_before = dict.fromkeys(self._records, 0)

    @property
    def fingerprints(self) -> dict[str, str]:
        """What tells records from others, by the first stage that reads them."""
        first = {stage.pretrain_tfrecords: stage.number for stage in reversed(self._plan)}
        return {
            f"records of stage {first[patterns]}": records.fingerprint
            for patterns, records in self._records.items()
        }

    def restore(self, step: int, state: Mapping[str, Any], prefix: str):
        """Stand where a checkpoint says, or else where its step implies.

        Args:
            step: updates done.
            state: what `state` gave; empty for checkpoints of the original.
            prefix: the checkpoint, for a warning where the records are not what they were.
        """
        self._seen_before = {patterns: self._seen(patterns, step) for patterns in self._records}
        self._first_step = step
        # By order, not by name: folders may have been moved.
        for (patterns, records), seen, num_examples in zip(
            self._records.items(),
            _listed(state.get("examples_seen", [])),
            _listed(state.get("num_examples", [])),
            strict=False,
        ):
            self._seen_before[patterns] = seen
            if num_examples != records.num_examples:
                logging.warning(
                    "The records have %d examples, but %d when %s was saved: what follows "
                    "is not what an uninterrupted run would have seen.",
                    records.num_examples,
                    num_examples,
                    prefix,
                )

    def state(self, step: int) -> dict[str, list[int]]:
        """Position after `step` updates, one entry per records, in order of first use."""
        return {
            "examples_seen": [self._seen(patterns, step) for patterns in self._records],
            "num_examples": [records.num_examples for records in self._records.values()],
        }

    def batches(
        self, stage: Stage, step: int, seed: int, worker_index: int = 0, num_workers: int = 1
    ) -> Iterator[dict[str, np.ndarray]]:
        """A worker's rows of the global batches of a stage, from after `step` updates on."""
        patterns = stage.pretrain_tfrecords
        records = self._records[patterns]
        start = self._seen(patterns, step)
        # Fewer where the size of batches was changed when the run went on.
        batches_before = min(step - stage.first_step, start // stage.train_batch_size)
        # The end of the run may yet be put off.
        is_last = stage.number == len(self._plan)
        span = Span(
            start - batches_before * stage.train_batch_size,
            None if is_last else self._seen(patterns, stage.last_step),
        )
        batches = records.batches(
            stage.train_batch_size,
            stage.max_seq_length,
            seed,
            start=start,
            buckets=self._buckets,
            worker_index=worker_index,
            num_workers=num_workers,
            span=span,
        )
        return records.numpy_iterator(batches, stage.max_seq_length)

    def _seen(self, patterns: str, step: int) -> int:
        """Examples of some records seen after `step` updates."""
        return self._seen_before[patterns] + sum(
            stage.train_batch_size
            * max(0, min(step, stage.last_step) - max(self._first_step, stage.first_step))
            for stage in self._plan
            if stage.pretrain_tfrecords == patterns
        )


def _listed(value: int | list[int]) -> list[int]:
    """Positions of the only records were once stored as a number."""
    return value if isinstance(value, list) else [value]
