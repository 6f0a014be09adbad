# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import math
import re

import pytest

from electra_tf.training.optimization.schedules import (
    WarmupCosineDecay,
    WarmupPolynomialDecay,
    WarmupTrapezoid,
    warn_of_long_warmup,
)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.0),
        (1, 2.0 * 0.9 * 0.2),
        (4, 2.0 * 0.6 * 0.8),
        (5, 2.0 * 0.5),  # the warm-up multiplies a rate that has decayed to half
        (6, 2.0 * 0.4),
        (10, 0.0),
        (11, 0.0),
    ],
)
def test_warm_up_times_linear_decay(step, rate):
    schedule = WarmupPolynomialDecay(2.0, num_steps=10, num_warmup_steps=5)
    assert float(schedule(step)) == pytest.approx(rate, abs=1e-7)


@pytest.mark.parametrize(("step", "rate"), [(0, 3.0), (1, 2.25), (2, 1.5), (4, 0.0)])
def test_no_warm_up_begins_at_the_peak(step, rate):
    assert float(WarmupPolynomialDecay(3.0, num_steps=4)(step)) == pytest.approx(rate)


@pytest.mark.parametrize(("step", "rate"), [(0, 1.0), (1, 0.5625), (2, 0.25), (3, 0.0625)])
def test_power(step, rate):
    assert float(WarmupPolynomialDecay(1.0, num_steps=4, power=2.0)(step)) == pytest.approx(rate)


def test_a_million_steps_in_float32():
    schedule = WarmupPolynomialDecay(5e-4, num_steps=1000000, num_warmup_steps=10000)
    assert float(schedule(999999)) == pytest.approx(5e-10, rel=0.05)
    assert float(schedule(10000)) == pytest.approx(5e-4 * 0.99, rel=1e-5)


def test_config_round_trip():
    config = {"peak": 2.0, "num_steps": 10, "num_warmup_steps": 5, "power": 2.0}
    schedule = WarmupPolynomialDecay(**config)
    assert schedule.get_config() == config
    assert float(WarmupPolynomialDecay.from_config(config)(3)) == float(schedule(3))


@pytest.mark.parametrize(
    ("steps", "warmup", "power"), [(100, 100, 1.0), (50, 1000, 2.0), (9, 9, 0)]
)
def test_a_warmup_longer_than_the_run_is_a_warning(caplog, steps, warmup, power):
    schedule = WarmupPolynomialDecay(1e-3, steps, warmup, power)
    warn_of_long_warmup(schedule, f"num_warmup_steps is {warmup}", "num_warmup_steps to 10")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    said = re.search(r"no higher than (\S+) of learning_rate=0.001\. Set num_warm", record.message)
    highest = max(float(schedule(step / 10)) for step in range(10 * steps + 1))
    assert float(said[1]) == pytest.approx(highest, rel=0.06)


@pytest.mark.parametrize(("steps", "warmup", "peak"), [(100, 99, 1e-3), (10, 0, 1.0), (5, 9, 0.0)])
def test_a_warmup_that_ends_is_none(caplog, steps, warmup, peak):
    warn_of_long_warmup(WarmupPolynomialDecay(peak, steps, warmup), "given", "instead")
    assert not caplog.records


@pytest.mark.parametrize(
    ("power", "rates"),
    [
        (1.0, [0, 1, 2, 2, 2, 2, 2, 1.5, 1, 0.5, 0, 0]),
        (2.0, [0, 1, 2, 2, 2, 2, 2, 1.125, 0.5, 0.125, 0, 0]),
    ],
)
def test_a_trapezoid(power, rates):
    schedule = WarmupTrapezoid(2.0, 10, num_warmup_steps=2, power=power, num_decay_steps=4)
    assert [float(schedule(step)) for step in range(12)] == pytest.approx(rates)


def test_the_constant_part_of_a_trapezoid_does_not_depend_on_its_length():
    """To the last bit."""
    long, short, endless = (
        WarmupTrapezoid(0.3, steps, 300, power=1.7, num_decay_steps=decay)
        for steps, decay in ((10**7, 10**6), (1100, 100), (5000, 0))
    )
    rates = [
        [float(schedule(step)) for step in (0, 7, 299, 300, 999, 1000)]
        for schedule in (long, short, endless)
    ]
    assert rates[0] == rates[1] == rates[2]
    assert float(short(1001)) < rates[0][-1] == float(endless(4999))


def test_a_cosine():
    schedule = WarmupCosineDecay(2.0, 10, num_warmup_steps=2)
    half = [1 + math.cos(math.pi * done / 8) for done in range(9)]
    assert [float(schedule(s)) for s in range(11)] == pytest.approx([0, 1, *half], abs=1e-6)
    assert float(schedule(11)) == 0.0


def test_a_trapezoid_cannot_decay_for_longer_than_it_is():
    with pytest.raises(ValueError, match="num_decay_steps is expected to be between 0 and"):
        WarmupTrapezoid(1.0, 10, num_decay_steps=11)
