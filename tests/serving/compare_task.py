# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An export of a fine-tuned model beside what `finetuning.prediction` says.

Rows, windows and the choice of answers come from the same functions on both sides, in the export by
bytes and for rows of the batch's length, in predictions by characters and for rows of full length;
what they are to be is in test_plain_rows.py. The encoder, the heads and all that follows from their
numbers are computed in two ways.
"""

import numpy as np
import probes
import tensorflow as tf
from compare_pair import compare_ids, compare_layers
from differences import Differences
from live import encoder_states, padded_rows

from electra_tf.finetuning.files.examples import QuestionExample, TaggingExample, TextExample
from electra_tf.finetuning.kinds.spans import spans_of
from electra_tf.finetuning.prediction import Predictor
from electra_tf.interop.stored_model import StoredModel


def compare_task(signatures, source: StoredModel, differences: Differences):
    """Every signature that there is."""
    kinds = {"qa": _compare_answers, "tagging": _compare_tags}
    if "text" in signatures:
        compare_text = kinds.get(source.tasks[0].spec.kind, _compare_sequences)
        for texts in (probes.TEXTS, probes.SHORT):
            compare_text(signatures, source, list(texts), differences)
    batch, texts = _single_texts(source)
    encoder = source.model.encoder
    if "features" in signatures:
        inputs = _with_empty_seconds(source, texts)
        states = encoder_states(encoder, batch)
        outputs = compare_layers(signatures["features"], inputs, states, batch, differences)
        compare_ids("features", outputs, batch, differences)
    if "ids" in signatures:
        if source.tasks[0].spec.kind == "qa":
            half = np.arange(source.config.max_seq_length) >= source.config.max_seq_length // 2
            batch["segment_ids"] = batch["input_mask"] * half.astype(np.int32)
        _compare_ids(signatures["ids"], source, batch, differences)


def _single_texts(source):
    """Rows of single texts, and the texts."""
    texts = list(probes.TEXTS)
    ids = source.tokenizer(texts).to_list()
    rows = [row[: source.config.max_seq_length - 2] for row in ids]
    batch = padded_rows(rows, source.tokenizer.vocabulary, source.config.max_seq_length)
    if source.tasks[0].spec.kind == "tagging":
        batch["segment_ids"] = batch["input_mask"].copy()
    return batch, texts


def _with_empty_seconds(source, texts):
    spec = source.tasks[0].spec
    if spec.kind == "qa":
        return {"question": texts, "context": [""] * len(texts)}
    columns = spec.splits[0].columns
    is_pair = columns is not None and columns.text_b is not None
    pair = {"text_pair": [""] * len(texts)} if is_pair and spec.kind != "tagging" else {}
    return {"text": texts, **pair}


def _compare_ids(ids, source, batch, differences):
    """Probabilities that follow from the head's numbers, of all rows at full length."""
    batch = {name: tf.constant(rows) for name, rows in batch.items()}
    found = ids(**batch)
    hidden = source.model.encoder(batch).last_hidden_state
    head = source.model.task_heads.heads[0]
    kind = source.tasks[0].spec.kind
    if kind == "tagging":
        real = tf.cast(batch["input_mask"], tf.float32)[..., None]
        live = head.output_layer(hidden)
        chances = found["probabilities"] * real
        differences.probability("ids", chances, tf.nn.softmax(live) * real)
        differences.logits("ids: logits", found["logits"] * real, live * real)
        _compare_label_names("ids", found, source, differences)
        return
    live = head(hidden, batch)
    if kind == "qa":
        _compare_answer_numbers(found, live, differences)
    elif kind == "regression":
        low, high = source.tasks[0].spec.value_range
        scaled = (found["score"] - low) / (high - low)
        differences.logits("ids", scaled, live["predictions"])  # may be far outside of its range
    else:
        normalize = tf.nn.softmax if kind == "classification" else tf.sigmoid
        differences.probability("ids", found["probabilities"], normalize(live["logits"]))
        differences.logits("ids: logits", found["logits"], live["logits"])
        _compare_label_names("ids", found, source, differences)


def _compare_label_names(where, found, source, differences):
    """The outputs that spell out what the exported numbers say."""
    names, kind = np.array(source.tasks[0].spec.labels), source.tasks[0].spec.kind
    logits, best = found["logits"].numpy(), found["logits"].numpy().argmax(-1)
    normalize = tf.sigmoid if kind == "multilabel" else tf.nn.softmax
    differences.probability(f"{where}: logits", normalize(logits), found["probabilities"])
    expected = {}
    if kind == "classification":
        highest = found["probabilities"].numpy().max(-1)
        expected = {"label": names[best], "label_id": best, "probability": highest}
    elif kind == "multilabel":
        expected = {"is_label": logits > 0}
    elif kind == "tagging":
        expected = {"tags": names[best]}
    if kind != "tagging":
        expected["labels"] = np.broadcast_to(names, logits.shape)
    for name, values in expected.items():
        differences.same(f"{where}: {name}", _listed(found[name]), values.tolist())


