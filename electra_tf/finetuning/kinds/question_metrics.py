# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The official metrics of SQuAD 1.1, SQuAD 2.0 and the MRQA shared task, in percent.

Gold answers are the `accepted` texts of `QuestionExample`s; predictions are {id: text}.
"""

import collections
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence

from electra_tf.finetuning.files.examples import QuestionExample

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text: str, units: str = "words") -> str:
    """Lower-cases and takes out punctuation, articles and superfluous white space.

    Of characters, all white space, the punctuation of all scripts, and no articles.
    """
    text = text.lower().translate(_PUNCTUATION)
    if units == "words":
        return " ".join(_ARTICLES.sub(" ", text).split())
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c)[0] != "P")


def exact_match(prediction: str, gold: str, units: str = "words") -> float:
    """Returns 1.0 if two texts are equal except for what `normalize_answer` removes, else 0.0."""
    return float(normalize_answer(prediction, units) == normalize_answer(gold, units))


def token_f1(prediction: str, gold: str, units: str = "words") -> float:
    """Returns the F1 of the words or characters of two texts, 0.0 if they share none."""
    split = str.split if units == "words" else list
    predicted, expected = (split(normalize_answer(text, units)) for text in (prediction, gold))
    shared = sum((collections.Counter(predicted) & collections.Counter(expected)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def squad_v1_scores(
    examples: Sequence[QuestionExample], predictions: Mapping[str | int, str], units: str = "words"
) -> dict[str, float]:
    """Returns exact_match and f1 (squad evaluate-v1.1); an unanswered question scores 0."""
    pairs = [(example.accepted, predictions.get(example.id)) for example in examples]
    return _mean_scores(pairs, units)


def mrqa_scores(
    examples: Sequence[QuestionExample], predictions: Mapping[str | int, str], units: str = "words"
) -> dict[str, float]:
    """Returns exact_match and f1 (mrqa_official_eval.py) over the questions that were answered."""
    answered = [example for example in examples if example.id in predictions]
    return _mean_scores([(e.accepted, predictions[e.id]) for e in answered], units)


def squad_v2_scores(
    examples: Sequence[QuestionExample],
    predictions: Mapping[str | int, str],
    null_odds: Mapping[str | int, float],
    threshold: float,
    units: str = "words",
) -> dict[str, float]:
    """Returns the scores of squad evaluate-v2.0, by the names of that script.

    null_odds: {id: evidence that there is no answer}; above the threshold none is given.
    exact, f1, total; the same for the questions with and without answers (HasAns_, NoAns_), where
    there are such; best_exact, best_f1 and the thresholds that give them.
    """
    has_answer = {example.id: not example.is_impossible for example in examples}
    raw = {"exact": {}, "f1": {}}
    for example in examples:
        if example.id in predictions:
            # The empty text is right where nothing else is.
            gold = [text for text in example.accepted if normalize_answer(text, units)] or [""]
            exact, f1 = _scores_of(gold, predictions[example.id], units)
            raw["exact"][example.id], raw["f1"][example.id] = exact, f1
    kept = {
        metric: {
            name: float(not has_answer[name]) if null_odds[name] > threshold else score
            for name, score in scores.items()
        }
        for metric, scores in raw.items()
    }
    results = _means(kept, list(raw["exact"]))
    for prefix, wanted in (("HasAns", True), ("NoAns", False)):
        names = [name for name in raw["exact"] if has_answer[name] == wanted]
        if names:
            results |= {f"{prefix}_{key}": v for key, v in _means(kept, names).items()}
    for metric, scores in raw.items():
        best, best_threshold = _best_threshold(scores, predictions, null_odds, has_answer)
        results |= {f"best_{metric}": best, f"best_{metric}_thresh": best_threshold}
    return results


def _mean_scores(pairs: Sequence[tuple[Sequence[str], str | None]], units: str):
    """Returns mean exact_match and f1 of (accepted texts, prediction or None) pairs."""
    scores = [
        (0.0, 0.0)
        if prediction is None
        else (
            max(exact_match(prediction, gold, units) for gold in accepted),
            max(token_f1(prediction, gold, units) for gold in accepted),
        )
        for accepted, prediction in pairs
    ]
    total = max(1, len(scores))
    return {
        "exact_match": 100.0 * sum(exact for exact, _ in scores) / total,
        "f1": 100.0 * sum(f1 for _, f1 in scores) / total,
    }


def _scores_of(accepted: Sequence[str], prediction: str, units: str):
    """Returns exact and F1 against the best of the accepted texts; two empty texts agree."""
    exact = max(exact_match(prediction, gold, units) for gold in accepted)
    return exact, max(
        exact_match(prediction, gold, units)
        if not normalize_answer(gold, units) or not normalize_answer(prediction, units)
        else token_f1(prediction, gold, units)
        for gold in accepted
    )


def _means(scores: Mapping[str, Mapping[str | int, float]], names: Sequence[str | int]):
    total = max(1, len(names))
    means = {
        metric: 100.0 * sum(values[name] for name in names) / total
        for metric, values in scores.items()
    }
    return {**means, "total": len(names)}


def _best_threshold(
    scores: Mapping[str | int, float],
    predictions: Mapping[str | int, str],
    null_odds: Mapping[str | int, float],
    has_answer: Mapping[str | int, bool],
):
    """Returns the best mean score of any threshold, and the threshold, 0.0 for answering nothing.

    Answers are given in the order of their null odds, the surest first.
    """
    current = best = float(sum(not answer for answer in has_answer.values()))
    threshold = 0.0
    for name in sorted(null_odds, key=null_odds.get):
        if name not in scores:
            continue
        if has_answer[name]:
            current += scores[name]
        elif predictions[name]:
            current -= 1
        if current > best:
            best, threshold = current, null_odds[name]
    return 100.0 * best / max(1, len(scores)), threshold
