# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The official metrics of SQuAD 1.1, SQuAD 2.0 and the MRQA shared task, in percent.

Gold answers are the `accepted` texts of `QuestionExample`s; predictions are {id: text}.
"""

import collections
import re
import string

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text):
    """Lower-cases and takes out punctuation, articles and superfluous white space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction, gold):
    """Returns 1.0 if two texts are equal but for what `normalize_answer` removes, else 0.0."""
    return float(normalize_answer(prediction) == normalize_answer(gold))


def token_f1(prediction, gold):
    """Returns the F1 of the words of two texts, 0.0 if they share none."""
    predicted, expected = normalize_answer(prediction).split(), normalize_answer(gold).split()
    shared = sum((collections.Counter(predicted) & collections.Counter(expected)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def squad_v1_scores(examples, predictions):
    """Returns exact_match and f1 (squad evaluate-v1.1); an unanswered question scores 0."""
    return _mean_scores([(example.accepted, predictions.get(example.id)) for example in examples])


def mrqa_scores(examples, predictions):
    """Returns exact_match and f1 (mrqa_official_eval.py) over the questions that were answered."""
    answered = [example for example in examples if example.id in predictions]
    return _mean_scores([(example.accepted, predictions[example.id]) for example in answered])


def squad_v2_scores(examples, predictions, null_odds, threshold):
    """Returns the scores of squad evaluate-v2.0, by the names of that script.

    null_odds: {id: evidence that there is no answer}; above the threshold none is given.
    exact, f1, total; the same for the questions with and without answers (HasAns_, NoAns_), where
    there are such; best_exact, best_f1 and the thresholds that give them.
    """
    has_answer = {example.id: not example.is_impossible for example in examples}
    raw = {"exact": {}, "f1": {}}
    for example in examples:
        if example.id in predictions:
            exact, f1 = _scores_of(_v2_gold(example), predictions[example.id])
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


def _mean_scores(pairs):
    """Returns mean exact_match and f1 of (accepted texts, prediction or None) pairs."""
    scores = [
        (0.0, 0.0)
        if prediction is None
        else (
            max(exact_match(prediction, gold) for gold in accepted),
            max(token_f1(prediction, gold) for gold in accepted),
        )
        for accepted, prediction in pairs
    ]
    total = max(1, len(scores))
    return {
        "exact_match": 100.0 * sum(exact for exact, _ in scores) / total,
        "f1": 100.0 * sum(f1 for _, f1 in scores) / total,
    }


def _v2_gold(example):
    """Returns the texts that count as right; the empty one where nothing else does."""
    return [text for text in example.accepted if normalize_answer(text)] or [""]


def _scores_of(accepted, prediction):
    """Returns exact and F1 against the best of the accepted texts; two empty texts agree."""
    exact = max(exact_match(prediction, gold) for gold in accepted)
    return exact, max(
        exact_match(prediction, gold)
        if not normalize_answer(gold) or not normalize_answer(prediction)
        else token_f1(prediction, gold)
        for gold in accepted
    )


def _means(scores, names):
    total = max(1, len(names))
    means = {
        metric: 100.0 * sum(values[name] for name in names) / total
        for metric, values in scores.items()
    }
    return {**means, "total": len(names)}


def _best_threshold(scores, predictions, null_odds, has_answer):
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
