# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Errors are found word by word, mended by the generator, and calibrated."""

import dataclasses
import functools
import json
import unicodedata

import numpy as np
import own_texts
import pytest
import tensorflow as tf

import electra_tf
from electra_tf.interop.conversion import convert
from electra_tf.interop.error_calibration import (
    CALIBRATION_FILE,
    ErrorCalibration,
    read_calibration,
    write_calibration,
)
from electra_tf.interop.opening import open_model
from electra_tf.serving import calibrating
from electra_tf.serving.calibrating import Goal, calibrated
from electra_tf.serving.errors import MAX_MENDED, ErrorFinder
from electra_tf.text import Vocabulary, WordPieceTokenizer

TEXTS = ["Ünder  the (bridges), they\tsaid: \x07 naïveté!", "", "THEIR way - 日本"]


@pytest.fixture
def folder(calibrated_dir):
    return calibrated_dir


@pytest.fixture(scope="module")
def loaded(error_finder):
    return error_finder


@pytest.fixture(scope="module")
def found(loaded):
    """Before it is calibrated."""
    return loaded.find_errors(TEXTS, threshold=0.0)


def test_words_are_pieces_of_the_text_as_wrong_as_their_worst_token(loaded, found):
    tokens = loaded.replaced_tokens(TEXTS)
    for row, text in enumerate(TEXTS):
        words = text.replace("日本", "日 本").split()
        assert found["num_words"][row] == len(words)
        for place, word in enumerate(words):
            start, end = found["starts"][row, place], found["ends"][row, place]
            assert text.encode()[start:end].decode() == word == found["words"][row, place]
            inside = [
                tokens["probabilities"][row, i]
                for i in range(tokens["num_tokens"][row])
                if start < tokens["ends"][row, i] <= end
            ]
            expected = max(inside, default=0.0)
            np.testing.assert_allclose(found["probabilities"][row, place], expected, atol=1e-6)
            # What is nothing to the tokenizer is no error, whatever the threshold.
            assert found["is_error"][row, place] == bool(inside)
    assert found["is_error"].sum() == found["num_words"].sum() - 1
    assert not found["is_unknown"].any()
    assert not found["is_truncated"].any() and not found["is_calibrated"].any()


def test_replacements_are_the_fillings_of_the_word_as_one_mask(loaded, found, pair_dir):
    cases = [
        # text and word -> the text with a mask, what stands around it, whether it has capitals
        (0, 2, "Ünder  the ([MASK]), they\tsaid: \x07 naïveté!", "(", "),", str.lower),
        (0, 6, "Ünder  the (bridges), they\tsaid: \x07 [MASK]!", "", "!", str.lower),
        (0, 0, "[MASK]  the (bridges), they\tsaid: \x07 naïveté!", "", "", str.capitalize),
        (2, 0, "[MASK] way - 日本", "", "", str.upper),
        (2, 2, "THEIR way [MASK] 日本", "", "", str.lower),
        (2, 3, "THEIR way - [MASK]本", "", "", str.lower),
    ]
    fillings = electra_tf.load(pair_dir, top_k=30_000).fill_mask([case[2] for case in cases])
    for number, (row, place, _, before, behind, cased) in enumerate(cases):
        tokens, probabilities = fillings["tokens"][number, 0], fillings["probabilities"][number, 0]
        is_mark = (row, place) == (2, 2)
        is_choice = [
            not t.startswith(("##", "[PAD", "[UNK", "[CLS", "[SEP", "[MASK", "[unused"))
            and all(unicodedata.category(c)[0] in "PS" for c in t) == is_mark
            for t in tokens
        ]
        best = tokens[is_choice][:3]
        expected = [before + cased(token) + behind for token in best]
        assert found["replacements"][row, place].tolist() == expected
        shares = probabilities[is_choice] / probabilities[is_choice].sum()
        np.testing.assert_allclose(
            found["replacement_probabilities"][row, place], shares[:3], rtol=1e-3
        )


