# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rules on logged values: what each finds, once, and that a healthy run is left alone."""

import json
import math
import pathlib
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_run import LENGTH, make_data_dir, make_examples, tiny_config

from electra_tf.config import PretrainingConfig, load_hparams
from electra_tf.data import PretrainingRecords
from electra_tf.pretraining import bands, health_log, run
from electra_tf.pretraining.health import CAUSES, RECORDS, RULES, HealthWatch
from electra_tf.pretraining.health_log import HealthLog
from electra_tf.pretraining.record_facts import RecordFacts, facts_of_tokens
from electra_tf.pretraining.run_facts import RunFacts
from electra_tf.text import Vocabulary, load_vocabulary
from electra_tf.training.loop.logs import RunLog, read_log

LOGS = pathlib.Path(__file__).parent
"""quickstart_log.jsonl: a healthy run of the quickstart's card; electric_log.jsonl: of Electric."""
QUICKSTART = PretrainingConfig.from_hparams("m", "d", load_hparams("quickstart"))
FACTS = RecordFacts(126795, 6.672, 0.0086, 0.0001, 0.0, 0.0, 105000)
"""Of the quickstart's records."""


def healthy(name="quickstart"):
    return [json.loads(line) for line in (LOGS / f"{name}_log.jsonl").read_text().splitlines()]


def found(entries, facts=FACTS, config=QUICKSTART, band=None):
    """The findings in the order of the log."""
    watch = HealthWatch(RunFacts.of(config), band)
    findings = watch.see(RECORDS, 0, facts._asdict())
    return findings + [f for e in entries for f in watch.see("train", e["step"], e)]


def names(*args, **kwargs):
    return [finding.name for finding in found(*args, **kwargs)]


def changed(from_step=0, **values):
    """The healthy log with other values; a function gets the healthy one."""
    return [
        {
            name: (values[name](v) if callable(values[name]) else values[name])
            if name in values and e["step"] >= from_step
            else v
            for name, v in e.items()
        }
        for e in healthy()
    ]


def test_nothing_is_found_in_a_healthy_run():
    assert found(healthy(), band=bands.find_band(QUICKSTART)) == []


@pytest.mark.parametrize(
    ("name", "entries", "step"),
    [
        # 0.85 of the entropy: 15 % of the tokens are visible, and copied.
        ("unigram_plateau", changed(masked_lm_loss=5.65), 1500),
        ("auc_at_chance", changed(disc_auc=0.503), 1500),
        ("generator_too_strong", changed(sampled_masked_lm_accuracy=0.85), 1500),
        ("generator_too_strong", changed(replaced_share=0.01, disc_auc=0.5), 1500),
        ("generator_too_weak", changed(sampled_masked_lm_accuracy=0.01), 1500),
        ("generator_too_weak", changed(disc_auc=0.995), 1500),
        ("diverging", changed(2000, masked_lm_loss=lambda loss: loss + 1), 2100),
        ("diverging", changed(2000, masked_lm_loss=80.0), 2100),
        ("diverging", changed(masked_lm_loss=80.0), 300),  # from the first line on
        ("diverging", changed(disc_loss=3.0), 300),
        ("diverging", [{**e, "restoration_loss": 80.0} for e in healthy()], 300),
        ("gradient_spike", changed(2000, gradient_norm=90.0), 2000),
    ],
)
def test_each_rule_finds_its_own_once(name, entries, step):
    (finding,) = found(entries)
    assert (finding.name, finding.step) == (name, step)
    assert finding.causes == CAUSES[name] and finding.causes.startswith("Usual cause")
    assert str(finding).startswith(f"step {step}: ") and "\n" not in str(finding)


def test_a_discriminator_that_falls_back_to_chance():
    entries = changed(disc_auc=lambda auc: auc + 0.1)
    entries[30]["disc_auc"] = entries[31]["disc_auc"] = 0.51
    (finding,) = found(entries)
    assert (finding.name, finding.step) == ("diverging", 3200)
    assert finding.what == "disc_auc has fallen from 0.79 to 0.51; 0.5 is chance."


def test_a_single_line_is_no_collapse():
    entries = healthy()
    entries[20]["masked_lm_loss"] = 9.0
    assert names(entries) == []


def test_the_noise_of_small_batches_is_no_collapse():
    config = QUICKSTART.replace(train_batch_size=1, log_every_steps=1)
    noise = np.random.default_rng(0).normal(0, 3 / math.sqrt(8), 2000)
    entries = [{"step": i + 1, "masked_lm_loss": 5 + float(n)} for i, n in enumerate(noise)]
    assert "diverging" not in names(entries, config=config)


