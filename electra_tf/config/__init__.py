# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a run is: frozen dataclasses, read from strict JSON, with every derived value a property.

Names and defaults of the hyperparameters are those of the original release
(google-research/electra); the ones that are new here are marked "New".
"""

from electra_tf.config.encoder import MODEL_SIZES, EncoderConfig
from electra_tf.config.fields import check, check_names
from electra_tf.config.finetuning import FinetuningConfig
from electra_tf.config.given_hparams import load_hparams
from electra_tf.config.pretraining import MODEL_KEYS, PretrainingConfig

__all__ = [
    "MODEL_KEYS",
    "MODEL_SIZES",
    "EncoderConfig",
    "FinetuningConfig",
    "PretrainingConfig",
    "check",
    "check_names",
    "load_hparams",
]