def test_only_errors_get_replacements_and_not_too_many(loaded):
    threshold = float(np.median(loaded.find_errors(TEXTS[:1])["probabilities"][0, :7]))
    found = loaded.find_errors(TEXTS, threshold)
    has_some = found["replacements"][:, :, 0] != ""
    np.testing.assert_array_equal(has_some, found["is_error"])
    assert 0 < has_some.sum() < found["num_words"].sum()
    np.testing.assert_array_equal(has_some, found["replacement_probabilities"][:, :, 0] > 0)
    # A row has room for 38 tokens; its last word does not fit as a whole.
    text = " ".join([f"a{number}" for number in range(10, 28)] + ["the end of it no unaffable way"])
    found = loaded.find_errors([text], threshold=0.0)
    assert found["is_truncated"].all()
    mended = found["replacements"][0, :, 0] != ""
    assert mended.sum() == min(MAX_MENDED, found["num_words"][0])


def test_words_with_unknown_tokens_are_no_errors(loaded):
    found = loaded.find_errors(["the 🙂, way \x07 本🙂🙂"], threshold=0.0)
    assert found["words"][0].tolist() == ["the", "🙂,", "way", "\x07", "本", "🙂🙂"]
    assert found["is_unknown"][0].tolist() == [False, True, False, False, False, True]
    assert found["is_error"][0].tolist() == [True, False, True, False, True, False]
    assert found["probabilities"][0, 1] > 0 and not found["replacements"][0, 1].any()


def test_a_text_of_ideographs_is_read_as_far_as_a_row_goes(loaded):
    found = loaded.find_errors(["日本" * 30], threshold=0.0)
    assert found["num_words"].tolist() == [38] and found["is_truncated"].all()
    assert found["is_error"].sum() == 38
    assert (found["words"] == np.tile(["日", "本"], 19)).all()


def finder_of(tokenizer, shares=None):
    """Finds each token as wrong as its id says; the generator's shares are those of tokens."""
    names = tokenizer.vocabulary.tokens
    logits = tf.math.log([[[(shares or {}).get(name, 1e-6) for name in names]]])

    def of_rows(batch):
        return tf.cast(batch["input_ids"] % 5, tf.float32)

    def filling(batch, positions):
        return tf.tile(logits, [tf.shape(positions)[0], 1, 1])

    return ErrorFinder(tokenizer, 32, 3, None, of_rows, filling)


@pytest.mark.parametrize("text", ["die „Mühle“", "die Mühle"])
def test_behind_a_mark_pieces_of_both_forms_are_the_words_that_begin_with_them(text):
    tokenizer = own_texts.tokenizer("de")
    names = tokenizer.vocabulary.tokens
    begins = [name for name in names if name[0] == "▁" and name[1:] in names and name[1:].isalpha()]
    other, fragment = begins[0], next(n for n in names if n.isalpha() and f"▁{n}" not in names)
    # The generator prefers what only continues words, then both forms of a word, then no other.
    finder = finder_of(tokenizer, {other: 2.0, other[1:]: 3.0, fragment: 9.0})
    found = finder(tf.constant([text]), tf.constant([0.0]))
    best = found["replacements"][0, -1, 0].numpy().decode()
    around = "„{}“" if "„" in text else "{}"
    assert best == around.format(other[1:])
    assert len(set(found["replacements"][0, -1].numpy())) == 3
    np.testing.assert_allclose(found["replacement_probabilities"][0, -1, 0], 1.0, atol=1e-3)


# ---- Scripts without spaces between words

CHINESE = ["今天天气很好,我们去公园。", "我们今天很好", "公园很好,天气好!"]
THAI = ["ภาษาไทยเป็นภาษา", "เป็นภาษาที่ดีที่", "ที่ไทยดี ภาษาดี", "ไทยเป็นที่ดี"]
UNSPACED_WORDS = {"zh": CHINESE, "th": THAI, "ja": list(own_texts.JAPANESE)}
THAI_PIECES = ["ภาษา", "ไทย", "เป็น", "ที่", "ดี"]


def tokenizer_of(language, **settings):
    if language == "ja":
        return own_texts.tokenizer("ja")
    pieces = sorted(set("".join([*CHINESE, *THAI])) - {" "})
    pieces += [f"##{piece}" for piece in [*THAI_PIECES, "ดีดี", *pieces]] + THAI_PIECES
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(pieces)]
    return WordPieceTokenizer(Vocabulary(tuple(tokens)), do_lower_case=False, **settings)


def words_in(found, row=0):
    return [word.decode() for word in found["words"][row, : found["num_words"][row]].numpy()]


