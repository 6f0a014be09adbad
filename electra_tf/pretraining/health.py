# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Is a pre-training run healthy? Rules on logged values: entries of a log in, findings out.

Nothing is read, computed or stored here. `health_log.py` warns of findings and logs them.
"""

import collections
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from electra_tf.pretraining.bands import WORSE_ABOVE, Band
from electra_tf.pretraining.record_facts import RecordFacts
from electra_tf.pretraining.run_facts import RunFacts

RECORDS = "records"
"""Kind of the entries of a log that hold `RecordFacts`."""
PLATEAU_MARGIN = 0.1
"""Nats below the unigram plateau within which a loss still stands on it."""
CHANCE = 0.53
"""AUC below which a discriminator finds fakes no better than by chance."""
STRONG_GENERATOR = 0.8
"""Share of masked tokens that the generator restores; too few fakes are left."""
FEW_REPLACED = 0.02
"""Share of the tokens that the discriminator's loss covers."""
OBVIOUS_FAKES = 0.99
"""AUC from which fakes teach nothing."""
MANY_UNKNOWN = 0.05
MANY_CASED = 0.05
"""Share of a cased vocabulary's tokens with capitals."""
TOKENS_OF_ENTROPY, TOKENS_OF_CASE = 1000, 10000
"""Tokens to judge by."""
LOSS_RISE = 0.5
"""Nats above the lowest loss, beside what chance explains."""
SPIKE, NORMS = 10.0, 10
"""A gradient norm so many times the median of the last so many is a spike."""

MUCH = 1e30
"""No value that is logged is that large."""


class Finding(NamedTuple):
    """Something that is off."""

    name: str
    """Of the rule; each finds something once in a run."""
    step: int
    """Steps done when it was found."""
    what: str
    """What is off, a sentence with the values."""
    causes: str
    """The usual causes, a sentence."""

    def __str__(self) -> str:
        return f"step {self.step}: {self.what} {self.causes}"


CAUSES = {
    "diverging": "Usual causes: a learning_rate that is too high for this batch size and width, "
    "too short a warm-up (num_warmup_steps), or float16 where bfloat16 is meant.",
    "gradient_spike": "Usual causes: a learning_rate that is too high, too short a warm-up, or "
    "damaged or repetitive text at this place of the records.",
    "unigram_plateau": "Usual causes: a learning_rate that is too high or far too low, too short "
    "a warm-up, an initializer_range that is too small for a narrow model, or records whose "
    "tokens are in no meaningful order.",
    "auc_at_chance": "Usual causes: a learning_rate that is too high, a disc_weight that is too "
    "low, a generator that has not learned anything yet, or too narrow a discriminator.",
    "generator_too_strong": "Usual causes: a generator that is too large beside the discriminator "
    "(generator_hidden_size, generator_layers), repetitive text or duplicates, a mask_prob or "
    "max_predictions_per_seq that is too low, or a temperature below 1.",
    "generator_too_weak": "Usual causes: a generator that is too small (generator_hidden_size, "
    "generator_layers), a gen_weight that is too low, a temperature above 1, or generator weights "
    "that init_checkpoint did not bring.",
    "unknown_tokens": "Usual causes: a vocabulary of another language, domain or case than the "
    "text, or accents that only one of them has (strip_accents).",
    "other_case": "Usual cause: records and vocabulary were made with different do_lower_case.",
    "outside_band": "Usual causes: other text, another vocabulary or other records than in the "
    "recorded runs, damaged records, or a change of the code.",
}
"""Rule -> the usual causes of what it finds."""


