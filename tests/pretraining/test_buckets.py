# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Batches of about one length, cut to it: the same examples, less padding, exact places."""

import itertools

import numpy as np
import pytest
from tiny_run import (
    LENGTH,
    NO_DROPOUT,
    assert_near,
    make_examples,
    outputs_and_gradients,
    tensors,
    tiny_config,
    tiny_pretrainer,
    write_records,
)

from electra_tf.data import PretrainingRecords, pipeline
from electra_tf.pretraining import run
from electra_tf.pretraining.stage_records import StageRecords

BUCKETS = (8, 12)


@pytest.fixture(autouse=True)
def small_pools(monkeypatch):
    monkeypatch.setattr(pipeline, "POOL_BATCHES", 5)


@pytest.fixture
def records(data_dir):
    return PretrainingRecords(str(data_dir / "pretrain_tfrecords" / "*"))


def batches_of(records, count, start=0, **options):
    dataset = records.batches(8, LENGTH, seed=3, start=start, buckets=BUCKETS, **options)
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def rows_of(batches):
    return sorted(
        tuple(ids[mask > 0]) for b in batches for ids, mask in zip(*columns(b), strict=True)
    )


def columns(batch):
    return batch["input_ids"], batch["input_mask"]


def test_an_epoch_has_every_example_once_without_needless_padding(records):
    batches = batches_of(records, 10)  # 80 records
    whole = list(itertools.islice(records.batches(8, LENGTH, seed=3).as_numpy_iterator(), 10))
    assert rows_of(batches) == rows_of(whole)
    for batch in batches:
        longest = batch["input_mask"].sum(1).max()
        bucket = next(length for length in (*BUCKETS, LENGTH) if length >= longest)
        assert {rows.shape for rows in batch.values()} == {(8, bucket)}
    assert len({batch["input_ids"].shape for batch in batches}) > 1
    real, room = (sum(f(b["input_mask"]) for b in batches) for f in (np.sum, np.size))
    assert real / room > 1.2 * np.mean([batch["input_mask"].mean() for batch in whole])


@pytest.mark.parametrize("done", [1, 5, 7, 13])
def test_going_on_gives_the_same_batches(records, done):
    whole = batches_of(records, 16)
    for found, expected in zip(
        batches_of(records, 16 - done, start=8 * done), whole[done:], strict=True
    ):
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


def test_workers_share_a_batch_and_its_length(records):
    whole = batches_of(records, 4)
    halves = [batches_of(records, 4, worker_index=i, num_workers=2) for i in range(2)]
    for expected, first, second in zip(whole, *halves, strict=True):
        for name in expected:
            np.testing.assert_array_equal(np.r_[first[name], second[name]], expected[name])


