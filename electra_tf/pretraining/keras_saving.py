# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How Keras saves a pretrainer in a `.keras` file, and loads it."""

from collections.abc import Mapping
from typing import Any

import keras

from electra_tf.config import PretrainingConfig
from electra_tf.config.stored import as_stored, from_stored
from electra_tf.model.part import freeze_weights, frozen_weights
from electra_tf.text import Vocabulary


class SavedByKeras(keras.Model):
    """What Keras asks a pretrainer for when it saves or loads one."""

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as the stored model was."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        return {
            "name": self.name,
            "config": as_stored(self.config),
            "vocabulary": self._vocabulary and as_stored(self._vocabulary),
            "frozen": frozen_weights(self),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "SavedByKeras":
        """A pretrainer with new weights, from what `get_config` gave."""
        where = "the configuration of an ElectraPretrainer"
        vocabulary = config["vocabulary"]
        pretrainer = cls(
            from_stored(PretrainingConfig, config["config"], where),
            vocabulary and from_stored(Vocabulary, vocabulary, where),
            name=config["name"],
        )
        freeze_weights(pretrainer, config["frozen"])
        return pretrainer

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Store what belongs to updates: moving averages and the scale of losses."""
        for number, (_, variable) in enumerate(sorted(self.updates.state.items())):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Load what `save_own_variables` stored.

        Raises:
            ValueError: it was stored of a model with another `ema_decay` or `precision`.
        """
        state = [variable for _, variable in sorted(self.updates.state.items())]
        if len(store.keys()) != len(state):
            raise ValueError(
                f"the file is expected to hold {len(state)} variables of averages and of the scale "
                f"of losses, as ema_decay={self.config.ema_decay} and precision="
                f"{self.config.precision!r} need, but holds {len(store.keys())}."
            )
        for number, variable in enumerate(state):
            variable.assign(store[str(number)])