def number(value: Any) -> float:
    """A value of a log as a number; anything else becomes NaN, which every rule ignores."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < MUCH else math.nan


class Entry(NamedTuple):
    """A line of the log: means over the steps since the line before."""

    step: int
    interval: int
    """Steps since the line before."""
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> float:
        """A logged value; NaN where there is none."""
        return number(self.values.get(name))

    @property
    def middle(self) -> float:
        """The step that the means are of."""
        return self.step - self.interval / 2


class Rule(NamedTuple):
    """When something that is off counts as found."""

    entries: int
    """Lines of the log in a row."""
    steps: int = 0
    """Steps that they cover, at least."""
    is_late: bool = False
    """Whether the run must have had the time to learn something."""
    is_of_discriminator: bool = False
    """Whether that time begins with the first stage that trains the discriminator."""
    explained_by: tuple[str, ...] = ()
    """Rules after which this one has nothing to add."""


RULES = {
    "diverging": Rule(2),
    "gradient_spike": Rule(1, explained_by=("diverging",)),
    "unigram_plateau": Rule(3, 100, True, explained_by=("diverging",)),
    "auc_at_chance": Rule(3, 100, True, True, ("diverging",)),
    "generator_too_strong": Rule(3, 100, True, True),
    "generator_too_weak": Rule(3, 100, True, True, ("diverging", "unigram_plateau")),
    "outside_band": Rule(3, explained_by=("diverging", "unigram_plateau", "auc_at_chance")),
}
"""The rules on losses, causes before what follows from them."""


class HealthWatch:
    """Sees the entries of a run's log in their order and says what each rule finds, once.

    Args:
        run: what is known of the run's configuration.
        band: where recorded runs of this configuration were, if there are any.

    Attributes:
        facts: those of the records seen last, if any.
    """

    def __init__(self, run: RunFacts, band: Band | None = None):
        self._run = run
        self._band = band
        self.facts: RecordFacts | None = None
        self._found: set[str] = set()
        self._last_step = 0
        self._begin_stage()

    def _begin_stage(self):
        self._lowest_loss, self._highest_auc = math.inf, 0.0
        self._norms: collections.deque[float] = collections.deque(maxlen=NORMS)
        self._streaks: dict[str, tuple[int, int]] = {}

    @property
    def _has_entropy(self) -> bool:
        return self.facts is not None and self.facts.tokens >= TOKENS_OF_ENTROPY

    @property
    def rules(self) -> list[str]:
        """Names of the rules that can find something in this run, in the order of `CAUSES`."""
        run, facts = self._run, self.facts
        is_recorded = self._band is not None and facts is not None
        applies = {
            "unigram_plateau": run.is_generator_trained,
            "auc_at_chance": run.has_probabilities,
            "generator_too_strong": run.has_discriminator,
            "generator_too_weak": run.has_discriminator and run.has_generator,
            "outside_band": is_recorded and self._band.is_of_text(facts.unigram_entropy),
        }
        return [name for name in CAUSES if applies.get(name, True)]

    def recall(self, names: Iterable[str]) -> None:
        """Take these rules, and no others, for those that have found something already."""
        self._found = set(names)

    def see(self, kind: str, step: int, values: Mapping[str, Any]) -> list[Finding]:
        """What is found by one more entry of the log.

        Args:
            kind: "train" or `RECORDS`; others are passed over.
            step: steps done.
            values: by their names in the log, or the fields of `RecordFacts`.
        """
        found: dict[str, str] = {}
        if kind == RECORDS:
            entry = Entry(step, 0, values)
            self.facts = RecordFacts(*(entry[name] for name in RecordFacts._fields))
            self._last_step = max(self._last_step, step)  # a run may begin behind step 0
            self._begin_stage()  # losses at other lengths, on other text cannot be compared
            found = dict(_of_records(self.facts, self._run.keeps_case))
        elif kind == "train" and step > self._last_step:
            entry = Entry(step, step - self._last_step, values)
            self._last_step = step
            found = self._of_losses(entry)
        new = [name for name in found if name not in self._found]
        self._found.update(new)
        return [Finding(name, step, found[name], CAUSES[name]) for name in new]

    def _of_losses(self, entry: Entry) -> dict[str, str]:
        """Rule -> what is off, of the rules that find something now."""
        found: dict[str, str] = {}
        rules = set(self.rules)
        for name, rule in RULES.items():
            what = getattr(self, f"_{name}")(entry) if name in rules else None
            if what is None:
                self._streaks.pop(name, None)
                continue
            count, first = self._streaks.get(name, (0, entry.step - entry.interval))
            self._streaks[name] = count + 1, first
            lasts = count + 1 >= rule.entries and entry.step - first >= rule.steps
            patience = self._run.patience(rule.is_of_discriminator)
            is_due = entry.step >= patience or not rule.is_late
            if lasts and is_due and not {*self._found, *found} & {*rule.explained_by}:
                found[name] = what
        return found

    # ---- What is off, if anything is, by the name of the rule

    def _diverging(self, entry: Entry) -> str | None:
        masked = max(1.0, self._run.masked_per_step * entry.interval)
        loss, auc = entry["masked_lm_loss"], entry["disc_auc"]
        # Losses of tokens deviate by some 3 nats; the lowest of many means is far below them all.
        margin = LOSS_RISE + self._run.expected_rise + 7 * 3 / math.sqrt(masked)
        uniform, lowest, highest = math.log(self._run.vocab_size), self._lowest_loss, 0.0
        before = entry.step - entry.interval
        is_warm, can_detect = (before >= self._run.warm_from(of) for of in (False, True))
        if can_detect and self._run.has_probabilities:
            highest = self._highest_auc
            self._highest_auc = max(highest, 0.0 if math.isnan(auc) else auc)
        if self._run.is_generator_trained:
            self._lowest_loss = min(lowest, loss) if loss == loss else lowest
            if loss > lowest + margin:
                worse = ", which is worse than guessing" if loss > uniform + margin else ""
                return f"masked_lm_loss has risen from {lowest:.2f} to {loss:.2f}{worse}."
            if is_warm and loss > uniform + margin:
                return f"masked_lm_loss is {loss:.2f}, worse than guessing ({uniform:.2f})."
        if highest > 0.7 + 2 / math.sqrt(masked) and auc < CHANCE:
            return f"disc_auc has fallen from {highest:.2f} to {auc:.2f}; 0.5 is chance."
        loss = entry["disc_loss"]
        if self._run.has_probabilities and can_detect and loss > math.log(2) + 0.3:
            return f"disc_loss is {loss:.2f}, worse than guessing ({math.log(2):.2f})."
        loss = entry["restoration_loss"]
        if can_detect and loss > uniform + margin:
            return f"restoration_loss is {loss:.2f}, worse than guessing ({uniform:.2f})."
        return None

    def _gradient_spike(self, entry: Entry) -> str | None:
        norm, before = entry["gradient_norm"], list(self._norms)
        self._norms.append(norm)
        if len(before) < NORMS // 2 or entry.step <= self._run.num_warmup_steps:
            return None
        usual = statistics.median(before)
        if not norm > SPIKE * usual:
            return None
        return f"gradient_norm is {norm:.3g} instead of about {usual:.3g}."

    def _unigram_plateau(self, entry: Entry) -> str | None:
        loss = entry["masked_lm_loss"]
        if not self._has_entropy:
            return None
        plateau = self._run.plateau(self.facts)
        if not loss > plateau - PLATEAU_MARGIN:
            return None
        return (
            f"masked_lm_loss is {loss:.2f}, on the unigram plateau ({plateau:.2f}), which knowing "
            "how frequent each token is gives: the generator has not learned to use the context."
        )

    def _auc_at_chance(self, entry: Entry) -> str | None:
        auc = entry["disc_auc"]
        if not (auc < CHANCE and entry["replaced_share"] >= FEW_REPLACED):
            return None
        return (
            f"disc_auc is {auc:.3f}, and 0.5 is chance: the discriminator cannot tell fakes from "
            "originals."
        )

    def _generator_too_strong(self, entry: Entry) -> str | None:
        restored, replaced = entry["sampled_masked_lm_accuracy"], entry["replaced_share"]
        if not (restored > STRONG_GENERATOR or replaced < FEW_REPLACED):
            return None
        return (
            f"The generator restores {restored:.0%} of the masked tokens, so that {replaced:.1%} "
            "of the discriminator's tokens are fakes: too few to learn from."
        )

    def _generator_too_weak(self, entry: Entry) -> str | None:
        restored, auc = entry["sampled_masked_lm_accuracy"], entry["disc_auc"]
        if auc > OBVIOUS_FAKES:
            return f"disc_auc is {auc:.3f}: the generator's fakes are too easy to detect."
        if not self._has_entropy or not self._run.can_restore:
            return None
        kept = self._run.kept_share
        by_chance = kept + (1 - kept) * self.facts.repeat_probability
        if not restored < by_chance:
            return None
        return (
            f"The generator restores {restored:.1%} of the masked tokens, and drawing them by how "
            f"frequent they are {by_chance:.1%}: its fakes are too easy to detect."
        )

    def _outside_band(self, entry: Entry) -> str | None:
        problems = []
        for name, is_worse_above in WORSE_ABOVE.items():
            limits = self._band.at(name, entry.middle)
            if limits is None:
                continue
            low, high = limits
            if entry[name] > high if is_worse_above else entry[name] < low:
                problems.append(f"{name} is {entry[name]:.3f} instead of {low:.3f} to {high:.3f}")
        if not problems:
            return None
        return f"{', '.join(problems)} of the recorded runs of {self._band.card} at this step."


def _of_records(facts: RecordFacts, keeps_case: bool) -> Iterator[tuple[str, str]]:
    """Rule -> what is off in the records."""
    unknown = f"{facts.unknown_share:.1%} of the tokens of the records are unknown"
    is_cased = facts.vocabulary_cased_share > MANY_CASED
    is_lost = facts.unknown_share > MANY_UNKNOWN
    if is_cased and facts.text_cased_share == 0 and facts.case_tokens >= TOKENS_OF_CASE:
        yield (
            "other_case",
            f"{facts.vocabulary_cased_share:.0%} of the vocabulary's tokens have capital letters, "
            "and none of the records: they seem to be lower-cased.",
        )
    elif is_lost and keeps_case and facts.vocabulary_cased_share == 0:
        yield (
            "other_case",
            f"{unknown}: no token of the vocabulary has capital letters, and do_lower_case is "
            "false.",
        )
    elif is_lost:
        yield "unknown_tokens", f"{unknown}: what they stand for is lost."