def _listed(tensor: tf.Tensor) -> list:
    """Nested lists of a tensor, strings as str."""
    decode = np.vectorize(bytes.decode, otypes=[object])
    return (decode(tensor.numpy()) if tensor.dtype == tf.string else tensor.numpy()).tolist()


def _compare_answer_numbers(found, live, differences):
    for name in found.keys() & {"start_logits", "end_logits"}:
        differences.probability(f"ids: {name}", *map(tf.nn.softmax, (found[name], live[name])))
    if "answerable_logit" in found:
        odds = (found["answerable_logit"], live["answerable_logit"])
        differences.probability("ids: answerable_logit", *map(tf.sigmoid, odds))
    if "start_top_index" not in found:
        return
    # Equally probable positions may be in another order; probabilities from the best one down
    # are the same all the same.
    best = tf.exp(found["start_top_log_probs"])
    differences.probability("ids: start_top_log_probs", best, tf.exp(live["start_top_log_probs"]))
    chances = _looked_up(found, live, "start_top_index", "start_top_log_probs")
    differences.probability("ids: start_top_index", best, chances)
    same_start = (found["start_top_index"] == live["start_top_index"]).numpy()
    found, live = (
        {name: side[name].numpy()[same_start] for name in ("end_top_index", "end_top_log_probs")}
        for side in (found, live)
    )
    best = np.exp(found["end_top_log_probs"])
    differences.probability("ids: end_top_log_probs", best, np.exp(live["end_top_log_probs"]))
    chances = _looked_up(found, live, "end_top_index", "end_top_log_probs")
    differences.probability("ids: end_top_index", best, chances)


def _looked_up(found, live, index, log_probs):
    """The live probabilities [n, K] of the exported positions; of one that is not among the best
    live ones, that of the last of these, which it may equal."""
    same = np.asarray(found[index])[:, :, None] == np.asarray(live[index])[:, None, :]
    chances = np.exp(np.asarray(live[log_probs]))
    matched = (same * chances[:, None, :]).sum(-1)
    return np.where(same.any(-1), matched, chances[:, -1:])


def _predictor(source: StoredModel) -> Predictor:
    return Predictor(source.folder, source.tasks[0].name, source)


def _compare_sequences(signatures, source, firsts, differences):
    is_pair = source.tasks[0].spec.splits[0].columns.text_b is not None
    # Every text meets another one, so that both sides are cut somewhere.
    seconds = firsts[1:] + firsts[:1] if is_pair else [None] * len(firsts)
    examples = [TextExample(i, a, b) for i, (a, b) in enumerate(zip(firsts, seconds, strict=True))]
    inputs = {"text": tf.constant(firsts)}
    if is_pair:
        inputs["text_pair"] = tf.constant(seconds)
    found = signatures["text"](**inputs)
    if source.tasks[0].spec.kind != "regression":
        _compare_label_names("text", found, source, differences)
    outputs = {name: value.numpy() for name, value in found.items()}
    for row, record in enumerate(_predictor(source).of_examples(examples)):
        where = f"text {firsts[row][:60]!r}"
        if source.tasks[0].spec.kind == "regression":
            low, high = source.tasks[0].spec.value_range
            scale = high - low
            differences.logits(where, outputs["score"][row] / scale, record["prediction"] / scale)
            continue
        chances = list(record["probabilities"].values())
        differences.probability(where, outputs["probabilities"][row], chances)
        if source.tasks[0].spec.kind == "classification":
            choice = record["probabilities"][outputs["label"][row].decode()]
            differences.chosen(where, choice, max(chances))
        else:
            for given, chance in zip(outputs["is_label"][row], chances, strict=True):
                differences.decided(f"{where}: is_label", given, chance > 0.5, chance)


def _compare_tags(signatures, source, texts, differences):
    outputs = {k: v.numpy() for k, v in signatures["text"](text=tf.constant(texts)).items()}
    filled = [row for row, text in enumerate(texts) if text.split()]
    examples = [TaggingExample(row, tuple(texts[row].split())) for row in filled]
    records = _predictor(source).of_examples(examples)
    for row, record in zip(filled, records, strict=True):
        where = f"tags of {texts[row][:60]!r}"
        count = int(outputs["num_words"][row])
        words = [word.decode() for word in outputs["words"][row, :count]]
        differences.same(f"{where}: words", words, record["words"])
        places = zip(outputs["starts"][row, :count], outputs["ends"][row, :count], strict=True)
        pieces = [texts[row].encode()[start:end].decode() for start, end in places]
        differences.same(f"{where}: places of words", pieces, words)
        differences.probability(
            where, outputs["probabilities"][row, :count], record["probabilities"]
        )
        tags = [tag.decode() for tag in outputs["tags"][row, :count]]
        for tag, expected, chance in zip(
            tags, record["prediction"], record["probabilities"], strict=True
        ):
            # Two tags can be equally probable only below one half.
            if chance > 0.5 + differences.tolerance:
                differences.same(where, tag, expected)
        if source.tasks[0].spec.scheme == "spans":
            found = {name: values[row] for name, values in outputs.items()}
            _compare_entities(where, texts[row].encode(), tags, found, source, differences)
    for row in set(range(len(texts))) - set(filled):
        differences.same(f"words of {texts[row]!r}", int(outputs["num_words"][row]), 0)


