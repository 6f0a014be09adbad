# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Batches: every row once an epoch, and a function of seed and step alone."""

import itertools

import numpy as np
import pytest

from electra_tf.finetuning.split_data import TrainingBatches, ordered_batches


def part(task_id, count, **extra):
    numbers = 100 * (task_id + 1) + np.arange(count, dtype=np.int32)
    return {
        "input_ids": np.stack([numbers, numbers], axis=1),
        "task_id": np.full(count, task_id, np.int32),
        **{name: np.full((count, *shape), 7, np.float32) for name, shape in extra.items()},
    }


def test_every_row_once_an_epoch_and_padding_at_its_end():
    batches = TrainingBatches([part(0, 7), part(1, 4)], batch_size=4, seed=1)
    assert batches.steps_per_epoch == 3
    for epoch in range(3):
        rows = [batches.batch(3 * epoch + i) for i in range(3)]
        ids = np.concatenate([batch["input_ids"][:, 0] for batch in rows])
        tasks = np.concatenate([batch["task_id"] for batch in rows])
        assert sorted(ids[tasks < 2]) == [*range(100, 107), *range(200, 204)]
        assert list(tasks).count(2) == 1 and tasks[-1] == 2
        assert ids[-1] == 0
        assert all((ids[tasks == task] // 100 == task + 1).all() for task in (0, 1))


def test_epochs_differ_and_seeds_differ():
    one, other = (TrainingBatches([part(0, 50)], 50, seed) for seed in (1, 2))
    orders = [tuple(b.batch(step)["input_ids"][:, 0]) for b in (one, other) for step in (0, 1)]
    assert len(set(orders)) == 4


def test_any_step_can_be_asked_for_at_any_time():
    expected = list(itertools.islice(TrainingBatches([part(0, 10)], 4, 5).iterate(0), 9))
    later = itertools.islice(TrainingBatches([part(0, 10)], 4, 5).iterate(4), 5)
    for found, wanted in zip(later, expected[4:], strict=True):
        for name in wanted:
            np.testing.assert_array_equal(found[name], wanted[name])


def test_tasks_without_a_feature_have_zeros():
    batches = TrainingBatches([part(0, 3, a_labels=(2,)), part(1, 3)], 6, seed=0)
    batch = batches.batch(0)
    assert batch["a_labels"].shape == (6, 2) and batch["a_labels"].dtype == np.float32
    np.testing.assert_array_equal(batch["a_labels"][:, 0], np.where(batch["task_id"] == 0, 7, 0))


@pytest.mark.parametrize(("epochs", "steps"), [(1.0, 3), (2.5, 7), (0.4, 1), (10.0, 30)])
def test_number_of_steps(epochs, steps):
    """As the original: 11 rows are padded to 12, and int() cuts."""
    assert TrainingBatches([part(0, 11)], 4, 0).num_steps(epochs) == steps


def test_no_step_is_an_error():
    with pytest.raises(ValueError, match="num_train_epochs is expected to give at least one step"):
        TrainingBatches([part(0, 11)], 4, 0).num_steps(0.2)


def test_ordered_batches_give_every_row_once():
    parts = list(ordered_batches(part(0, 5), 2))
    assert [batch["input_ids"].shape for batch, _ in parts] == [(2, 2)] * 3
    assert [list(is_real) for _, is_real in parts] == [[True, True], [True, True], [True, False]]
    ids = np.concatenate([batch["input_ids"][is_real, 0] for batch, is_real in parts])
    assert list(ids) == list(range(100, 105))
