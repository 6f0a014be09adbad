# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Health of a run while it trains: warnings, each once, which its log keeps."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.pretraining_checks import Stage
from electra_tf.data import PretrainingRecords
from electra_tf.files import exists
from electra_tf.pretraining.bands import find_band
from electra_tf.pretraining.health import CAUSES, RECORDS, Finding, HealthWatch
from electra_tf.pretraining.record_facts import facts_of
from electra_tf.pretraining.run_facts import RunFacts
from electra_tf.text import Vocabulary
from electra_tf.training.loop.logs import FINDING, RunLog, read_log

FINGERPRINT = "fingerprint"
"""Of the records, in an entry of the kind `RECORDS`; runs that log it log their findings, too."""


def replay(
    watch: HealthWatch, entries: Iterable[Mapping[str, Any]], continues: bool = True
) -> list[Finding]:
    """Show the log of a run to a new watch, which then finds nothing a second time.

    Args:
        watch: that has seen nothing.
        entries: all of the log.
        continues: whether the watch will see further entries. If not, training entries whose
            findings are logged are passed over.

    Returns:
        What the run has found, in its order: the findings in the log. Those of steps whose findings
        were not logged yet are found now; elsewhere the configuration may have changed since.
    """
    found: dict[str, Finding] = {}
    is_logged = False
    for entry in entries:
        if entry["kind"] == FINDING:
            name = entry.get("rule")
            if isinstance(name, str) and name in CAUSES:
                what = str(entry.get("what", ""))
                found.setdefault(name, Finding(name, entry["step"], what, CAUSES[name]))
            continue
        is_logged |= entry["kind"] == RECORDS and FINGERPRINT in entry
        if is_logged and not continues and entry["kind"] == "train":
            continue
        for finding in watch.see(entry["kind"], entry["step"], entry):
            if not is_logged:
                found.setdefault(finding.name, finding)
    watch.recall(found)
    return list(found.values())


class HealthLog:
    """Warns of what the rules find in a run, and logs it: a resumed run does not repeat it."""

    def __init__(self, config: PretrainingConfig, vocabulary: Vocabulary, log: RunLog):
        self._vocabulary = vocabulary
        self._log = log
        self._watch = HealthWatch(RunFacts.of(config), find_band(config))
        earlier = read_log(os.path.dirname(log.path), None) if exists(log.path) else []
        replay(self._watch, earlier)
        described = [entry for entry in earlier if entry["kind"] == RECORDS]
        self._described = described[-1] if described else None

    def begin_stage(self, stage: Stage, step: int, records: PretrainingRecords) -> None:
        """Look at the records of a stage, and log what they say, unless the log says it already.

        Raises:
            ValueError: a record is damaged; names it.
        """
        fingerprint, last = records.fingerprint, self._described
        if last and last["step"] >= stage.first_step and last.get(FINGERPRINT) == fingerprint:
            return
        facts = facts_of(records, stage.max_seq_length, self._vocabulary)._asdict()
        self._described = {"step": step, **facts, FINGERPRINT: fingerprint}
        self._log.note(step, RECORDS, {**facts, FINGERPRINT: fingerprint})
        self.see(RECORDS, step, facts)

    def see(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Warn of what an entry of the log shows; see `HealthWatch.see`."""
        for finding in self._watch.see(kind, step, values):
            logging.warning("%s", finding)
            self._log.note(step, FINDING, {"rule": finding.name, "what": finding.what})
