# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where a run computes."""

import tensorflow as tf


def make_strategy(
    use_tpu: bool = False,
    tpu_name: str | None = None,
    tpu_zone: str | None = None,
    gcp_project: str | None = None,
    tpu_job_name: str | None = None,
    num_tpu_cores: int | None = None,
) -> tf.distribute.Strategy:
    """One device (the first GPU if there is one), or a TPU.

    The TPU path is written against the public API and has not run on TPU hardware.

    Raises:
        ValueError: the TPU has another number of cores than asked for.
    """
    if not use_tpu:
        return tf.distribute.get_strategy()
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
        tpu=tpu_name, zone=tpu_zone, project=gcp_project, job_name=tpu_job_name or "worker"
    )
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    strategy = tf.distribute.TPUStrategy(resolver)
    if num_tpu_cores is not None and strategy.num_replicas_in_sync != num_tpu_cores:
        raise ValueError(
            f"num_tpu_cores is expected to be the TPU's {strategy.num_replicas_in_sync}, "
            f"but is {num_tpu_cores}."
        )
    return strategy
