# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Schedule, optimizer, checkpoints, the step loop, logs; uses Keras, independent of ELECTRA."""

from electra_tf.training.optimization.optimizer import ElectraAdam
from electra_tf.training.optimization.schedules import WarmupPolynomialDecay

__all__ = ["ElectraAdam", "WarmupPolynomialDecay"]
