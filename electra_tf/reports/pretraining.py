# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The report on a pre-training run: what is off, its curves beside the reference band."""

import math
import os
from collections.abc import Mapping, Sequence

from electra_tf.config import PretrainingConfig
from electra_tf.given_files import CONFIG_FILE
from electra_tf.pretraining.bands import Band, find_band
from electra_tf.pretraining.health import Finding, HealthWatch
from electra_tf.pretraining.health_log import replay
from electra_tf.pretraining.model_folder import read_config
from electra_tf.pretraining.record_facts import RecordFacts
from electra_tf.pretraining.run_facts import RunFacts
from electra_tf.reports.charts import Area, Chart, Curve
from electra_tf.reports.curves import (
    Entries,
    chart,
    charts,
    charts_of_pace,
    curve,
    is_number,
    log_of,
    means,
)
from electra_tf.reports.page import page, paragraph, table


def pretraining_report(folder: str) -> str:
    """The report as HTML; see `make_report` for errors."""
    config, log = read_config(folder).pretraining, log_of(folder)
    band, run = find_band(config), RunFacts.of(config)
    watch = HealthWatch(run, band)
    findings = replay(watch, log.entries, continues=False)
    if band is not None and not (watch.facts and band.is_of_text(watch.facts.unigram_entropy)):
        comparison, shown = _not_comparable(band, watch.facts), None
    else:
        comparison, shown = _of_band(band), band
    step = log.training[-1]["step"]
    return page(
        f"{config.model_name}: {step:,} of {config.num_train_steps:,} steps",
        [
            "<h2>Is this run healthy?</h2>",
            *_of_findings(findings, step, run, watch.rules),
            paragraph(comparison),
            "<h2>Curves</h2>",
            charts(*_charts(log.training, log.evaluations, run, watch.facts, shown)),
            "<h2>Last values</h2>",
            _last_values(log.training, log.evaluations, shown),
            *_of_records(watch.facts, run),
            "<h2>Run</h2>",
            table(("hyperparameter", "value"), _of_config(config, folder)),
        ],
    )


def _of_findings(
    findings: Sequence[Finding], step: int, run: RunFacts, rules: Sequence[str]
) -> list[str]:
    if findings:
        return [paragraph(str(finding), "finding") for finding in findings]
    checked = ", ".join(name.replace("_", " ") for name in rules)
    early = ""
    if step < run.patience():
        early = (
            f" Whether it learns is judged from step {run.patience():,.0f} on, after the warm-up "
            "and some time to learn."
        )
    return [paragraph(f"No rule finds anything ({checked}).{early}", "healthy")]


def _of_band(band: Band | None) -> str:
    if band is None:
        return (
            "No run of this configuration was recorded, so there is no band. The dashed lines "
            "follow from the records and hold for every run."
        )
    seeds = ", ".join(map(str, band.seeds))
    return f"The band is of recorded runs of the card {band.card}, seeds {seeds}: {band.recorded}."


def _not_comparable(band: Band, facts: RecordFacts | None) -> str:
    here = "it is not known in this run" if facts is None else f"here {facts.unigram_entropy:.2f}"
    return (
        f"The card {band.card} was recorded on text whose tokens have an entropy of "
        f"{band.unigram_entropy:.2f} nats; {here}: losses cannot be compared, and there is no band."
    )


def _charts(
    training: Entries,
    held_out: Entries,
    run: RunFacts,
    facts: RecordFacts | None,
    band: Band | None,
) -> list[Chart]:
    of_loss = [("uniform guess", math.log(run.vocab_size))]
    if facts is not None:
        of_loss.append(("unigram plateau", run.plateau(facts)))
    made = [
        _compared("masked_lm_loss", training, held_out, band, lines=of_loss),
        _compared("disc_loss", training, held_out, band, [_base_rate(training)]),
        _compared("disc_auc", training, held_out, band, lines=[("chance", 0.5)]),
        _compared("restoration_loss", training, held_out, band),
        _compared("replaced_share", training, held_out, band),
        chart(
            "accuracy on masked tokens",
            means("best guess", training, "masked_lm_accuracy"),
            means("token drawn as a fake", training, "sampled_masked_lm_accuracy"),
            means("restored by the discriminator", training, "restored_masked_accuracy"),
        ),
        _compared("gradient_norm", training, [], band),
    ]
    return [*made, *charts_of_pace(training)]


TITLES = {
    "masked_lm_loss": "generator or masked LM: loss per masked token, nats",
    "disc_loss": "discriminator: loss per token, nats",
    "disc_auc": "discriminator: AUC",
    "restoration_loss": "discriminator: loss per restored token, nats",
    "replaced_share": "share of tokens that are fakes",
    "gradient_norm": "gradient norm, before clipping",
}


def _compared(
    name: str,
    training: Entries,
    held_out: Entries,
    band: Band | None,
    others: Sequence[Curve | None] = (),
    lines: Sequence[tuple[str, float]] = (),
) -> Chart:
    """A logged value beside its band."""
    area = None
    if band is not None and name in band.low:
        area = Area("recorded runs", band.steps, band.low[name], band.high[name])
    points = curve("held-out", held_out, name, is_points=True)
    title = TITLES[name]
    return chart(title, means("training", training, name), points, *others, area=area, lines=lines)


def _base_rate(training: Entries) -> Curve | None:
    """The loss of a discriminator that knows how many tokens are fakes, and nothing else."""
    found = [
        {"middle": e["middle"], "loss": -sum(p * math.log(p) for p in (share, 1 - share))}
        for e in training
        if is_number(share := e.get("replaced_share")) and 0 < share < 1
    ]
    return means("always the share of fakes", found, "loss")


def _last_values(training: Entries, held_out: Entries, band: Band | None) -> str:
    rows, last = [], training[-1]
    evaluated = held_out[-1] if held_out else {}
    for name, value in last.items():
        if name in ("kind", "step", "middle") or not is_number(value):
            continue
        limits = band and band.at(name, last["middle"])
        rows.append(
            (
                name,
                f"{value:.4g}",
                f"{evaluated[name]:.4g}" if is_number(evaluated.get(name)) else "",
                f"{limits[0]:.4g} to {limits[1]:.4g}" if limits else "",
            )
        )
    return table(("", "training", "held-out", "recorded runs"), rows)


def _of_records(facts: RecordFacts | None, run: RunFacts) -> list[str]:
    if facts is None:
        return []
    rows = [
        ("tokens looked at", f"{facts.tokens:,.0f}"),
        ("unigram entropy, nats", f"{facts.unigram_entropy:.3f}"),
        ("unigram plateau of the masked-LM loss, nats", f"{run.plateau(facts):.3f}"),
        ("unknown tokens", f"{facts.unknown_share:.2%}"),
        ("tokens with capitals in the vocabulary", f"{facts.vocabulary_cased_share:.1%}"),
        ("tokens with capitals in the records", f"{facts.text_cased_share:.1%}"),
    ]
    return ["<h2>Records</h2>", table(("of the tokens that can be masked", ""), rows)]


def _of_config(config: PretrainingConfig, folder: str) -> list[tuple[str, str]]:
    changed: Mapping[str, object] = config.changed
    return [("all of them", os.path.join(folder, CONFIG_FILE))] + [
        (name, str(value)) for name, value in changed.items()
    ]
