# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which records the stages of a run read, and where in them the run stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from absl import logging

from electra_tf.config.pretraining_checks import Stage
from electra_tf.data import PretrainingRecords, Span, pool_at
from electra_tf.files import check_keys
from electra_tf.training.checkpoints.checkpoint import STATE


class StageRecords:
    """The records of all stages, with the number of examples seen of each.

    Stages with the same records read on in them where the earlier one stopped.

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
        self._saved_pools = None
        self._seen_before = dict.fromkeys(self._records, 0)

    @property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of the records of each stage."""
        found = {patterns: records.fingerprint for patterns, records in self._records.items()}
        return {
            f"records of stage {stage.number}": found[stage.pretrain_tfrecords]
            for stage in self._plan
        }

    def of(self, stage: Stage) -> PretrainingRecords:
        """The records of a stage."""
        return self._records[stage.pretrain_tfrecords]

    def restore(self, step: int, state: Mapping[str, Any], prefix: str) -> None:
        """Stand where a checkpoint says, or else where its step implies.

        The state is what `state` gave, or empty for checkpoints of the original. There is a warning
        where the records are not what they were.

        Raises:
            ValueError: the state is not such a one.
        """
        _check_state(state, f"{prefix}: {STATE}")
        self._seen_before = {patterns: self._seen(patterns, step) for patterns in self._records}
        self._first_step = step
        self._saved_pools = state.get("pools")
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

        if self._leaves_pool() and step < self._plan[-1].last_step:
            logging.warning(
                "length_buckets, train_batch_size or stages are not what they were when %s was "
                "saved, in the middle of batches that were sorted together: some of their "
                "examples are seen twice, and as many not at all in this epoch.",
                prefix,
            )

    def state(self, step: int) -> dict[str, Any]:
        """Position after `step` updates: of all records, in order of first use, and in pools."""
        stages = [stage for stage in self._plan if stage.first_step < step <= stage.last_step]
        return {
            "examples_seen": [self._seen(patterns, step) for patterns in self._records],
            "num_examples": [records.num_examples for records in self._records.values()],
            "pools": self._pools(stages[0]) if self._buckets and stages else None,
        }

    def batches(
        self, stage: Stage, step: int, seed: int, worker_index: int = 0, num_workers: int = 1
    ) -> Iterator[dict[str, np.ndarray]]:
        """A worker's rows of the global batches of a stage, from after `step` updates on."""
        records, pools = self.of(stage), self._pools(stage)
        batches = records.batches(
            stage.train_batch_size,
            stage.max_seq_length,
            seed,
            start=self._seen(stage.pretrain_tfrecords, step),
            buckets=self._buckets,
            worker_index=worker_index,
            num_workers=num_workers,
            span=Span(pools["begin"], pools["end"]),
        )
        return records.numpy_iterator(batches, stage.max_seq_length)

    def _pools(self, stage: Stage) -> dict[str, Any]:
        """The examples of a stage that are cut into pools: which, how, from where, to where.

        They start with the stage, or where the run was given another plan; a run that resumes in a
        stage with the saved settings stays in the saved ones. The last stage has no end, for the
        run may yet be made longer.
        """
        patterns = stage.pretrain_tfrecords
        is_last = stage.number == len(self._plan)
        pools = {
            "records": list(self._records).index(patterns),
            "batch_size": stage.train_batch_size,
            "begin": self._seen(patterns, max(stage.first_step, self._first_step)),
            "end": None if is_last else self._seen(patterns, stage.last_step),
        }
        saved = self._saved_pools
        is_inside = stage.first_step < self._first_step < stage.last_step
        if saved and self._buckets and is_inside and saved == {**pools, "begin": saved["begin"]}:
            return saved
        return pools

    def _leaves_pool(self) -> bool:
        """Whether the restored run had read a part of a pool, and no stage reads the rest."""
        saved, seen = self._saved_pools, list(self._seen_before.values())
        if not saved or saved["records"] >= len(seen):
            return False
        start, span = seen[saved["records"]], Span(saved["begin"], saved["end"])
        if start == span.end or start == pool_at(start, saved["batch_size"], span).begin:
            return False
        return saved not in map(self._pools, self._plan)

    def _seen(self, patterns: str, step: int) -> int:
        """Examples of some records seen after `step` updates."""
        return self._seen_before[patterns] + sum(
            stage.train_batch_size
            * max(0, min(step, stage.last_step) - max(self._first_step, stage.first_step))
            for stage in self._plan
            if stage.pretrain_tfrecords == patterns
        )


def _check_state(state: Mapping[str, Any], where: str):
    given = {"examples_seen": [], "num_examples": [], "pools": None, **state}
    kinds = {"examples_seen": (int, list), "num_examples": (int, list)}
    check_keys(given, {**kinds, "pools": (dict, type(None))}, where)
    for key in kinds:
        for number in _listed(given[key]):
            check_keys({key: number}, {key: int}, where)
    if given["pools"]:
        numbers = dict.fromkeys(("records", "batch_size", "begin"), int)
        check_keys(given["pools"], {**numbers, "end": (int, type(None))}, f"{where}: pools")


def _listed(value: int | list[int]) -> list[int]:
    """Positions of the only records were once stored as a number."""
    return value if isinstance(value, list) else [value]
