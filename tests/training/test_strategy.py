# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which devices a strategy has, and what is said where they are not there."""

import functools
import signal
import threading
import types

import pytest
import tensorflow as tf

from electra_tf.config import FinetuningConfig, PretrainingConfig
from electra_tf.config.run_config import Devices
from electra_tf.training.distribution import strategy
from electra_tf.training.distribution.strategy import make_strategy


@pytest.fixture(autouse=True)
def new_strategies(monkeypatch):
    """No strategy made in a test stays, and the machine's own cluster does not matter.

    The one that other tests of this process compute with stays, too.
    """
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name in ("_mirrored", "_multi_worker", "_tpu"):
        make = getattr(strategy, name).__wrapped__
        monkeypatch.setattr(strategy, name, functools.cache(make))


@pytest.mark.parametrize("config_class", [PretrainingConfig, FinetuningConfig])
class TestHyperparameters:
    def configure(self, config_class, **hparams):
        return config_class.from_hparams("name", "/data", hparams)

    def test_default(self, config_class):
        assert self.configure(config_class).devices == Devices("one_device")

    @pytest.mark.parametrize("strategy", ["one_device", "mirrored", "multi_worker"])
    def test_without_tpu(self, config_class, strategy):
        config = self.configure(config_class, strategy=strategy)
        assert (config.devices.strategy, config.use_tpu) == (strategy, False)

    def test_tpu_as_in_the_original_or_by_name(self, config_class):
        flags = {"tpu_name": "grpc://host", "tpu_zone": "zone", "gcp_project": "project"}
        flags |= {"num_tpu_cores": 8, "tpu_job_name": "job"}
        for said in ({"use_tpu": True}, {"strategy": "tpu"}):
            config = self.configure(config_class, **said, **flags)
            assert config.use_tpu
            assert config.devices == Devices("tpu", **flags)

    @pytest.mark.parametrize(
        "said",
        [
            {"strategy": "mirrored", "use_tpu": True},
            {"strategy": "tpu", "use_tpu": False},
            {"strategy": "all"},
        ],
    )
    def test_contradictions(self, config_class, said):
        with pytest.raises(ValueError, match="strategy is expected to be"):
            self.configure(config_class, **said)


def test_one_device_is_tensorflows_own_choice():
    assert make_strategy(Devices()) is tf.distribute.get_strategy()


def test_mirrored_has_every_device_and_is_made_once():
    strategy = make_strategy(Devices("mirrored"))
    assert strategy.num_replicas_in_sync == 2
    for rest in ({}, {"num_tpu_cores": 8}, {"gcp_project": "project"}):
        assert make_strategy(Devices("mirrored", **rest)) is strategy


def test_mirrored_needs_several_devices(monkeypatch):
    only = [types.SimpleNamespace(name="/device:CPU:0", device_type="CPU")]
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind: only if kind == "CPU" else []
    )
    with pytest.raises(ValueError, match="'one_device' on a host without GPUs"):
        make_strategy(Devices("mirrored"))


def test_mirrored_with_a_single_gpu_is_one_device(monkeypatch):
    only = [types.SimpleNamespace(name="/device:GPU:0", device_type="GPU")]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: only)
    assert make_strategy(Devices("mirrored")) is tf.distribute.get_strategy()


@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
def test_workers_that_would_not_know_of_each_other(monkeypatch, strategy):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}')
    with pytest.raises(ValueError, match="'multi_worker', since TF_CONFIG names 2 workers"):
        make_strategy(Devices(strategy))


def test_several_workers_come_before_everything_else(monkeypatch):
    """Here TensorFlow has computed already."""
    config = '{"cluster": {"worker": ["localhost:0"]}, "task": {"type": "worker", "index": 0}}'
    monkeypatch.setenv("TF_CONFIG", config.replace("[", '["localhost:1", '))
    tf.constant(1) + 1
    with pytest.raises(ValueError, match="before TensorFlow computes anything"):
        make_strategy(Devices("multi_worker"))


class TestTpu:
    """With stand-ins for what talks to Google Cloud."""

    @pytest.fixture
    def calls(self, monkeypatch):
        calls = []

        def resolver(**address):
            calls.append(("resolve", address))
            return "resolver"

        def make(found):
            calls.append(("strategy", found))
            return types.SimpleNamespace(num_replicas_in_sync=8)

        monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", resolver)
        monkeypatch.setattr(
            tf.config,
            "experimental_connect_to_cluster",
            lambda found: calls.append(("connect", found)),
        )
        monkeypatch.setattr(
            tf.tpu.experimental,
            "initialize_tpu_system",
            lambda found: calls.append(("initialize", found)),
        )
        monkeypatch.setattr(tf.distribute, "TPUStrategy", make)
        return calls

    def test_is_found_connected_and_initialized(self, calls):
        devices = Devices("tpu", "name", "zone", "project", None, num_tpu_cores=8)
        assert make_strategy(devices).num_replicas_in_sync == 8
        address = {"tpu": "name", "zone": "zone", "project": "project", "job_name": "worker"}
        assert calls == [
            ("resolve", address),
            ("connect", "resolver"),
            ("initialize", "resolver"),
            ("strategy", "resolver"),
        ]

    def test_job_name(self, calls):
        make_strategy(Devices("tpu", tpu_job_name="other", num_tpu_cores=8))
        assert calls[0][1]["job_name"] == "other"

    def test_that_does_not_answer_ends_the_process(self, calls, monkeypatch):
        ended, messages = threading.Event(), []

        def end_process(message):
            messages.append(message)
            ended.set()

        monkeypatch.setattr(strategy, "TPU_START_SECONDS", 0.01)
        monkeypatch.setattr(strategy.coordination, "end_process", end_process)
        monkeypatch.setattr(
            tf.config, "experimental_connect_to_cluster", lambda _: ended.wait(timeout=60)
        )
        make_strategy(Devices("tpu", "grpc://nowhere", num_tpu_cores=8))
        assert messages == ["no TPU answers at tpu_name='grpc://nowhere' within 0.01 s."]

    def test_another_number_of_cores(self, calls):
        with pytest.raises(ValueError, match="num_tpu_cores is expected to be the TPU's 8"):
            make_strategy(Devices("tpu", num_tpu_cores=4))


def test_tasks_of_srun_do_not_train_alone(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    with pytest.raises(ValueError, match="'multi_worker', since srun started 2 tasks"):
        make_strategy(Devices("one_device"))


def test_a_tpu_that_is_not_found_is_named(monkeypatch):
    def fail(**_):
        raise RuntimeError("cloud-tpu-client is missing")

    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", fail)
    with pytest.raises(ValueError, match=r"by tpu_name='name'.*: cloud-tpu-client is missing"):
        make_strategy(Devices("tpu", tpu_name="name"))


def test_ctrl_c_ends_the_wait_for_other_workers(monkeypatch):
    """TensorFlow waits without giving Python's handler a chance."""
    waiting = []

    def wait(*_):
        waiting.append(signal.getsignal(signal.SIGINT))
        return tf.distribute.get_strategy()

    resolver = types.SimpleNamespace(num_accelerators=dict)
    monkeypatch.setattr(strategy, "resolve_cluster", lambda: resolver)
    monkeypatch.setattr(strategy.coordination, "configure", lambda _: None)
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", wait)
    before = signal.getsignal(signal.SIGINT)
    make_strategy(Devices("multi_worker"))
    assert waiting == [signal.SIG_DFL]
    assert signal.getsignal(signal.SIGINT) == before
