# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Lets Keras find this library's classes in saved models, without importing them before it does.

A class is registered with Keras once the module that defines it is imported, but
`import electra_tf` imports none. So each class is registered by a stand-in, as soon as Keras itself
is imported.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

CLASSES = {
    "electra_tf.finetuning.kinds.embedding": ("EmbeddingHead",),
    "electra_tf.finetuning.kinds.heads": (
        "ClassificationHead",
        "MultiLabelHead",
        "RegressionHead",
        "TaggingHead",
    ),
    "electra_tf.finetuning.kinds.prompted": ("PromptHead",),
    "electra_tf.finetuning.kinds.question_head": ("QuestionAnsweringHead",),
    "electra_tf.finetuning.model": ("FinetuningModel", "TaskHeads"),
    "electra_tf.interop.huggingface.model": ("HuggingFaceModel",),
    "electra_tf.model.encoder": ("Encoder", "LayerStack"),
    "electra_tf.model.heads": ("CopyHead", "ReplacedTokenHead", "TokenPredictionHead"),
    "electra_tf.model.layers": (
        "Attention",
        "Embeddings",
        "Intermediate",
        "LayerNorm",
        "ResidualOutput",
        "SelfAttention",
        "TransformerLayer",
    ),
    "electra_tf.pretraining.discriminators": (
        "CopyingTokenRestorer",
        "Discriminator",
        "TokenRestorer",
    ),
    "electra_tf.pretraining.pair": (
        "MaskedLanguageModel",
        "TwoTowerClozeModel",
        "UniformGenerator",
    ),
    "electra_tf.pretraining.pretrainer": ("ElectraPretrainer",),
    "electra_tf.task_models": (
        "MultiLabelClassifier",
        "QuestionAnswerer",
        "TextClassifier",
        "TextRegressor",
        "TokenClassifier",
    ),
    "electra_tf.training.optimization.optimizer": (
        "ElectraAdam",
        "ElectraLamb",
        "ElectraStableAdamW",
    ),
    "electra_tf.training.optimization.schedules": (
        "WarmupCosineDecay",
        "WarmupPolynomialDecay",
        "WarmupTrapezoid",
    ),
}
"""Module -> its classes that Keras can save."""


class _StandIn:
    """Stands for a class until a saved model needs it."""

    def __init__(self, module: str, name: str):
        self.module, self.name = module, name

    def from_config(self, config: Mapping[str, Any]) -> Any:
        """An object of the class, which is imported for it."""
        return getattr(importlib.import_module(self.module), self.name).from_config(config)


def _register_all():
    objects = importlib.import_module("keras").saving.get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            # What was imported has registered itself.
            objects.setdefault(f"electra_tf>{name}", _StandIn(module, name))


class _WhenKerasIsImported(importlib.abc.MetaPathFinder):
    """Finds Keras as Python does, and registers the classes once it is imported."""

    def __init__(self):
        self._is_asking_others = False

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras" or self._is_asking_others:
            return None
        self._is_asking_others = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._is_asking_others = False
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            # Only here: programs also look for a module without importing it.
            def run_and_register(module: types.ModuleType):
                run(module)
                _register_all()
                if self in sys.meta_path:
                    sys.meta_path.remove(self)

            spec.loader.exec_module = run_and_register
        return spec


def register() -> None:
    """Register all classes, now or when Keras is imported."""
    if "keras" in sys.modules:
        _register_all()
    else:
        sys.meta_path.insert(0, _WhenKerasIsImported())