def test_what_is_not_trained_is_not_judged():
    stuck = changed(masked_lm_loss=12.0, sampled_masked_lm_accuracy=0.0)
    assert names(stuck, config=QUICKSTART.replace(gen_weight=0.0)) == ["generator_too_weak"]
    assert names(stuck, config=QUICKSTART.replace(uniform_generator=True)) == []
    assert names(changed(masked_lm_loss=6.0), FACTS._replace(tokens=9)) == []
    masked_lm = [{name: e[name] for name in ("step", "masked_lm_loss")} for e in stuck]
    config = QUICKSTART.replace(electra_objective=False)
    assert names(masked_lm, config=config) == ["diverging"]
    assert names([{"step": 1}, {"step": 2, "masked_lm_loss": "low", "disc_auc": None}]) == []


def test_electric_is_not_judged_by_its_auc():
    """Which stays near 0.53 while it learns."""
    changes = {"electra_objective": False, "electric_objective": True, "num_train_steps": 3000}
    config = QUICKSTART.replace(untied_generator=True, two_tower_generator=True, **changes)
    assert names(healthy("electric"), config=config) == []
    assert "auc_at_chance" in names(healthy("electric"))
    fallen = [{**e, "disc_auc": 0.75 if e["step"] < 2000 else 0.5} for e in healthy("electric")]
    assert names(fallen, config=config) == [] and "diverging" in names(fallen)


def test_a_frozen_generator_is_not_judged_as_trained():
    untied = {"untied_generator": True, "untied_generator_embeddings": True}
    frozen = QUICKSTART.replace(**untied, freeze_generator=True)
    stuck = changed(masked_lm_loss=lambda loss: 6.5 + loss / 10)
    assert names(stuck) == ["unigram_plateau"] and names(stuck, config=frozen) == []


def test_the_discriminator_is_judged_from_the_stage_that_trains_it_on():
    stages = [{"steps": 2000, "objective": "masked_lm"}, {"steps": 2000}]
    changes = {"untied_generator": False, "num_train_steps": 4000, "stages": stages}
    config = QUICKSTART.replace(**changes)
    assert RunFacts.of(config).patience() < 2000 < RunFacts.of(config).patience(True)
    of_masked_lm = ("step", "masked_lm_loss", "gradient_norm")
    log = [
        {**{name: e[name] for name in of_masked_lm}, **(e if e["step"] > 2000 else {})}
        for e in changed(disc_auc=0.5, disc_loss=0.4)
    ]
    (finding,) = found(log, config=config)
    warm = 2000 + config.num_warmup_steps
    assert (finding.name, finding.step) == ("auc_at_chance", warm + 1000)
    # A new head begins with any loss.
    log = [{**e, "disc_loss": 3.0} if 2000 < e["step"] <= warm else e for e in log]
    assert names(log, config=config) == ["auc_at_chance"]


OF_GENERATOR = ["generator_too_strong", "generator_too_weak"]


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, []),
        ({"electra_objective": False}, ["auc_at_chance", *OF_GENERATOR]),
        ({"discriminator_objective": "replace_mlm"}, ["auc_at_chance"]),
        ({"uniform_generator": True}, ["unigram_plateau", OF_GENERATOR[1]]),
    ],
)
def test_rules_are_those_that_apply_to_the_objective(values, missing):
    watch = HealthWatch(RunFacts.of(QUICKSTART.replace(**values)))
    missing = [*missing, "outside_band"]  # without a band
    assert watch.rules == [name for name in CAUSES if name not in missing]
    # What would be off in a run with a discriminator is no finding in one without.
    watch.see(RECORDS, 0, FACTS._asdict())
    entries = changed(disc_auc=0.999 if "auc_at_chance" in missing else 0.5)
    said = {finding.name for e in entries for finding in watch.see("train", e["step"], e)}
    assert not said & {*missing}


def test_runs_too_short_to_learn_are_not_judged():
    config = QUICKSTART.replace(num_train_steps=900)
    assert names(changed(masked_lm_loss=6.0)[:9], config=config) == []


def test_a_loss_rises_as_more_and_more_tokens_are_masked():
    entries = changed(2000, masked_lm_loss=lambda loss: loss + 0.8)
    assert names(entries) == ["diverging"]
    assert names(entries, config=QUICKSTART.replace(mask_prob_end=0.4)) == []


def test_a_stage_of_other_records_begins_anew():
    watch = HealthWatch(RunFacts.of(QUICKSTART))
    watch.see("train", 100, {"masked_lm_loss": 3.0})
    watch.see(RECORDS, 100, FACTS._asdict())
    for step in (200, 300, 400):
        assert watch.see("train", step, {"masked_lm_loss": 4.0}) == []


