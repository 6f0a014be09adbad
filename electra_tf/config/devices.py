# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where a run computes: one device, all GPUs of a host, several hosts, or a TPU."""

import dataclasses
from typing import Any

from electra_tf.config.checks import check

STRATEGIES = ("one_device", "mirrored", "multi_worker", "tpu")
"""The first GPU or else the CPU; all GPUs of this host; the hosts of TF_CONFIG or of a SLURM step
with all their GPUs; a Cloud TPU."""


@dataclasses.dataclass(frozen=True)
class Devices:
    """What a strategy is made from; fields as in the configurations."""

    strategy: str = "one_device"
    tpu_name: str | None = None
    tpu_zone: str | None = None
    gcp_project: str | None = None
    tpu_job_name: str | None = None
    num_tpu_cores: int = 1


def with_strategy(values: dict[str, Any]) -> dict[str, Any]:
    """Hyperparameters in which the original's `use_tpu` and `strategy` say the same."""
    if values.get("use_tpu"):
        return {"strategy": "tpu", **values}
    if values.get("strategy") == "tpu":
        return {"use_tpu": True, **values}
    return values


def devices_of(config: Any) -> Devices:
    """The devices of a configuration.

    Raises:
        ValueError: there is no such strategy, or it contradicts `use_tpu`.
    """
    check(config.strategy in STRATEGIES, "strategy", f"one of {STRATEGIES}", config.strategy)
    check(
        config.use_tpu == (config.strategy == "tpu"),
        "strategy",
        f"'tpu' where use_tpu is true, and only there (use_tpu is {config.use_tpu})",
        config.strategy,
    )
    return Devices(**{field.name: getattr(config, field.name) for field in _FIELDS})


_FIELDS = dataclasses.fields(Devices)
