# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where a run computes."""

import contextlib
import functools
import signal
import threading

import tensorflow as tf
from absl import logging

from electra_tf.config.run_config import Devices
from electra_tf.training.distribution import coordination
from electra_tf.training.distribution.cluster import cluster_size, resolve_cluster, slurm_tasks

TPU_START_SECONDS = 600
"""How long a TPU may take to answer and to be initialized."""


@functools.cache
def make_strategy(devices: Devices) -> tf.distribute.Strategy:
    """The strategy of some devices; one process has each of them once.

    "multi_worker" has to be made before TensorFlow computes anything.

    Raises:
        ValueError: the devices are not there, or not as many as expected.
        ConnectionError: the other workers do not come.
    """
    makers = {
        "one_device": _one_device,
        "mirrored": _mirrored,
        "multi_worker": _multi_worker,
        "tpu": functools.partial(_tpu, devices),
    }
    workers = cluster_size()
    if workers > 1 and devices.strategy != "multi_worker":
        raise ValueError(
            f"strategy is expected to be 'multi_worker', since TF_CONFIG names {workers} workers, "
            f"but is {devices.strategy!r}."
        )
    if slurm_tasks() > 1 and devices.strategy not in ("multi_worker", "tpu"):
        raise ValueError(
            f"strategy is expected to be 'multi_worker', since srun started {slurm_tasks()} tasks, "
            f"but is {devices.strategy!r}; a task of its own is started by srun --ntasks=1."
        )
    strategy = makers[devices.strategy]()
    if strategy.num_replicas_in_sync > 1:
        logging.info("Computing on %d replicas.", strategy.num_replicas_in_sync)
    return strategy


def _one_device() -> tf.distribute.Strategy:
    """TensorFlow's default: the first GPU if there is one."""
    return tf.distribute.get_strategy()


def _mirrored() -> tf.distribute.Strategy:
    """All GPUs; without any, the parts that a program has divided its CPU in, as tests do.

    A single GPU needs no strategy, with which its steps could not be compiled as a whole.
    """
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1 and devices[0].device_type == "CPU":
        raise ValueError("strategy is expected to be 'one_device' on a host without GPUs.")
    if len(devices) == 1:
        return _one_device()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _multi_worker() -> tf.distribute.Strategy:
    resolver = resolve_cluster()
    # The automatic choice is the ring, over which GPUs of one host would talk as if far apart.
    implementation = tf.distribute.experimental.CommunicationImplementation
    has_gpus = resolver.num_accelerators().get("GPU", 0) > 0
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=implementation.NCCL if has_gpus else implementation.RING
    )
    coordination.configure(resolver)
    try:
        with _ended_by_ctrl_c():
            return tf.distribute.MultiWorkerMirroredStrategy(resolver, options)
    except RuntimeError as error:
        raise ValueError(
            "strategy 'multi_worker' has to be made before TensorFlow computes anything in this "
            f"process: {error}"
        ) from error
    except tf.errors.OpError as error:
        raise ConnectionError(
            f"the workers {coordination.addresses(resolver)} did not come together: {error.message}"
        ) from error


@contextlib.contextmanager
def _ended_by_ctrl_c():
    """Ctrl-C ends the process at once: Python's handler would wait as long as TensorFlow does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _tpu(devices: Devices) -> tf.distribute.Strategy:
    """Written against the public API; has not run on TPU hardware."""
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=devices.tpu_name,
            zone=devices.tpu_zone,
            project=devices.gcp_project,
            job_name=devices.tpu_job_name or "worker",
        )
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"no TPU is found by tpu_name={devices.tpu_name!r}, tpu_zone={devices.tpu_zone!r} and "
            f"gcp_project={devices.gcp_project!r}: {error}"
        ) from error
    logging.info("Connecting to the TPU of tpu_name=%r.", devices.tpu_name)
    # Where nothing answers, TensorFlow tries without an end and without a word.
    message = f"no TPU answers at tpu_name={devices.tpu_name!r} within {TPU_START_SECONDS} s."
    with _ended_by_ctrl_c(), coordination.ending_after(TPU_START_SECONDS, message):
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    strategy = tf.distribute.TPUStrategy(resolver)
    if strategy.num_replicas_in_sync != devices.num_tpu_cores:
        raise ValueError(
            f"num_tpu_cores is expected to be the TPU's {strategy.num_replicas_in_sync}, "
            f"but is {devices.num_tpu_cores}."
        )
    return strategy