def test_without_spaces_each_token_is_a_word():
    found = finder_of(tokenizer_of("zh"))(tf.constant([CHINESE[0]]), tf.constant([0.0]))
    assert words_in(found) == list(CHINESE[0])
    found = finder_of(tokenizer_of("th"))(tf.constant(["", THAI[2]]), tf.constant([0.0, 0.0]))
    assert words_in(found, 1) == ["ที่", "ไทย", "ดี", "ภาษา", "ดี"]
    np.testing.assert_array_equal(found["logits"][1] != -100.0, True)
    pieces = tokenizer_of("ja").offsets(own_texts.JAPANESE[:1])
    found = finder_of(tokenizer_of("ja"))(tf.constant(own_texts.JAPANESE[:1]), tf.constant([0.0]))
    assert len(words_in(found)) > 12 and "".join(words_in(found)) == own_texts.JAPANESE[0]
    assert set(found["starts"].numpy()[0]) == set(pieces.starts.flat_values.numpy())
    split = finder_of(tokenizer_of("zh", pre_split=True))
    found = split(tf.constant(["今天 天气 很好"]), tf.constant([0.0]))
    assert words_in(found) == ["今天", "天气", "很好"]


def test_without_spaces_a_piece_that_continues_is_a_replacement():
    finder = finder_of(tokenizer_of("th"), {"##เป็น": 3.0, "เป็น": 1.0, "##ดีดี": 2.0})
    found = finder(tf.constant(["ไทยดี"]), tf.constant([0.0]))
    best = [[name.decode() for name in row] for row in found["replacements"][0].numpy()]
    assert [row[0] for row in best] == ["เป็น", "เป็น"] and best[1][1] == "ดีดี"
    np.testing.assert_allclose(found["replacement_probabilities"][0, 1, 0], 4 / 6, atol=1e-3)


@pytest.mark.parametrize("language", UNSPACED_WORDS)
def test_texts_without_spaces_calibrate(language):
    finder = finder_of(tokenizer_of(language))

    def find_errors(texts):
        found = finder(tf.constant(texts), tf.fill([len(texts)], 2.0))
        return {name: value.numpy() for name, value in found.items()}

    texts = UNSPACED_WORDS[language] * 60
    made = calibrated(find_errors, texts, Goal.of(None, 0.5), 0.1, 0)
    assert made.measured["num_texts"] == len(texts)
    assert 0.05 < made.measured["num_wrong"] / made.measured["num_words"] < 0.4
    with pytest.raises(ValueError, match=r"at least 20 words that become wrong.*0 of 0 did"):
        calibrated(find_errors, ["é"] * 60, Goal.of(None, None), 0.1, 0)


def test_a_word_that_does_not_fit_as_a_whole_is_left_out(loaded):
    tokens = loaded.replaced_tokens(["unaffable"])["num_tokens"][0]
    assert tokens > 1
    for room in range(tokens + 1):
        text = "the " * (38 - room) + "unaffable"
        found = loaded.find_errors([text, "a"], threshold=1.0)
        is_there = room == tokens
        assert found["num_words"].tolist() == [38 - room + is_there, 1]
        assert found["is_truncated"].tolist() == [not is_there, False]


@pytest.fixture(scope="module")
def returned(loaded, found):
    """What `calibrate` returned."""
    del found  # before
    texts = [f"the way of number {n} to the end is there for them" for n in range(40)]
    return loaded.calibrate(texts, false_alarm_rate=0.2, error_rate=0.2)


def test_a_calibration_is_stored_and_counts(folder, loaded, found, returned, tmp_path):
    at_once = loaded.find_errors(TEXTS)
    with open(f"{folder}/{CALIBRATION_FILE}", encoding="utf-8") as file:
        stored = json.load(file)
    assert list(stored) == ["5"] and set(stored["5"]) == {*returned, "weights"}
    assert stored["5"].items() >= returned.items()
    assert returned["measured"]["num_truncated"] == 0
    assert returned["measured"]["found"]["false_alarm_rate"] <= 0.2
    losses = returned["measured"]["log_loss"]
    assert losses["uncalibrated"] >= losses["temperature"] >= losses["temperature_and_bias"]
    expected = 1 / (1 + np.exp(-(found["logits"] / returned["temperature"] + returned["bias"])))
    is_word = found["is_error"]
    np.testing.assert_allclose(at_once["probabilities"][is_word], expected[is_word], rtol=1e-4)
    assert at_once["is_calibrated"].all()
    np.testing.assert_allclose(at_once["threshold"], returned["threshold"], rtol=1e-6)
    above = at_once["probabilities"] >= np.float32(returned["threshold"])
    np.testing.assert_array_equal(at_once["is_error"], above & is_word)

    stored_model = open_model(folder)
    assert dataclasses.asdict(stored_model.error_calibration) == returned
    convert(stored_model, "electra_tf", str(tmp_path / "own"))
    assert open_model(str(tmp_path / "own")).error_calibration == stored_model.error_calibration
    lines = convert(stored_model, "reference", str(tmp_path / "reference"))
    assert "has no place for them: the calibration of errors" in lines[-1]


