# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Health of a run while it trains: warnings in the log, each once, of a resumed run too."""

import os
from collections.abc import Mapping

from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.pretraining_checks import Stage
from electra_tf.data import PretrainingRecords
from electra_tf.files import exists
from electra_tf.pretraining.bands import find_band
from electra_tf.pretraining.health import RECORDS, HealthWatch, RunFacts
from electra_tf.pretraining.record_facts import facts_of
from electra_tf.text import Vocabulary
from electra_tf.training.loop.logs import RunLog, read_log


class HealthLog:
    """Warns of what the rules find in a run.

    Args:
        config: of the run.
        vocabulary: of its records.
        log: of the run; what it holds already was seen by the process that wrote it, and is not
            said again.
    """

    def __init__(self, config: PretrainingConfig, vocabulary: Vocabulary, log: RunLog):
        self._vocabulary = vocabulary
        self._log = log
        self._watch = HealthWatch(RunFacts.of(config), find_band(config))
        earlier = read_log(os.path.dirname(log.path), None) if exists(log.path) else []
        self._described = set()
        for entry in earlier:
            self._watch.see(entry["kind"], entry["step"], entry)
            if entry["kind"] == RECORDS:
                self._described.add(entry["step"])

    def begin_stage(self, stage: Stage, records: PretrainingRecords) -> None:
        """Look at the records of a stage, and log what they say, unless that is done.

        Raises:
            ValueError: a record is damaged; names it.
        """
        if stage.first_step not in self._described:
            facts = facts_of(records, stage.max_seq_length, self._vocabulary)._asdict()
            self._log.note(stage.first_step, RECORDS, facts)
            self.see(RECORDS, stage.first_step, facts)

    def see(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Warn of what an entry of the log shows; see `HealthWatch.see`."""
        for finding in self._watch.see(kind, step, values):
            logging.warning("%s", finding)
