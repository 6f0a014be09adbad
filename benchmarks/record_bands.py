# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Records a reference band: where several finished runs of one run card were, step by step.

    for seed in 0 1 2 3; do
        electra pretrain --data-dir data --model-name quickstart_$seed --hparams quickstart \\
            --set seed=$seed
    done
    python benchmarks/record_bands.py --card quickstart --runs data/models/quickstart_? \\
        --recorded "film reviews of make quickstart, 2 CPU cores"

replaces the card's band in electra_tf/pretraining/bands.json, with which `electra pretrain` and
`electra report` compare runs.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from electra_tf.config import load_hparams
from electra_tf.config.stored import as_stored
from electra_tf.files import write_json
from electra_tf.pretraining import bands
from electra_tf.pretraining.health import RECORDS
from electra_tf.pretraining.model_folder import read_config
from electra_tf.training.loop.logs import read_log


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--card", required=True, help="name of the run card")
    parser.add_argument("--runs", required=True, nargs="+", help="model folders, a seed each")
    parser.add_argument("--recorded", required=True, help="on which text and machine")
    args = parser.parse_args()
    band = record(args.card, args.runs, args.recorded)
    kept = [other for other in bands.recorded_bands() if other.card != args.card]
    content = [as_stored(each) for each in sorted([*kept, band], key=lambda each: each.card)]
    write_json(str(bands.FILE), content)
    print(f"{bands.FILE}: {args.card}, {len(args.runs)} runs, {len(band.steps)} steps")
    print(f"{'last step':16}{'lowest':>10}{'highest':>10}")
    for name in band.low:
        print(f"{name:16}{band.low[name][-1]:10.3f}{band.high[name][-1]:10.3f}")


def record(card: str, runs: list[str], recorded: str) -> bands.Band:
    """The band of finished runs of the card."""
    configs = [read_config(run).pretraining for run in runs]
    for run, config in zip(runs, configs, strict=True):
        found = bands.deciding(config) == bands.deciding_of_card(load_hparams(card))
        if not found or read_log(run)[-1]["step"] != config.num_train_steps:
            raise ValueError(f"{run} is expected to be a finished run of the card {card}.")
    return band_of(
        [read_log(run) for run in runs],
        card=card,
        hparams=load_hparams(card),
        seeds=tuple(config.seed for config in configs),
        recorded=recorded,
        unigram_entropy=round(read_log(runs[0], RECORDS)[-1]["unigram_entropy"], 4),
    )


def band_of(runs: Sequence[Sequence[Mapping[str, float]]], **about: Any) -> bands.Band:
    """The band of the logs of several runs, which have training entries at the same steps.

    At each step it reaches from the lowest to the highest run, and beyond both by the largest
    distance between two runs at any step from the third interval of the log on. Fields of `Band`
    that do not follow from the logs are given.

    Raises:
        ValueError: the runs were logged at different steps, or there are fewer than two.
    """
    steps = [[entry["step"] for entry in run] for run in runs]
    if len(runs) < 2 or any(other != steps[0] for other in steps):
        raise ValueError("A band is expected to be made of two or more runs with the same steps.")
    middles = (np.array(steps[0]) + np.array([0, *steps[0][:-1]])) / 2
    low, high = {}, {}
    for name in bands.WORSE_ABOVE:
        if any(name not in run[0] for run in runs):
            continue  # masked LM has no discriminator
        values = np.array([[entry[name] for entry in run] for run in runs])
        spread = np.ptp(values[:, 2:], axis=0).max() if values.shape[1] > 2 else 0.0
        low[name] = np.round(values.min(axis=0) - spread, 4).tolist()
        high[name] = np.round(values.max(axis=0) + spread, 4).tolist()
    return bands.Band(steps=tuple(middles.tolist()), low=low, high=high, **about)


if __name__ == "__main__":
    main()