@pytest.mark.parametrize(
    ("facts", "lower", "name"),
    [
        (FACTS._replace(unknown_share=0.051), True, "unknown_tokens"),
        (FACTS._replace(unknown_share=0.049), True, None),
        (FACTS._replace(unknown_share=0.2), False, "other_case"),
        (FACTS._replace(vocabulary_cased_share=0.4), True, "other_case"),
        (FACTS._replace(vocabulary_cased_share=0.4, text_cased_share=0.1), False, None),
        (FACTS._replace(vocabulary_cased_share=0.4, case_tokens=9999), True, None),
    ],
)
def test_records(facts, lower, name):
    config = QUICKSTART.replace(do_lower_case=lower)
    assert names([], facts, config) == ([name] if name else [])


def test_facts_of_tokens():
    vocabulary = Vocabulary(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "Bc", "d", "1"))
    facts = facts_of_tokens(np.array([2, 5, 5, 6, 8, 1, 5, 5, 5, 3], np.int32), vocabulary)
    shares = np.array([5, 1, 1, 1]) / 8
    assert facts.tokens == 8 and facts.unknown_share == 1 / 8
    assert facts.unigram_entropy == pytest.approx(-np.sum(shares * np.log(shares)) + 3 / 16)
    assert facts.repeat_probability == pytest.approx(np.sum(shares**2))
    assert facts.vocabulary_cased_share == 1 / 3 and facts.text_cased_share == 1 / 6
    assert facts.case_tokens == 6
    assert facts_of_tokens(np.zeros(0, np.int32), vocabulary).tokens == 0


def test_scripts_without_case_say_nothing_of_case():
    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Hund", "hund", "犬", "كلب", "ძაღლი")
    facts = facts_of_tokens(np.repeat([7, 8, 9], 10000), Vocabulary(words))
    assert facts.tokens == 30000 and facts.case_tokens == 0 and facts.vocabulary_cased_share == 0.5
    assert names([], facts, QUICKSTART.replace(do_lower_case=False)) == []


def test_a_sample_of_records(tmp_path):
    folder = make_data_dir(tmp_path / "data") / "pretrain_tfrecords"
    ids = PretrainingRecords(str(folder)).sample(10**6, LENGTH)
    masks = [make_examples(40, seed=seed)["input_mask"] for seed in (0, 1)]
    assert len(ids) == np.sum(masks) and ids.min() > 0
    assert len(PretrainingRecords(str(folder)).sample(0, LENGTH)) == 0
    shard = folder / "pretrain_data.tfrecord-0-of-2"
    shard.write_bytes(shard.read_bytes()[:-5])
    records = PretrainingRecords(str(folder / "pretrain_data*"))
    with pytest.raises(ValueError, match="tfrecord-0-of-2: record 39 cannot be read"):
        records.sample(10**6, LENGTH)


# ---- Bands


def test_bands_are_those_of_the_cards():
    for band in bands.recorded_bands():
        assert dict(band.hparams) == load_hparams(band.card), f"record {band.card} again"
        assert set(band.low) == set(band.high) <= set(bands.WORSE_ABOVE)
        assert len(band.seeds) >= 2


def test_the_band_of_a_configuration():
    band = bands.find_band(QUICKSTART.replace(seed=5, log_every_steps=7, precision="bfloat16"))
    assert band.card == "quickstart"
    assert bands.find_band(QUICKSTART.replace(learning_rate=1e-3)) is None
    assert band.at("masked_lm_loss", 10) is None and band.at("no", 1000) is None
    low, high = band.at("masked_lm_loss", 3000)
    assert low < 4.5 < high


def test_a_run_outside_of_its_band():
    band = bands.find_band(QUICKSTART)
    worse = changed(1000, masked_lm_loss=lambda loss: loss + 0.45)
    (finding,) = found(worse, band=band)
    assert (finding.name, finding.step) == ("outside_band", 1200)
    assert " of the recorded runs of quickstart at this step." in finding.what
    assert names(changed(1000, masked_lm_loss=lambda loss: loss - 0.45), band=band) == []
    assert names(worse, FACTS._replace(unigram_entropy=7.0), band=band) == []  # another text


def test_a_band_of_several_logs():
    runs = [[{"step": s, "disc_loss": x / s} for s in (10, 20, 30)] for x in (10, 11)]
    about = {"card": "c", "hparams": {}, "seeds": (0, 1), "recorded": "", "unigram_entropy": 1.0}
    recording = pathlib.Path(__file__).parents[2] / "benchmarks/record_bands.py"
    band_of = runpy.run_path(str(recording))["band_of"]
    band = band_of(runs, **about)
    assert band.steps == (5, 15, 25)
    assert band.at("disc_loss", 5) == pytest.approx((1 - 1 / 30, 1.1 + 1 / 30), abs=1e-3)
    for wrong in (runs[:1], [runs[0], runs[1][:2]]):
        with pytest.raises(ValueError, match="two or more runs with the same steps"):
            band_of(wrong, **about)


# ---- In a run