def _compare_entities(where, text, tags, found, source, differences):
    """The entities of one text are those that its exported tags mark.

    Args:
        text: bytes; found: name -> values of the text.
    """
    expected = []
    for first, last, kind in spans_of(tags, source.tasks[0].spec.span_rule):
        start, end = int(found["starts"][first]), int(found["ends"][last])
        chance = float(found["probabilities"][first : last + 1].min())
        expected.append((text[start:end], (kind or "").encode(), start, end, chance))
    names = ("entities", "entity_types", "entity_starts", "entity_ends", "entity_probabilities")
    count = int(found["num_entities"])
    columns = [found[name][:count].tolist() for name in names]
    differences.same(f"{where}: entities", list(zip(*columns, strict=True)), expected)


def _compare_answers(signatures, source, texts, differences):
    contexts = probes.paragraphs(texts)
    questions = [probes.QUESTIONS[i % len(probes.QUESTIONS)] for i in range(len(contexts))]
    # A context may hold no token although it holds characters; the model's own path refuses it.
    lengths = source.tokenizer(contexts).row_lengths().numpy()
    pairs = [
        pair for pair, n in zip(zip(questions, contexts, strict=True), lengths, strict=True) if n
    ]
    questions, contexts = map(list, zip(*pairs, strict=True))
    examples = [QuestionExample(str(i), q, c) for i, (q, c) in enumerate(pairs)]
    inputs = {"question": tf.constant(questions), "context": tf.constant(contexts)}
    outputs = {name: value.numpy() for name, value in signatures["text"](**inputs).items()}
    for row, record in enumerate(_predictor(source).of_examples(examples)):
        where = f"question {questions[row][:30]!r} about {contexts[row][:60]!r}"
        chances = {answer["text"]: answer["probability"] for answer in record["answers"]}
        count, columns = int(outputs["num_answers"][row]), outputs["answers"].shape[1]
        differences.same(f"{where}: num_answers fit", 1 <= count <= columns, True)
        answers = [text.decode() for text in outputs["answers"][row, :count]]
        for text, found in zip(answers, outputs["answer_probabilities"][row], strict=False):
            if text in chances:
                differences.probability(where, found, chances[text])
        differences.chosen(where, chances.get(answers[0], 0.0), max(chances.values()))
        # The last of the n best may be another one where the model is undecided.
        least = outputs["answer_probabilities"][row, count - 1]
        for text, chance in chances.items():
            if text not in answers:
                is_full = count == source.config.n_best_size
                differences.chosen(f"{where}: answers", float(least) if is_full else 0.0, chance)
        _compare_places(where, contexts[row].encode(), row, outputs, differences)
        if "null_odds" in record:
            odds = np.array([outputs["no_answer_score"][row], record["null_odds"]], np.float64)
            differences.probability(f"{where}: no_answer_score", *(1 / (1 + np.exp(-odds))))
            margin = odds[1] - source.config.qa_na_threshold
            chance = 1 / (1 + np.exp(margin))
            differences.decided(
                f"{where}: is_answered", outputs["is_answered"][row], margin <= 0, chance
            )


def _compare_places(where, context, row, outputs, differences):
    """Answers stand where they are said to stand; the first is the answer, if there is one."""
    count = int(outputs["num_answers"][row])
    columns = [outputs[name][row] for name in ("answers", "answer_starts", "answer_ends")]
    for text, start, end in zip(*(column[:count] for column in columns), strict=True):
        differences.same(f"{where}: place of an answer", context[start:end], text)
    differences.same(f"{where}: behind num_answers", set(columns[0][count:]) - {b""}, set())
    first = [column[0] for column in columns]
    if not outputs.get("is_answered", np.ones(row + 1, bool))[row]:
        first = [b"", 0, 0]
    answer = [outputs[name][row] for name in ("answer", "start", "end")]
    differences.same(f"{where}: answer, start, end", answer, first)
    chances = outputs["probability"][row], outputs["answer_probabilities"][row, 0]
    differences.same(f"{where}: probability", *map(float, chances))