def test_the_signature_of_an_export_gives_the_same(pair, loaded):
    thresholds = tf.zeros([len(TEXTS)])
    exported = pair["find_errors"](text=tf.constant(TEXTS), threshold=thresholds)
    exported = {key: value.numpy() for key, value in exported.items()}
    expected = loaded.find_errors(TEXTS, threshold=0.0)
    assert set(exported) == set(expected)
    for key in ("logits", "replacement_probabilities", "num_words", "starts", "ends"):
        np.testing.assert_allclose(exported[key], expected[key], rtol=1e-4, atol=1e-5)
    words = [[[w.decode() for w in best] for best in row] for row in exported["replacements"]]
    assert words == expected["replacements"].tolist()
    own = pair["find_errors"](text=tf.constant(["a", "b"]), threshold=tf.constant([-1.0, 0.25]))
    np.testing.assert_allclose(own["threshold"], [0.5, 0.25])


@pytest.mark.slow
def test_an_export_is_calibrated_and_cannot_be(folder, loaded, returned, tmp_path):
    at_once = loaded.find_errors(TEXTS)
    assert at_once["is_calibrated"].all() and returned
    export = str(tmp_path / "export")
    electra_tf.serving.export_model(folder, export, top_k=2, names=["find_errors"])
    exported = electra_tf.load(export)
    found = exported.find_errors(TEXTS)
    for key in ("probabilities", "threshold", "is_calibrated"):
        np.testing.assert_allclose(found[key], at_once[key], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["replacements"], at_once["replacements"][:, :, :2])
    with pytest.raises(ValueError, match=r"electra convert` wrote, but .*export is none"):
        exported.calibrate(["a b"])


def test_other_weights_are_not_calibrated(tmp_path, caplog):
    folder = str(tmp_path)
    assert read_calibration(folder, 5, "a") is None
    made, later = ErrorCalibration(2.0, -1.0, 0.25, {"num_words": 9}), ErrorCalibration(3.0)
    write_calibration(made, folder, 5, "a")
    assert read_calibration(folder, 5, "a") == made and not caplog.text
    assert read_calibration(folder, 6, "a") is None
    assert "not used: it is of step 5, but step 6 was" in caplog.text
    assert read_calibration(folder, 5, "b") is None
    assert "it is of other weights of step 5, but step 5 was" in caplog.text
    # Another checkpoint of the folder has its own.
    write_calibration(later, folder, 6, "b")
    assert [read_calibration(folder, *of) for of in ((5, "a"), (6, "b"))] == [made, later]
    write_calibration(later, folder, 5, "b")
    assert read_calibration(folder, 5, "a") is None and read_calibration(folder, 5, "b") == later


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "'temperature' is expected to be finite and above 0, but is 0.0"),
        ({"threshold": 7}, "'threshold' is expected to be in 0..1, but is 7.0"),
        ({"threshold": float("nan")}, "'threshold' is expected to be in 0..1, but is nan"),
        ({"bias": "none"}, "'bias' is expected to be a number"),
        ({"bias": float("nan")}, "'bias' is expected to be finite, but is nan"),
        ({"bias": float("-inf")}, "'bias' is expected to be finite, but is -inf"),
        ({"biass": 1}, "the keys are expected to be .*weights, but there is 'biass'"),
        ({"weights": 3}, "'weights' is expected to be a string"),
    ],
)
def test_a_calibration_that_cannot_be_is_named(tmp_path, change, message):
    path = tmp_path / CALIBRATION_FILE
    write_calibration(ErrorCalibration(), str(tmp_path), 5, "a")
    stored = json.loads(path.read_text())["5"]
    path.write_text(json.dumps({"5": {**stored, **change}}))
    for act in (read_calibration, functools.partial(write_calibration, ErrorCalibration())):
        with pytest.raises(ValueError, match=f"{CALIBRATION_FILE}, step 5: {message}"):
            act(str(tmp_path), 5, "a")