def test_a_run_with_an_absurd_learning_rate_warns_once(data_dir, caplog):
    changes = {"learning_rate": 5.0, "log_every_steps": 1, "num_train_steps": 8}
    shape = {"num_hidden_layers": 1}
    config = tiny_config(data_dir, "absurd", shape, electra_objective=False, **changes)
    run.train(config)
    warned = [r.getMessage() for r in caplog.records if CAUSES["diverging"] in r.getMessage()]
    assert len(warned) == 1 and "worse than guessing" in warned[0]
    described = read_log(config.model_dir, RECORDS)
    assert [entry["step"] for entry in described] == [0]
    assert described[0]["unknown_share"] == 0 and 4 < described[0]["unigram_entropy"] < 5
    # What a run has said, it does not say again when it is resumed.
    caplog.clear()
    vocabulary, (stage,) = load_vocabulary(config.vocab_file), config.plan
    resumed = HealthLog(config, vocabulary, RunLog(config.model_dir, 8))
    resumed.begin_stage(stage, 8, PretrainingRecords(stage.pretrain_tfrecords))
    for step in (9, 10, 11):
        resumed.see("train", step, {"masked_lm_loss": 500.0})
    assert "Usual cause" not in caplog.text
    assert len(read_log(config.model_dir, RECORDS)) == 1


class TestOfAResumedRun:
    """Without its steps: what it logs, and looks at."""

    @pytest.fixture
    def begin(self, tmp_path, monkeypatch):
        """Begin a process of a run, as one does that resumes from a step."""
        monkeypatch.setattr(health_log, "facts_of", lambda *_: FACTS)
        words = Vocabulary(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))

        def begin(step, config=QUICKSTART, records="a"):
            log = RunLog(str(tmp_path), step)
            health = HealthLog(config, words, log)
            health.begin_stage(config.plan[0], step, SimpleNamespace(fingerprint=records))

            def train(steps, **values):
                for step in steps:
                    log.note(step, "train", values)
                    health.see("train", step, values)

            return train

        return begin

    def test_what_was_said_behind_the_checkpoint_is_not_said_again(self, begin, tmp_path, caplog):
        begin(0)(range(100, 500, 100), masked_lm_loss=80.0)
        begin(100)(range(200, 500, 100), masked_lm_loss=80.0)
        (entry,) = read_log(str(tmp_path), "finding")
        assert (entry["rule"], entry["step"]) == ("diverging", 300)
        assert caplog.text.count(CAUSES["diverging"]) == 1 and entry["what"] in caplog.text
        assert len(read_log(str(tmp_path))) == 4

    def test_a_run_of_another_length_is_judged_by_it(self, begin, tmp_path, caplog):
        long = QUICKSTART.replace(num_train_steps=10**6)
        values = {"disc_auc": 0.5, "replaced_share": 0.2}
        begin(0, long)(range(100, 2600, 100), **values)
        assert "Usual cause" not in caplog.text
        begin(2500)(range(2600, 2800, 100), **values)
        begin(2700, long)(range(2800, 12000, 100), **values)
        assert caplog.text.count(CAUSES["auc_at_chance"]) == 1
        # The report repeats what the run has said.
        watch = HealthWatch(RunFacts.of(long))
        (finding,) = health_log.replay(watch, read_log(str(tmp_path), None))
        assert (finding.name, finding.step) == ("auc_at_chance", 2600)

    def test_records_are_described_again_where_they_differ(self, begin, tmp_path):
        for step, records in ((0, "a"), (0, "a"), (200, "a"), (300, "b"), (400, "b")):
            begin(step, records=records)
        found = [(e["step"], e["fingerprint"]) for e in read_log(str(tmp_path), RECORDS)]
        assert found == [(0, "a"), (300, "b")]

    def test_a_log_without_records_gets_them_where_it_stands(self, begin, tmp_path):
        log = RunLog(str(tmp_path), 0)
        log.note(3500, "train", {"masked_lm_loss": 4.0})
        log.note(3500, "finding", {"rule": ["?"]})  # of another version
        begin(3500)
        assert [e["step"] for e in read_log(str(tmp_path), RECORDS)] == [3500]


def test_the_first_interval_begins_where_the_run_does():
    """Rules want 100 steps, which a run that continues another at step 2000 has not done."""
    watch = HealthWatch(RunFacts.of(QUICKSTART))
    watch.see(RECORDS, 2000, FACTS._asdict())
    for step in (2010, 2020, 2030):
        assert watch.see("train", step, {"sampled_masked_lm_accuracy": 0.9}) == []
    assert watch.see("train", 2100, {"sampled_masked_lm_accuracy": 0.9}) != []


def test_every_rule_has_its_causes():
    assert set(CAUSES) == {*RULES, "unknown_tokens", "other_case"}
    assert {name for rule in RULES.values() for name in rule.explained_by} <= set(RULES)
