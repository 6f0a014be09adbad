# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where a run computes, and which processes train together.

Processes are described by TF_CONFIG or are the tasks of a SLURM step.
"""

import contextlib
import functools
import os
import signal
import threading
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf.config import check
from electra_tf.config.run_config import Devices
from electra_tf.files import parse_json
from electra_tf.training.distribution import coordination
from electra_tf.training.distribution.coordination import JOBS

TPU_START_SECONDS = 600
"""How long a TPU may take to answer and to be initialized."""


def make_strategy(devices: Devices) -> tf.distribute.Strategy:
    """The strategy of some devices; one process has each of them once.

    Two strategies of one process over the same devices would share the keys by which TensorFlow
    tells their sums apart.

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
    fits = workers == 1 or devices.strategy == "multi_worker"
    expected = f"'multi_worker', since TF_CONFIG names {workers} workers"
    check(fits, "strategy", expected, devices.strategy)
    if slurm_tasks() > 1 and devices.strategy not in ("multi_worker", "tpu"):
        raise ValueError(
            f"strategy is expected to be 'multi_worker', since srun started {slurm_tasks()} tasks, "
            f"but is {devices.strategy!r}; srun --ntasks=1 starts a single task."
        )
    strategy = makers[devices.strategy]()
    if strategy.num_replicas_in_sync > 1:
        logging.info("Computing on %d replicas.", strategy.num_replicas_in_sync)
    return strategy


def _one_device() -> tf.distribute.Strategy:
    """TensorFlow's default: the first GPU if there is one."""
    return tf.distribute.get_strategy()


@functools.cache
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


@functools.cache
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


@functools.cache
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
    found, given = strategy.num_replicas_in_sync, devices.num_tpu_cores
    check(given == found, "num_tpu_cores", f"the TPU's {found}", given)
    return strategy


_PORTS = (20000, 20000)
"""First port of SLURM steps, and how many are spread over jobs."""
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def cluster_size() -> int:
    """Processes that TF_CONFIG names; 1 if it is not set or names none.

    Raises:
        ValueError: TF_CONFIG cannot be read.
    """
    given = os.environ.get("TF_CONFIG")
    if not given:
        return 1
    cluster = _read_tf_config(given).get("cluster") or {}
    return max(1, sum(len(cluster.get(job, ())) for job in JOBS))


def resolve_cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """The cluster of TF_CONFIG or else of the SLURM step (`srun`) that this process is part of.

    Under SLURM one task per node drives all GPUs it sees.

    Raises:
        ValueError: neither is given, or what is given is wrong.
    """
    if os.environ.get("TF_CONFIG"):
        cluster, job, index = _of_tf_config(os.environ["TF_CONFIG"])
    elif os.environ.get("SLURM_STEP_NUM_TASKS"):
        cluster, job, index = _of_slurm()
    else:
        raise ValueError(
            "strategy 'multi_worker' needs the environment variable TF_CONFIG, as in "
            f"{_EXAMPLE}, or to be started by srun; neither is given."
        )
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster),
        task_type=job,
        task_id=index,
        num_accelerators={"GPU": len(tf.config.list_physical_devices("GPU"))},
        rpc_layer="grpc",
    )


def _read_tf_config(text: str) -> dict:
    content = parse_json(text, "TF_CONFIG", object)
    jobs = content.get("cluster") or {} if isinstance(content, dict) else None
    if not isinstance(jobs, dict) or not all(map(_is_addresses, jobs.values())):
        raise ValueError(f"TF_CONFIG is expected to be as in {_EXAMPLE}, but is {text!r}.")
    return content


def _is_addresses(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(address, str) for address in value)


def _of_tf_config(text: str) -> tuple[dict[str, list[str]], str, int]:
    content = _read_tf_config(text)
    cluster, task = content.get("cluster"), content.get("task")
    problem = None
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        problem = "has no 'cluster' or no 'task'"
    elif not cluster or set(cluster) - set(JOBS):
        problem = f"has the jobs {sorted(cluster)} instead of {' and '.join(JOBS)}"
    elif len(cluster.get("chief", ())) > 1:
        problem = "has more than one chief"
    elif task.get("type") not in list(cluster):  # a list, since it may be unhashable
        problem = f"has the task type {task.get('type')!r}, which is no job of its cluster"
    elif task.get("index") not in range(len(cluster[task["type"]])):
        problem = (
            f"has the task index {task.get('index')!r}, but "
            f"{len(cluster[task['type']])} of {task['type']!r}"
        )
    if problem:
        raise ValueError(f"TF_CONFIG {problem}; expected is something like {_EXAMPLE}.")
    return cluster, task["type"], task["index"]


def _of_slurm() -> tuple[dict[str, list[str]], str, int]:
    tasks = _slurm_number("SLURM_STEP_NUM_TASKS")
    # Steps of different jobs may share a node.
    port = _PORTS[0] + _slurm_number("SLURM_JOB_ID", "0") % _PORTS[1]
    try:
        # GPUs are left to SLURM: the resolver would number them anew.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            port_base=port, gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
        )
        addresses = resolver.cluster_spec().as_dict()["worker"]
        own = f"{os.environ['SLURMD_NODENAME']}:{port + _slurm_number('SLURM_LOCALID')}"
    except (KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"the environment of srun is incomplete: {error}") from error
    if own not in addresses:
        raise ValueError(f"this task is expected to be one of {addresses}, but is {own}.")
    # The resolver sorts hosts by name, which need not be the order of SLURM's ranks.
    return {"worker": addresses}, "worker", addresses.index(own)


def slurm_tasks() -> int:
    """Tasks of the SLURM step (`srun`) that this process is part of; 1 if there is none.

    Raises:
        ValueError: their number cannot be read.
    """
    return max(1, _slurm_number("SLURM_STEP_NUM_TASKS", "1"))


def _slurm_number(variable: str, default: str | None = None) -> int:
    """What srun has set a variable to."""
    text = os.environ.get(variable, default)
    if text is None or not text.isdecimal():
        raise ValueError(f"{variable} is expected to be a number, but is {text!r}")
    return int(text)
