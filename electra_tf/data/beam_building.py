# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The builder's work on Apache Beam: on a cluster, or in several processes here.

Beam hands out the same tasks that `workers.run_tasks` hands out. They write the same files to the
output folder, which all machines must see, so the records are the same byte for byte. Beam's
retries do no harm: a task that is done again writes the same file once more.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from electra_tf.data.workers import Work

COUNTER_NAMESPACE = "electra_tf"
BYTES_COUNTER = "corpus_bytes"

_ERROR_FOR_USERS = re.compile(
    r"^(?:RuntimeError: )*(?:FileNotFoundError|OSError|ValueError): (.*)", re.MULTILINE
)


class _RunTask(beam.DoFn):
    """Runs a task; what it reports as progress adds up in a counter that runners show."""

    def __init__(self, work: Work):
        self._work = work

    def process(self, task: Any) -> Iterator[None]:
        """Runs the work; its results are the files that it writes."""
        self._work(task, beam.metrics.Metrics.counter(COUNTER_NAMESPACE, BYTES_COUNTER).inc)
        yield None


def run_on_beam(
    options: Sequence[str], work: Work, tasks: Sequence[Any], progress: Callable[[int], None]
) -> Iterator[None]:
    """Runs all tasks in one pipeline, and returns when it has ended.

    Args:
        options: Beam's own, such as "--runner=DataflowRunner".
        work: must be picklable.
        tasks: distributed over the workers in any order.
        progress: receives the sum of what `work` reported, at the end.

    Raises:
        ValueError: if the work raised an error about its input, or a file could not be written.
        Exception: whatever else Beam raises.
    """
    if not tasks:
        return iter(())
    pipeline = beam.Pipeline(options=PipelineOptions(list(options)))
    # Reshuffling keeps runners from putting all tasks into one bundle.
    _ = pipeline | beam.Create(list(tasks)) | beam.Reshuffle() | beam.ParDo(_RunTask(work))
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except Exception as error:
        found = _ERROR_FOR_USERS.findall(f"{type(error).__name__}: {error}")
        if found:
            raise ValueError(re.sub(r" \[while running .*", "", found[-1])) from error
        raise
    counters = beam.metrics.MetricsFilter().with_namespace(COUNTER_NAMESPACE)
    for counter in result.metrics().query(counters)["counters"]:
        progress(counter.committed or 0)
    return iter(())
