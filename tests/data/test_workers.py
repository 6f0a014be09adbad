# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Worker processes that fail do not leave the others waiting."""

import multiprocessing
import os
import signal

import pytest

from electra_tf.data.workers import run_tasks


def double(task, progress):
    progress(task)
    if task == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * task


def test_one_process_works_in_place():
    seen = []
    assert list(run_tasks(1, double, [1, 2, 3], seen.append)) == [2, 4, 6]
    assert seen == [1, 2, 3]


@pytest.mark.usefixtures("quick_workers")
def test_several_processes_share_tasks_until_one_is_killed():
    seen, results = [], []
    with pytest.raises(RuntimeError, match="ended unexpectedly with exit status -9"):
        for result in run_tasks(2, double, [1, 2, 3, 4], seen.append):
            results.append(result)
    # The last task is handed out after two results at least; it depends on the processes which.
    assert len(results) >= 2 and set(results) <= {2, 4, 6}
    assert {2 * task for task in seen} >= set(results)
    assert multiprocessing.active_children() == []
