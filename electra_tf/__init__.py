# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA in TensorFlow 2 and Keras 3: pre-training text encoders as discriminators.

`electra_tf.load`, `electra_tf.Encoder` and the other public names are imported when they are asked
for: the package itself imports no library, and lets Keras find its classes in saved models.
"""

import importlib
from typing import Any

from electra_tf import registration

__version__ = "0.1.0"

_PUBLIC = {
    "configure": "electra_tf.environment",
    "pretrain": "electra_tf.runs",
    "finetune": "electra_tf.runs",
    "load": "electra_tf.loading",
    "load_tokenizer": "electra_tf.interop.presets",
    "TextClassifier": "electra_tf.task_models",
    "MultiLabelClassifier": "electra_tf.task_models",
    "TextRegressor": "electra_tf.task_models",
    "TokenClassifier": "electra_tf.task_models",
    "QuestionAnswerer": "electra_tf.task_models",
    "Encoder": "electra_tf.model",
    "ReplacedTokenHead": "electra_tf.model",
    "TokenPredictionHead": "electra_tf.model",
    "ElectraPretrainer": "electra_tf.pretraining",
    "FinetuningModel": "electra_tf.finetuning",
    "ElectraAdam": "electra_tf.training",
    "WarmupPolynomialDecay": "electra_tf.training",
    "PretrainingResults": "electra_tf.runs",
    "RunResults": "electra_tf.finetuning.results",
    "PretrainingConfig": "electra_tf.config",
    "FinetuningConfig": "electra_tf.config",
    "load_huggingface": "electra_tf.interop",
    "save_huggingface": "electra_tf.interop",
    "load_reference_checkpoint": "electra_tf.interop",
}
"""Public name -> the module that has it. docs/api.md has a line for each, in this order."""

__all__ = ["__version__", *_PUBLIC]

registration.register()


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
