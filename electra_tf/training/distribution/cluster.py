# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which processes train together, and which of them this one is: TF_CONFIG or a SLURM step."""

import os
from typing import Any

import tensorflow as tf

from electra_tf.files import parse_json

JOBS = ("chief", "worker")
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
        ValueError: neither is there, or what is there is wrong.
    """
    if os.environ.get("TF_CONFIG"):
        cluster, job, index = _of_tf_config(os.environ["TF_CONFIG"])
    elif os.environ.get("SLURM_STEP_NUM_TASKS"):
        cluster, job, index = _of_slurm()
    else:
        raise ValueError(
            "strategy 'multi_worker' needs the environment variable TF_CONFIG, as in "
            f"{_EXAMPLE}, or to be started by srun; neither is there."
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
