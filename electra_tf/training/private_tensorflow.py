# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The only file that uses what TensorFlow and Keras do not promise to keep (2.21 and 3.15).

Each use says why no public interface does. A new version of either is tried here first.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.distribute import collective_all_reduce_strategy
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

_NO_REWRITES = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT


@contextlib.contextmanager
def without_memory_rewrites() -> Iterator[None]:
    """Functions that are traced and first called inside keep their sums as they are.

    Where a graph seems to need more than four fifths of the memory, TensorFlow adds up gradients
    in temporary variables. In loops it makes some that exist already: a step of the large
    model with accumulated gradients ended with an AlreadyExistsError. The public options turn off
    all rewrites of graphs, or none.
    """
    eager_context = context.context()
    before = eager_context.function_call_options
    config = tf.compat.v1.ConfigProto.FromString(before.config_proto_serialized)
    config.graph_options.rewrite_options.memory_optimization = _NO_REWRITES
    eager_context.function_call_options = context.FunctionCallOptions(before.executor_type, config)
    try:
        yield
    finally:
        eager_context.function_call_options = before


@contextlib.contextmanager
def without_lasting_gradients() -> Iterator[None]:
    """Models that are made inside, and no longer used behind it, leave no memory behind.

    TensorFlow keeps the gradient of each traced call of a `tf.custom_gradient` under a name for as
    long as the process lives, and with it the graph, and so weights and moments of the model. There
    is no public way to remove it. What is traced inside by other threads loses its gradients, too;
    they are needed only while a step is traced.
    """
    registered = ops.gradient_registry._registry
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            if name.startswith("CustomGradient-"):
                del registered[name]


# ---- The service by which workers notice that one has died; it has no public interface in Python


def configure_coordination(
    jobs: Mapping[str, int], start_seconds: float, heartbeat_seconds: float
) -> None:
    """Set up the service; before the strategy is made.

    Args:
        jobs: number of tasks by job; the first task of the first job runs the service.
        start_seconds: how long tasks wait for each other in the beginning.
        heartbeat_seconds: silence after which a task counts as dead.
    """
    make_job = collective_all_reduce_strategy.coordination_config_pb2.CoordinatedJob
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{next(iter(jobs))}/replica:0/task:0",
        cluster_register_timeout_in_ms=int(start_seconds * 1000),
        heartbeat_timeout_in_ms=int(heartbeat_seconds * 1000),
        coordinated_jobs=[make_job(name=job, num_tasks=count) for job, count in jobs.items()],
    )


def task_errors(jobs: Mapping[str, int]) -> list[Exception | None]:
    """The error of each task, None for those that live.

    Raises:
        tf.errors.OpError: the service does not answer.
    """
    return context.context().get_task_states(list(jobs.items()))


# ---- An optimizer that is given gradients summed over replicas


class OptimizerOfSums(keras.optimizers.Optimizer):
    """An optimizer whose gradients are summed over replicas before `apply` is called.

    Keras sums after it has clipped, in the step of its backend, so that a clipped update would
    depend on the number of replicas. No public method stands between.
    """

    def scalars_of(
        self, variables: Sequence[tf.Variable], indices: Sequence[int], learning_rate: tf.Tensor
    ) -> Sequence[Any]:
        """Scalars that the update of each variable takes, computed on each replica.

        Args:
            variables: the weights to update.
            indices: of the variables among those that the optimizer was built with.
            learning_rate: scalar, of this update.
        """
        raise NotImplementedError

    def update_variables(
        self,
        strategy: tf.distribute.Strategy,
        gradients: Sequence[tf.Tensor],
        variables: Sequence[tf.Variable],
        indices: Sequence[int],
        scalars: Sequence[Any],
    ) -> None:
        """Update variables on all replicas.

        Args:
            strategy: the one the variables are distributed by.
            gradients: one per variable.
            variables: see `scalars_of`.
            indices: likewise.
            scalars: what it gave.
        """
        raise NotImplementedError

    def _backend_update_step(
        self,
        grads: Sequence[tf.Tensor],
        trainable_variables: Sequence[keras.Variable | tf.Variable],
        learning_rate: tf.Tensor,
    ):
        variables = [getattr(variable, "value", variable) for variable in trainable_variables]
        indices = [self._get_variable_index(variable) for variable in variables]
        strategy = tf.distribute.get_strategy()
        scalars = self.scalars_of(variables, indices, learning_rate)
        tf.__internal__.distribute.interim.maybe_merge_call(
            self.update_variables, strategy, grads, variables, indices, scalars
        )

    def _get_current_learning_rate(self):
        """Rate of the update in the making: update number n, counted from 1, takes schedule(n).

        The original's graph increments its global step before the rate is read (measured under
        TF 1 variables: global step 2 trains with the rate of step 3), and its numbers are kept.
        """
        if isinstance(self._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            return self._learning_rate(self.iterations + 1)
        return super()._get_current_learning_rate()


# ---- Metrics of `compile` under a strategy


class MetricsOfOneReplica:
    """A model of Keras whose metrics of `compile` are built from the rows of one replica.

    Before the first step under a strategy, Keras builds them from a batch that it has averaged over
    replicas. Averages of ids are no ids, and replicas may have different numbers of rows. No public
    method stands between.
    """

    def labels_and_predictions(self, rows: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """What metrics compare, of the rows of one replica."""
        raise NotImplementedError

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        metrics = self._compile_metrics
        if metrics is None or metrics.built or iterator is None:
            return
        strategy = self.distribute_strategy
        for _, _, batches in iterator:
            rows = {k: strategy.experimental_local_results(v)[0] for k, v in next(batches).items()}
            break
        with strategy.scope():
            metrics.build(*self.labels_and_predictions(rows))