# ---- Fitting


def made_up(logits_of, num_texts=60):
    """A `find_errors` of words "w", and "x", which is what errors look like."""

    def find_errors(texts):
        rows = [[(m, logits_of(m)) for m in text.split()] for text in texts]
        width = max(map(len, rows))
        found = {"logits": np.zeros([len(rows), width])}
        found |= {key: np.zeros([len(rows), width], int) for key in ("starts", "ends")}
        found["num_words"] = np.array([len(row) for row in rows])
        found["is_truncated"] = np.array([len(row) > 10 for row in rows])
        found["is_unknown"] = np.array([[n == 0 for n in range(width)]] * len(rows))
        for r, row in enumerate(rows):
            place = 0
            for c, (word, logit) in enumerate(row):
                found["starts"][r, c], found["ends"][r, c] = place, place + len(word.encode())
                found["logits"][r, c] = logit
                place += len(word.encode()) + 1
        return found

    return find_errors, ["there is some word here and quite a few more"] * num_texts


def test_temperature_and_bias_are_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 3.0, 40_000)
    is_wrong = rng.random(40_000) < 1 / (1 + np.exp(-(logits / 2.0 - 1.0)))
    temperature, bias = calibrating.fitted(logits, is_wrong)
    assert abs(temperature - 2.0) < 0.1 and abs(bias + 1.0) < 0.05
    assert calibrating.fitted(logits, is_wrong, with_bias=False)[1] == 0.0


def test_the_threshold_is_the_lowest_that_reaches_the_goal():
    probabilities = np.repeat([0.1, 0.3, 0.5, 0.9], [100, 40, 40, 30])
    is_wrong = np.arange(210) % 10 < np.repeat([0, 2, 5, 9], [100, 40, 40, 30])
    assert [is_wrong[probabilities == p].sum() for p in (0.1, 0.3, 0.5, 0.9)] == [0, 8, 20, 27]
    threshold = calibrating.chosen_threshold
    assert threshold(probabilities, is_wrong, Goal.of(0.6, None)) == 0.5  # 47 of 70
    assert threshold(probabilities, is_wrong, Goal.of(0.8, None)) == 0.9
    assert threshold(probabilities, is_wrong, Goal.of(None, 23 / 155)) == 0.5
    assert threshold(probabilities, is_wrong, Goal.of(None, 22 / 155)) == 0.9
    assert threshold(probabilities, is_wrong, Goal.of(None, 0.001)) == 1.0
    with pytest.raises(ValueError, match=r"at most 0\.90 .* recall of 0\.49, but is 0\.95"):
        threshold(probabilities, is_wrong, Goal.of(0.95, None))


def test_what_cannot_be_calibrated_is_said(loaded):
    find_errors, texts = made_up(lambda word: float(len(word)))
    goal = Goal.of(None, None)
    assert goal.false_alarm_rate == calibrating.FALSE_ALARM_RATE
    first = calibrated(find_errors, texts, goal, 0.1, 0)
    assert first == calibrated(find_errors, texts, goal, 0.1, 0)
    assert first != calibrated(find_errors, texts, goal, 0.1, 1)
    num_words, num_texts = first.measured["num_words"], len(texts)
    assert num_texts * 7 < num_words < num_texts * 10  # unknown words do not count
    assert 0 < first.measured["num_truncated"] < num_texts
    for wrong in ("a str", [1, 2], []):
        with pytest.raises(ValueError, match=r"texts(\[0\])? is expected to be"):
            loaded.calibrate(wrong)
    with pytest.raises(ValueError, match=r"at least 20 words that become wrong"):
        calibrated(find_errors, texts[:3], goal, 0.1, 0)
    with pytest.raises(ValueError, match=r"error_rate .*between 0 and 1"):
        calibrated(find_errors, texts, goal, 1.5, 0)
    with pytest.raises(ValueError, match=r"not both, but precision=0\.9 and false"):
        loaded.calibrate(texts, precision=0.9, false_alarm_rate=0.1)
    with pytest.raises(ValueError, match=r"precision .*between 0 and 1"):
        loaded.calibrate(texts, precision=90)
    for threshold in (1.5, float("nan")):
        with pytest.raises(ValueError, match=r"threshold is expected to be in 0\.\.1"):
            loaded.find_errors(["a"], threshold=threshold)