def test_outputs_and_gradients_are_those_of_full_length(data_dir):
    pretrainer = tiny_pretrainer(data_dir, shape=NO_DROPOUT, length_buckets=[12])
    examples = make_examples(40)
    short = examples["input_mask"].sum(1) <= 12
    full = pretrainer.mask(tensors({name: rows[short][:8] for name, rows in examples.items()}))
    fakes = full["masked_ids"] * 7 % 90 + 5
    cut = {name: rows[:, :12] if rows.shape[1] == LENGTH else rows for name, rows in full.items()}
    (expected, expected_gradients), (found, gradients) = (
        outputs_and_gradients(pretrainer, batch, fakes) for batch in (full, cut)
    )
    assert_near(gradients, expected_gradients)
    for name in ("mlm_loss", "rtd_loss", "total_loss"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    np.testing.assert_allclose(found["rtd_logits"], expected["rtd_logits"][:, :12], atol=1e-5)
    # As many masks as at full length: the longest rows decide.
    inputs = {name: full[name] for name in ("input_ids", "input_mask", "segment_ids")}
    masked = pretrainer.mask({name: rows[:, :12] for name, rows in inputs.items()})
    np.testing.assert_array_equal(
        np.sum(masked["masked_weights"], 1), np.sum(full["masked_weights"], 1)
    )


@pytest.mark.slow
def test_a_run_with_buckets(data_dir):
    config = tiny_config(
        data_dir, "buckets", {"num_hidden_layers": 1}, length_buckets=list(BUCKETS)
    )
    assert np.isfinite(run.train(config)["total_loss"])


@pytest.mark.parametrize("buckets", [[12, 8], [8, 8], [2], ["8"]])
def test_wrong_buckets_are_errors(data_dir, buckets):
    with pytest.raises(ValueError, match="length_buckets is expected to be a list of ascending"):
        tiny_config(data_dir, length_buckets=buckets)


def test_buckets_are_not_longer_than_rows_and_have_no_more_masks_than_tokens(data_dir):
    with pytest.raises(ValueError, match=r"length_buckets is expected to be at most .*=16"):
        tiny_config(data_dir, length_buckets=[8, 17])
    config = tiny_config(data_dir, length_buckets=[8], max_predictions_per_seq=12)
    assert [config.num_masked_of(length) for length in (8, 16)] == [8, 12]


def distinct_records(path, count):
    """Records of different lengths; returns the rows without padding."""
    rng = np.random.default_rng(1)
    examples = {name: np.zeros([count, LENGTH], np.int32) for name in make_examples(1)}
    lengths = rng.permutation(np.arange(count) % (LENGTH - 3) + 4)
    for i, length in enumerate(lengths):
        examples["input_ids"][i, :length] = [2, *rng.integers(5, 40, length - 3), i, 3]
        examples["input_mask"][i, :length] = 1
    write_records(path, examples)
    return [tuple(examples["input_ids"][i, :length]) for i, length in enumerate(lengths)]


@pytest.mark.parametrize("sizes", [(8, 12), pytest.param((12, 8), marks=pytest.mark.slow)])
def test_stages_with_other_batch_sizes_share_an_epoch(data_dir, sizes):
    """Also where the first ends in the middle of a pool of 40 or 60 examples."""
    expected = distinct_records(data_dir / "distinct.tfrecord", 192)
    stages = [
        {"steps": count // size, "train_batch_size": size}
        for count, size in zip((72, 120), sizes, strict=True)
    ]
    config = tiny_config(
        data_dir,
        stages=stages,
        num_train_steps=sum(stage["steps"] for stage in stages),
        length_buckets=list(BUCKETS),
        pretrain_tfrecords=str(data_dir / "distinct.tfrecord"),
    )

    whole, state = batches_after(config, 0, {})
    assert rows_of(whole) == sorted(expected)
    change = config.plan[1].first_step
    for step in (1, change - 1, change, change + 1):
        rest, _ = batches_after(config, step, state(step))
        assert_same_ids(rest, whole[step:])


@pytest.mark.parametrize(
    ("count", "step", "before", "after"),
    [
        (184, 3, {"length_buckets": []}, {}),
        (200, 5, {}, {"length_buckets": []}),
        (200, 5, {}, {"train_batch_size": 4}),
        (200, 4, {}, {}),
    ],
    ids=["buckets from now on", "no more buckets", "other batches", "the same"],
)
def test_a_run_may_go_on_otherwise_between_pools(data_dir, caplog, count, step, before, after):
    """No example is lost or repeated, and resuming after that is exact too."""
    expected = distinct_records(data_dir / "distinct.tfrecord", count)
    done, state = batches_after(one_stage(data_dir, 25, **before), 0, {})
    steps = step + (count - 8 * step) // after.get("train_batch_size", 8)
    second = one_stage(data_dir, steps, **after)
    rest, later_state = batches_after(second, step, state(step))
    assert rows_of(done[:step] + rest) == sorted(expected)
    for later in (step + 2, step + 6):
        found, _ = batches_after(second, later, later_state(later))
        assert_same_ids(found, rest[later - step :])
    assert not caplog.messages


def test_a_run_that_goes_on_otherwise_within_a_pool_warns_once(data_dir, caplog):
    expected = distinct_records(data_dir / "distinct.tfrecord", 192)
    done, state = batches_after(one_stage(data_dir, 24), 0, {})
    second = one_stage(data_dir, 3 + (192 - 24) // 4, train_batch_size=4)
    rest, later_state = batches_after(second, 3, state(3))
    (warning,) = caplog.messages
    assert "not what they were when model.ckpt was saved" in warning
    seen = rows_of(done[:3] + rest)
    # All behind the pool of 40 examples once; as many of its examples are missing as come twice.
    assert len(seen) == len(expected)
    assert 0 < len(set(expected) - set(seen)) <= 16
    found, _ = batches_after(second, 6, later_state(6))
    assert_same_ids(found, rest[3:])
    assert len(caplog.messages) == 1


def one_stage(data_dir, steps, **changes):
    """A run of steps with batches of 8 and buckets, but for the changes."""
    settings = {"length_buckets": list(BUCKETS), "train_batch_size": 8, **changes}
    records = str(data_dir / "distinct.tfrecord")
    return tiny_config(data_dir, num_train_steps=steps, pretrain_tfrecords=records, **settings)


def batches_after(config, step, state):
    """Of a run that resumes after `step` updates, and the state after any later one."""
    records = StageRecords(config.plan, lambda p, _: PretrainingRecords(p), config.length_buckets)
    if step:
        records.restore(step, state, "model.ckpt")
    found = []
    for stage in config.plan:
        first = max(step, stage.first_step)
        steps = max(0, stage.last_step - first)
        found += list(itertools.islice(records.batches(stage, first, seed=3), steps))
    return found, records.state


def assert_same_ids(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one["input_ids"], other["input_ids"])
