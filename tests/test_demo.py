# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The page of `electra demo`: what it shows of outputs, and its HTTP API."""

import asyncio
import functools
import os
import re
import signal
import socket
import sys
import threading
import types

import httpx
import numpy as np
import pytest
from commands import electra
from gradio_client import Client
from gradio_client.exceptions import AppError, ValidationError
from tiny_finetuning import make_data_dir

import electra_tf
from electra_tf import loading
from electra_tf.demo import display, page, puzzle, tabs
from electra_tf.demo.calls import WellFormedCallsOnly
from electra_tf.demo.display import Word
from electra_tf.demo.puzzle import Piece
from electra_tf.interop import opening
from electra_tf.serving.options import RULES

# ---- Outputs as spans and tables


def batch_of_one(**columns):
    return {name: np.array([column]) for name, column in columns.items()}


def test_a_text_is_cut_at_bytes():
    text = "ä bc d"
    marks = [(3, 5, "x"), (4, 6, "inside"), (0, 0, "empty")]
    assert display.parts_of(text, marks) == [(0, 3, None), (3, 5, "x"), (5, 7, None)]
    assert display.spans_of(text, marks) == [("ä ", None), ("bc", "x"), (" d", None)]
    assert display.spans_of("", []) == []


def errors(text, probabilities, threshold=0.5, **more):
    """What `find_errors` gives for a text."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    sides = zip(*words, strict=True)
    starts, ends = ([len(text[:place].encode()) for place in side] for side in sides)
    found = batch_of_one(starts=[*starts, 0], ends=[*ends, 0], probabilities=[*probabilities, 0.0])
    found["is_error"] = found["probabilities"] >= threshold
    single = {"num_words": len(words), "threshold": threshold, "is_calibrated": False}
    single = {**single, "is_truncated": False, **more}
    return {**found, **{name: np.array([value]) for name, value in single.items()}}


def test_words_are_shown_without_the_marks_around_them():
    text = "(\"Ä don't, --"
    assert display.words_of(text, errors(text, [0.5, 0.2, 0.1])) == [
        Word(2, 4, 0.5),
        Word(5, 10, 0.2),
        Word(12, 14, 0.1),
    ]


def test_words_are_shaded_around_the_threshold():
    shades = [display.shade_of(p, 0.4) for p in (0.7, 0.69, 0.4, 0.39, 0.2, 0.19)]
    assert shades == ["clear error", "error", "error", "doubtful", "doubtful", None]
    assert display.summary_of(errors("a b", [0.5, 0.4])) == (
        "1 word has a probability of 50.0 % or more that it is an error (not calibrated)."
    )
    found = errors("a b", [0.5, 0.4], 0.125, is_calibrated=True, is_truncated=True)
    assert display.summary_of(found).startswith("2 words have a probability of 12.5 % or more")
    assert display.summary_of(found).endswith(
        "(calibrated). The end of the text was not read: the model reads no more."
    )


def test_options_are_ordered_by_their_score():
    found = {rule: np.array([[-1.0, -0.5]]) for rule in RULES}
    found["scores"] = found["mean"]
    rows = [["b", *["-0.500"] * 4], ["a", *["-1.000"] * 4]]
    assert display.options_table(["a", "b"], found) == rows


def test_masks_are_filled():
    outputs = batch_of_one(
        starts=[2, 9],
        ends=[8, 15],
        tokens=[["b", "x"], ["d", "y"]],
        probabilities=[[0.5, 0.25], [1.0, 0.0]],
    )
    outputs["num_masks"] = np.array([2])
    spans = [("a ", None), ("b", "mask 1"), (" ", None), ("d", "mask 2"), (".", None)]
    rows = [["1", "b", "50.0 %"], ["1", "x", "25.0 %"], ["2", "d", "100.0 %"], ["2", "y", "0.0 %"]]
    assert display.filled("a [MASK] [MASK].", outputs) == (spans, rows)


TAGS = batch_of_one(starts=[0, 2], ends=[1, 3], tags=["B-PER", "O"])
TAGS["num_words"] = np.array([2])
ENTITIES = batch_of_one(entity_starts=[0], entity_ends=[3], entity_types=["PER"], entities=["A b"])
ENTITIES = {**TAGS, **ENTITIES, "num_entities": np.array([1])}
ANSWERS = {
    **batch_of_one(answers=["b", "a b", ""], answer_probabilities=[0.75, 0.25, 0.0]),
    **{"answer": np.array(["b"]), "start": np.array([2]), "end": np.array([3])},
    "num_answers": np.array([2]),
}
NO_ANSWER = {**ANSWERS, "start": np.array([0]), "end": np.array([0])}
NO_ANSWER["is_answered"] = np.array([False])


def test_tags_are_marked():
    assert display.tagged("A b", TAGS) == [("A", "B-PER"), (" ", None), ("b", "O")]
    assert display.tagged("A b", ENTITIES) == [("A b", "PER")]


def test_an_answer_is_marked_if_there_is_one():
    rows = [["b", "75.0 %"], ["a b", "25.0 %"]]
    assert display.answered("a b", ANSWERS) == ("", [("a ", None), ("b", "answer")], rows)
    note = "The passage does not answer this, says the model."
    assert display.answered("a b", NO_ANSWER) == (note, [("a b", None)], rows)


def test_similarities_are_shades():
    similarities = np.eye(4)
    similarities[0, 1] = similarities[1, 0] = 1.0
    shown = display.heat_map(["a", "<script>", "b", "c"], similarities)
    assert "&lt;script&gt;" in shown and "<script>" not in shown
    assert shown.count("1.00") == 6 and shown.count("rgb(255, 255, 255)") == 10
    assert "1.00" in display.heat_map(["alone"], np.ones([1, 1]))


# ---- The game


class Model:
    """Reads words; its generator writes "New", its discriminator finds that wrong."""

    def __init__(self):
        self.signatures = {"find_errors": ("text", "threshold"), "fill_mask": ("text",)}

    def find_errors(self, texts):
        words = re.findall(r"\w+", texts[0])
        return errors(texts[0], [0.9 if word.lower() == "new" else 0.1 for word in words])

    def fill_mask(self, texts):
        masks = [match.span() for match in re.finditer(re.escape("[MASK]"), texts[0])]
        starts, ends = zip(*masks, strict=True) if masks else ((), ())
        fillings = [["##s", "the", "new"]] * len(masks)
        found = batch_of_one(
            starts=starts, ends=ends, tokens=fillings, probabilities=[[0.5, 0.4, 0.1]] * len(masks)
        )
        return {**found, "num_masks": np.array([len(masks)])}


def test_a_puzzle_has_fakes_that_can_be_found():
    model, text = Model(), "The the, THE the the!"
    pieces = puzzle.make_puzzle(model, "[MASK]", text, 0.5, seed=1)
    assert "".join(piece.original or piece.text for piece in pieces) == text
    fakes = puzzle.fakes_of(pieces)
    assert len(fakes) == 2 and {pieces[place].text.lower() for place in fakes} == {"new"}
    assert puzzle.make_puzzle(model, "[MASK]", text, 0.5, seed=1) == pieces
    with_mask = puzzle.make_puzzle(model, "[MASK]", f"[MASK] {text}", 0.5, seed=2)
    assert len(puzzle.fakes_of(with_mask)) >= 2
    all_of_them = puzzle.make_puzzle(model, "[MASK]", text, 1.0, seed=0)
    assert "".join(piece.text for piece in all_of_them) == "New new, New new new!"
    guesses = puzzle.toggled([], min(fakes), pieces)
    assert puzzle.toggled(guesses, 1, pieces) == guesses == [min(fakes)]  # a blank is no word
    assert puzzle.toggled(guesses, min(fakes), pieces) == []
    assert puzzle.marked(pieces, guesses, "your guess")[min(fakes)][1] == "your guess"


def test_a_solution_counts_what_both_have_found():
    pieces = [Piece("New", "Ä"), Piece(" "), Piece("b"), Piece(" "), Piece("c")]
    table, sentence = puzzle.solution(Model(), pieces, [2])
    spans = puzzle.marked(pieces, puzzle.fakes_of(pieces), "fake")
    assert spans[0] == ("New", "fake") and {name for _, name in spans[1:]} == {None}
    assert table == [["New", "Ä", "", "fake, 90.0 %"], ["b", "(the same)", "fake", "10.0 %"]]
    assert sentence == "You: 0 of 1 found, 1 wrong. The discriminator: 1 of 1 found, 0 wrong."


# ---- The page of a small model


@pytest.fixture
def served():
    """Serves the page of a model; its client."""
    pages = []

    def serve(model, name="model"):
        made = page.make_page(model, name)
        pages.append(made)
        address = page.start(made, "127.0.0.1", free_port())
        return Client(address, verbose=False, httpx_kwargs={"timeout": 60})

    yield serve
    for made in pages:
        made.close(verbose=False)


def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def error_of(client, *given, api_name):
    with pytest.raises(AppError) as raised:
        client.predict(*given, api_name=api_name)
    return str(raised.value)


def raw_answer(client, data, api_name):
    """To JSON as no client writes it."""
    address, given = f"{client.src}gradio_api/call/{api_name}", f'{{"data": {data}}}'
    headers = {"content-type": "application/json"}
    event = httpx.post(address, content=given, headers=headers).json()["event_id"]
    return httpx.get(f"{address}/{event}").text


def parts(spans):
    return [(part["token"], part["class_or_confidence"]) for part in spans]


def test_a_pair_is_shown(tmp_path, served):
    folder = str(make_data_dir(tmp_path / "data") / "models" / "tiny")
    client = served(electra_tf.load(folder, top_k=3))
    text = "w1 w2 ä w4."
    spans, summary = client.predict(text, api_name="/find_errors")
    assert "(not calibrated)" in summary
    assert "".join(part for part, _ in parts(spans)) == text
    assert {name for _, name in parts(spans)} <= {*display.SHADES, None}
    rows = client.predict(text, 3, 5, api_name="/replacements")
    filled, table = client.predict("w1 [MASK] ä w4.", api_name="/fill_mask")
    assert [[token, p] for _, token, p in table["data"]] == rows and len(rows) == 3
    assert parts(filled)[1] == (rows[0][0], "mask 1")
    given = ("w1 {} w4.", "w2\nw3", "sum")
    scored = client.predict(*given, api_name="/score_options")["data"]
    assert {row[0] for row in scored} == {"w2", "w3"}
    assert float(scored[0][2]) >= float(scored[1][2])  # by their sums
    shown, seed, task, _ = client.predict(text, 50, 7, api_name="/make_puzzle")
    assert seed == 8 and "which?" in task and {name for _, name in parts(shown)} == {None}
    solved, sentence, table = client.predict(api_name="/solve_puzzle")
    fakes = [part for part, name in parts(solved) if name == "fake"]
    assert sentence.startswith(f"You: 0 of {len(fakes)} found, 0 wrong.")
    assert [row[0] for row in table["data"] if row[1] != "(the same)"] == fakes


def test_nothing_comes_from_outside_and_nobody_else_is_let_in(served):
    client = served(Model(), "<i>")
    answer = httpx.get(client.src)
    html, policy = answer.text, answer.headers["content-security-policy"]
    assert "&lt;i&gt;" in html and "default-src 'self' 'unsafe-inline'" in policy
    fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](.*?)[\"']", html)
    assert fetched and not [address for address in fetched if "//" in address]
    styles = httpx.get(f"{client.src}theme.css").text
    assert not re.findall(r"@import|url\([\"']?http", styles) and "system-ui" in styles
    config = client.config
    assert not config["analytics_enabled"] and config["mcp_server"] is False
    files = {"files": ("name", b"12")}
    assert httpx.post(f"{client.src}gradio_api/upload", files=files).status_code == 413
    port = int(client.src.rstrip("/").rpartition(":")[2])
    with socket.socket() as other, pytest.raises(OSError):
        other.connect(("127.0.0.2", port))  # 0.0.0.0 would answer here


def test_texts_are_bounded(served):
    client = served(Model())
    message = error_of(client, "a" * 4001, api_name="/find_errors")
    assert message == "The text is expected to have at most 4,000 characters, but has 4,001."
    assert "is empty" in error_of(client, " \n", api_name="/find_errors")
    for start, end in ((1, 4), (2, 2), (0, 1), ("a", None)):
        message = error_of(client, "äb", start, end, api_name="/replacements")
        assert message.endswith(f"between characters, 0 to 3, but are start={start} and end={end}.")
    for number in (-1, 2**63, 10**400, 1.5):
        message = error_of(client, "a b", 15, number, api_name="/make_puzzle")
        assert message.startswith("The number is expected to be a whole one from 0 to 2147483647, ")
    for number, share in (("NaN", "15"), ("1", "NaN")):
        assert "is expected to be" in raw_answer(
            client, f'["a b", {share}, {number}]', "make_puzzle"
        )
    assert "have [MASK] in it" in error_of(client, "none", api_name="/fill_mask")
    assert "no puzzle yet" in error_of(client, api_name="/solve_puzzle")
    assert "has none" in error_of(client, "?!", 15, 1, api_name="/make_puzzle")
    assert client.predict("a b", 15, 2**31 - 1, api_name="/make_puzzle")[1] == 0
    with pytest.raises(ValueError, match="The list is expected to have at most 24 lines, but has"):
        tabs.lines_of("a\n" * 25, "The list")


def test_malformed_calls_get_one_message(served, capfd):
    client = served(Model())
    calls = [
        ("call/nothing", {"data": ["a"]}, 404, "one of find_errors, replacements, "),
        ("call/v2/nothing", {"text": "a"}, 404, "but is 'nothing'."),
        ("call/find_errors", {"data": []}, 422, "have 1 values (text), but has 0."),
        ("run/make_puzzle", {"data": ["a b", 15]}, 422, "3 values (text, share, seed), but has 2."),
        ("call/find_errors", {"data": [["a"]]}, 422, "text is expected to be a string, but is ['a"),
        ("call/make_puzzle", {"data": ["a b", "x", 1]}, 422, "share is expected to be a number"),
        ("call/make_puzzle/", {"data": ["a b", 15, True]}, 422, "seed is expected to be a number"),
        ("call/v2/make_puzzle", {"share": None}, 422, "share is expected to be a number, but is N"),
        ("call/find_errors", {"data": ["a" * 1_000_000]}, 413, "at most 1,000,000 bytes."),
    ]
    for address, body, status, message in calls:
        answer = httpx.post(f"{client.src}gradio_api/{address}", json=body)
        assert (answer.status_code, message in answer.json()["error"]) == (status, True), address
    answer = httpx.post(f"{client.src}gradio_api/call/find_errors", content=b"[" * 99_999)
    assert answer.status_code == 422 and "event_id" not in answer.text
    with pytest.raises(ValidationError, match="share is expected to be a number, but is 'x'"):
        client.predict("a b", "x", 1, api_name="/make_puzzle")
    assert client.predict("a b", 15, 1, api_name="/make_puzzle")[1] == 2
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_choice_is_one_of_those_that_are_there():
    model = types.SimpleNamespace(signatures={"score_options": ("template", "options")})
    sent = []

    async def receive():
        return {"type": "http.request", "body": b'{"data": ["a {}", "b", "norule"]}'}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/call/score_options"}
    asyncio.run(WellFormedCallsOnly(None, page.make_page(model, "m"))(scope, receive, send))
    assert sent[0]["status"] == 422
    assert b"rule is expected to be one of mean, sum, " in sent[1]["body"]


def test_errors_are_shown_as_text(served):
    kinds = [ValueError, RuntimeError]

    def similarity(texts, _):
        raise kinds.pop()(f"{texts[0]} & more")

    model = types.SimpleNamespace(signatures={"features": ("text", "layer")}, similarity=similarity)
    client = served(model)
    while kinds:
        message = error_of(client, "<img src=x onerror=f()>", api_name="/similarity")
        assert message == "&lt;img src=x onerror=f()&gt; &amp; more"


@pytest.mark.parametrize(
    ("outputs", "given", "expected"),
    [
        (
            batch_of_one(labels=["a", "b"], probabilities=[0.25, 0.75]),
            ["one", "two"],
            {"label": "b", "confidences": [("b", 0.75), ("a", 0.25)]},
        ),
        ({"score": np.array([2.5])}, ["one"], 2.5),
        (ENTITIES, ["A b"], [("A b", "PER")]),
        (ANSWERS, ["q", "a b"], ("", [("a ", None), ("b", "answer")], "b")),
    ],
    ids=["labels", "score", "entities", "answers"],
)
def test_predictions_are_shown(served, outputs, given, expected):
    names = {"text": ("question", "context")[: len(given)]}
    client = served(types.SimpleNamespace(signatures=names, predict=lambda rows: outputs))
    found = client.predict(*given, api_name="/predict")
    if isinstance(found, dict):
        rows = [(row["label"], row["confidence"]) for row in found["confidences"]]
        found = {"label": found["label"], "confidences": rows}
    elif isinstance(found, tuple):
        sentence, spans, table = found
        assert sentence.startswith(expected[0]) and parts(spans) == expected[1]
        found = expected if table["data"][0][0] == expected[2] else table
    elif isinstance(found, list):
        found = parts(found)
    assert found == expected
    assert "is empty" in error_of(client, *[""] * len(given), api_name="/predict")


def test_the_queue_is_bounded(served, monkeypatch):
    monkeypatch.setattr(page, "MAX_WAITING", 2)
    begun, end, running, most = threading.Event(), threading.Event(), [], []

    def compute(outputs):
        running.append(outputs)
        most.append(len(running))
        begun.set()
        end.wait(30)
        return running.pop()

    labels = batch_of_one(labels=["a", "b"], probabilities=[0.25, 0.75])
    model = types.SimpleNamespace(
        signatures={"features": ("text", "layer"), "text": ("text",)},
        similarity=lambda texts, _: compute(np.eye(len(texts))),
        predict=lambda rows: labels,  # while the page is made
    )
    address = f"{served(model).src}gradio_api/call"
    model.predict = lambda rows: compute(labels)
    ask = functools.partial(httpx.post, json={"data": ["a"]})
    try:
        asked = [ask(f"{address}/similarity")]
        assert begun.wait(30)
        asked += [ask(f"{address}/{name}") for name in ("predict", "similarity", "predict")]
    finally:
        end.set()
    assert [answer.status_code for answer in asked] == [200, 200, 200, 503]
    assert "full" in asked[-1].text
    found = [
        httpx.get(f"{address}/{name}/{answer.json()['event_id']}").text
        for name, answer in zip(("similarity", "predict", "similarity"), asked, strict=False)
    ]
    assert "<table>" in found[0] and '"confidences"' in found[1] and most == [1, 1, 1]


def test_masks_of_another_name_are_not_shown():
    model = Model()
    model.fill_mask = lambda texts: {"num_masks": np.array([0])}
    made = page.make_page(model, "model")
    named = [config["api_name"] for config in made.config["dependencies"]]
    assert named == ["find_errors"]
    said = [part["props"].get("value") for part in made.config["components"]]
    assert "The mask token is neither [MASK] nor <mask>: nothing with masks is shown." in said


def test_a_model_that_takes_no_text_is_refused():
    with pytest.raises(ValueError, match="served has only ids; the demo shows models that take"):
        page.make_page(types.SimpleNamespace(signatures={"ids": ("input_ids",)}), "served")


# ---- The command


def test_ctrl_c_ends_it(monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(opening, "find_model", lambda folder: opening.Place("pretrained", folder))
    monkeypatch.setattr(loading, "load", lambda *_, **given: given["top_k"] == 10 and Model())
    monkeypatch.setattr(page, "wait", lambda: os.kill(os.getpid(), signal.SIGINT))
    port = free_port()
    assert electra("demo", "--model-dir", tmp_path, "--port", port) == 130
    out, err = capfd.readouterr()
    assert f"{tmp_path.name} is shown at http://127.0.0.1:{port}/ until Ctrl-C." in out
    assert err == "interrupted\n"
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


def test_what_is_wrong_is_said_before_the_model_is_loaded(monkeypatch, capfd, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert electra("demo", "--model-dir", tmp_path, "--port", port) == 2
    assert f"--port {port} cannot be used (Address already in use)" in capfd.readouterr().err
    assert electra("demo", "--model-dir", tmp_path, "--host", "no.such.host.invalid") == 2
    assert "--host is expected to be an address, but is 'no.such" in capfd.readouterr().err
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert electra("demo", "--model-dir", tmp_path) == 2
    assert "pip install 'electra-tf[demo]'" in capfd.readouterr().err
