# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tabs of the page, laid out with gradio: one function for each thing that a model can do."""

import functools
import html
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from electra_tf.config import check
from electra_tf.demo import display, puzzle
from electra_tf.demo.display import Spans, Table, Word, percent
from electra_tf.loading import LoadedModel
from electra_tf.serving.options import RULES

MAX_CHARACTERS = 4000
"""Of a text."""
MAX_SEED = 2**31 - 1
"""Of a puzzle."""
ONE_AT_A_TIME = {"concurrency_id": "model", "concurrency_limit": 1}
"""Of all functions together; gradio's own limit is for each."""
MAX_LINES = 24
"""Of sentences to compare, and of options."""
SENTENCE = "I have never seen such a bad film in my whole between."
ORIGINAL = "The actors are good, but the story is very slow, and nobody in it knows why."
SENTENCES = f"The music is wonderful.\nI liked the songs.\nThe ending was terrible.\n{ORIGINAL}"


def add_tabs(model: LoadedModel) -> list[str]:
    """Add the tabs for what a model can do to the page; returns their titles."""
    can, mask, kind = model.signatures, puzzle.mask_of(model), _prediction_of(model)
    rows: list[tuple[str, Any, Callable, tuple]] = [
        ("Wrong words", "find_errors" in can, add_wrong_words, (mask,)),
        ("Guess the fakes", mask and "find_errors" in can, add_puzzle, (mask,)),
        ("Fill masks", mask, add_fill_mask, (mask,)),
        ("Score options", "score_options" in can, add_options, ()),
        (kind.capitalize(), kind, add_prediction, (kind,)),
        ("Similarity", {*can.get("features", ())} == {"text", "layer"}, add_similarity, ()),
    ]
    if "fill_mask" in can and not mask:
        names = " nor ".join(puzzle.MASK_TOKENS)
        gr.Markdown(f"The mask token is neither {names}: nothing with masks is shown.")
    wanted = [(title, add, given) for title, is_there, add, given in rows if is_there]
    for title, add, given in wanted:
        with gr.Tab(title):
            add(model, *given)
    return [title for title, *_ in wanted]


def checked(text: str | None, name: str = "The text") -> str:
    """A text that is neither empty nor too long.

    Raises:
        ValueError: it is one of them.
    """
    size = len(text or "")
    if not text or not text.strip():
        raise ValueError(f"{name} is expected to have a word at least, but is empty.")
    if size > MAX_CHARACTERS:
        raise ValueError(
            f"{name} is expected to have at most {MAX_CHARACTERS:,} characters, but has {size:,}."
        )
    return text


def lines_of(text: str | None, name: str) -> list[str]:
    """The lines of a text that are not empty.

    Raises:
        ValueError: there are too many, or the text is empty or too long.
    """
    lines = [line.strip() for line in checked(text, name).splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        raise ValueError(
            f"{name} is expected to have at most {MAX_LINES} lines, but has {len(lines)}."
        )
    return lines


# ---- Pre-trained models


def add_wrong_words(model: LoadedModel, mask: str | None) -> None:
    """Words coloured by how wrong they look; a click shows what the generator would write."""
    analysed = gr.State()
    text = gr.Textbox(SENTENCE, label="Text", lines=3)
    button = gr.Button("Find wrong words", variant="primary")
    shown = _coloured("How wrong words look", display.SHADES)
    summary = gr.Markdown()

    def find(text: str) -> tuple[Spans, str, tuple]:
        outputs = model.find_errors([checked(text)])
        words, threshold = display.words_of(text, outputs), outputs["threshold"][0]
        marks = [(w.start, w.end, display.shade_of(w.probability, threshold)) for w in words]
        state = text, display.parts_of(text, marks), words
        return display.spans_of(text, marks), display.summary_of(outputs), state

    _on(button.click, find, [text], [shown, summary, analysed], "find_errors")
    if mask is None:
        return
    clicked = gr.Markdown("Click a word for the generator's replacements.")
    table = _table("Replacements", "replacement", "probability")

    def replace(text: str, start: int, end: int) -> Table:
        places = [0, *itertools.accumulate(len(c.encode()) for c in checked(text))]
        if start not in places or end not in places or start >= end:
            raise ValueError(
                f"start and end are expected to be bytes of the text between characters, 0 to "
                f"{places[-1]}, but are start={start} and end={end}."
            )
        (found,) = puzzle.replacements(model, mask, text, [Word(int(start), int(end), 0.0)])
        return [[filling, percent(probability)] for filling, probability in found]

    def look(analysed: tuple[str, list, list], event: gr.SelectData) -> tuple[str, Table]:
        text, parts, words = analysed
        start, end, _ = parts[event.index]
        probability = next((w.probability for w in words if w.start == start), None)
        if probability is None:
            return "This is no word.", []
        part = html.escape(display.part_of(text, start, end))
        return f"{part}: {percent(probability)} that it is an error.", replace(text, start, end)

    _on(shown.select, look, [analysed], [clicked, table])
    gr.api(_answering(replace), api_name="replacements", **ONE_AT_A_TIME)


def add_puzzle(model: LoadedModel, mask: str) -> None:
    """The generator replaces words; a person and the discriminator guess which."""
    pieces, guesses = gr.State([]), gr.State([])
    text = gr.Textbox(ORIGINAL, label="Text", lines=3)
    with gr.Row():
        share = gr.Slider(5, 50, 15, step=5, label="Words to replace, in percent")
        seed = gr.Number(1, label="Number of the next puzzle")
    start = gr.Button("Replace words", variant="primary")
    message = gr.Markdown()
    shown = _coloured("Puzzle", {"your guess": "#2563eb", "fake": "#dc2626"})
    reveal = gr.Button("Show the fakes")
    table = _table("Solution", "word", "original", "you", "discriminator")

    def make(text: str, share: float, seed: float | None) -> tuple[Any, ...]:
        is_seed = seed is not None and 0 <= seed <= MAX_SEED and seed == int(seed)
        check(is_seed, "The number", f"a whole one from 0 to {MAX_SEED}", seed)
        # NaN is none, which a slider lets through.
        check(0 < share <= 100, "The share of words", "5 to 50", share)
        made = puzzle.make_puzzle(model, mask, checked(text), share / 100, int(seed))
        count = len(puzzle.fakes_of(made))
        subject = "1 word was" if count == 1 else f"{count} words were"
        task = f"{subject} replaced: which? Click on words."
        return puzzle.marked(made, [], ""), made, [], (int(seed) + 1) % (MAX_SEED + 1), task, []

    def guess(pieces: list, guesses: list[int], event: gr.SelectData) -> tuple[Spans, list[int]]:
        guesses = puzzle.toggled(guesses, event.index, pieces)
        return puzzle.marked(pieces, guesses, "your guess"), guesses

    def show(pieces: list, guesses: list[int]) -> tuple[Spans, str, Table]:
        if not pieces:
            raise ValueError("There is no puzzle yet: replace words first.")
        rows, sentence = puzzle.solution(model, pieces, guesses)
        return puzzle.marked(pieces, puzzle.fakes_of(pieces), "fake"), sentence, rows

    made = [shown, pieces, guesses, seed, message, table]
    _on(start.click, make, [text, share, seed], made, "make_puzzle")
    _on(shown.select, guess, [pieces, guesses], [shown, guesses])
    _on(reveal.click, show, [pieces, guesses], [shown, message, table], "solve_puzzle")


def add_fill_mask(model: LoadedModel, mask: str) -> None:
    """Gaps in a text, filled by the generator."""
    text = gr.Textbox(f"The {mask} are good, but the story is {mask}.", label="Text", lines=3)
    button = gr.Button("Fill masks", variant="primary")
    shown = gr.HighlightedText(label=f"Each {mask} with the most probable token")
    table = _table("Most probable tokens", "mask", "token", "probability")

    def fill(text: str) -> tuple[Spans, Table]:
        outputs = model.fill_mask([checked(text)])
        if not outputs["num_masks"][0]:
            raise ValueError(f"The text is expected to have {mask} in it, but has none.")
        return display.filled(text, outputs)

    _on(button.click, fill, [text], [shown, table], "fill_mask")


def add_options(model: LoadedModel) -> None:
    """Fillings of a gap, ordered by how original the discriminator finds them."""
    text = gr.Textbox("It was so boring that I fell asleep: {}!", label="Text with a gap {}")
    options = gr.Textbox("wonderful\nterrible\nfunny", label="Options, one in a line", lines=4)
    rule = gr.Dropdown(list(RULES), value="mean_corrected", label="Rule")
    button = gr.Button("Score options", variant="primary")
    table = _table("Log-probabilities of being original, best first", "option", *RULES)

    def score(text: str, options: str, rule: str) -> Table:
        lines = lines_of(options, "The list of options")
        return display.options_table(lines, model.score_options([checked(text)], lines, rule=rule))

    _on(button.click, score, [text, options, rule], [table], "score_options")


# ---- Fine-tuned models

_PREDICTIONS: dict[str, tuple[Callable, Callable]] = {
    "answers": (
        lambda: [
            gr.Markdown(),
            gr.HighlightedText(label="Answer", color_map={"answer": "#16a34a"}),
            _table("Candidates", "answer", "probability"),
        ],
        display.answered,
    ),
    "tags": (lambda: [gr.HighlightedText(label="Tags", show_legend=True)], display.tagged),
    "labels": (
        lambda: [gr.Label(label="Probabilities")],
        lambda _, prediction: display.labelled(prediction),
    ),
    "score": (
        lambda: [gr.Number(label="Score")],
        lambda _, prediction: float(prediction["score"][0]),
    ),
}
"""Output by which a prediction is known -> what shows it, and its value for the last of the texts
and the prediction; the first that fits."""


def _prediction_of(model: LoadedModel) -> str:
    """The key of `_PREDICTIONS` for what a fine-tuned model predicts; "" for other models."""
    names = model.signatures.get("text")
    if not names:
        return ""
    try:
        outputs = model.predict(_row(["a"] * len(names)))
    except ValueError:  # it is not fine-tuned
        return ""
    return next((name for name in _PREDICTIONS if name in outputs), "")


def add_prediction(model: LoadedModel, kind: str) -> None:
    """What a fine-tuned model predicts of a text, of a pair, or of a question and its context."""
    names = [name.replace("_", " ").capitalize() for name in model.signatures["text"]]
    texts = [gr.Textbox(label=name, lines=1 if name == "Question" else 3) for name in names]
    button = gr.Button("Predict", variant="primary")
    make, value_of = _PREDICTIONS[kind]

    def predict(*texts: str) -> Any:
        given = [checked(text, name) for text, name in zip(texts, names, strict=True)]
        return value_of(given[-1], model.predict(_row(given)))

    _on(button.click, predict, texts, make(), "predict")


def _row(texts: Sequence[str]) -> list[Any]:
    """One row for `LoadedModel.predict`, of a text or of several."""
    return list(texts) if len(texts) == 1 else [tuple(texts)]


# ---- Any model


def add_similarity(model: LoadedModel) -> None:
    """How similar sentences are to the model, as a heat map."""
    text = gr.Textbox(SENTENCES, label="Sentences, one in a line", lines=6)
    button = gr.Button("Compare", variant="primary")
    shown = gr.HTML()

    def compare(text: str) -> str:
        lines = lines_of(text, "The list of sentences")
        return display.heat_map(lines, model.similarity(lines, lines))

    _on(button.click, compare, [text], [shown], "similarity")


# ---- Details


def _coloured(label: str, colours: dict[str, str]) -> gr.HighlightedText:
    return gr.HighlightedText(
        label=label, color_map=colours, show_legend=True, show_inline_category=False
    )


def _table(label: str, *headers: str) -> gr.Dataframe:
    return gr.Dataframe(
        headers=list(headers), label=label, datatype="str", interactive=False, wrap=True
    )


def _on(
    event: Callable, function: Callable, inputs: list, outputs: list, api_name: str | None = None
) -> None:
    """Let a function answer an event; under a name it can be called by HTTP, too."""
    visibility = "private" if api_name is None else "public"
    named = {"api_name": api_name, "api_visibility": visibility}
    event(_answering(function), inputs, outputs, **named, **ONE_AT_A_TIME)


def _answering(function: Callable) -> Callable:
    """The function, whose errors are shown on the page, which takes them for HTML."""

    @functools.wraps(function)
    def answer(*args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:
            message = html.escape(str(error) or type(error).__name__, quote=False)
            is_our_fault = not isinstance(error, ValueError)
            raise gr.Error(message, print_exception=is_our_fault) from error

    return answer
