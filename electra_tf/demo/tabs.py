# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tabs of the page, laid out with gradio: one function for each thing that a model can do."""

import functools
import html
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from electra_tf.demo import display, puzzle
from electra_tf.demo.display import Word
from electra_tf.loading import LoadedModel
from electra_tf.serving.options import RULES

MAX_CHARACTERS = 4000
"""Of a text."""
MAX_LINES = 24
"""Of sentences to compare."""
SENTENCE = "I have never seen such a bad film in my whole between."
ORIGINAL = "The actors are good, but the story is very slow, and nobody in it knows why."
SENTENCES = "\n".join(
    ("The music is wonderful.", "I liked the songs.", "The ending was terrible.", ORIGINAL)
)


def add_tabs(model: LoadedModel) -> list[str]:
    """Add the tabs for what a model can do to the page; returns their titles."""
    can = model.signatures
    title, add_prediction = _prediction(model) or ("", None)
    rows = [
        ("Wrong words", add_wrong_words, "find_errors" in can),
        ("Guess the fakes", add_puzzle, {"find_errors", "fill_mask"} <= can.keys()),
        ("Fill masks", add_fill_mask, "fill_mask" in can),
        ("Score options", add_options, "score_options" in can),
        (title, add_prediction, add_prediction),
        ("Similarity", add_similarity, set(can.get("features", ())) == {"text", "layer"}),
    ]
    wanted = [(title, add) for title, add, is_there in rows if is_there]
    for title, add in wanted:
        with gr.Tab(title):
            add(model)
    return [title for title, _ in wanted]


def checked(text: str | None, name: str = "The text") -> str:
    """A text that is neither empty nor too long.

    Raises:
        ValueError: it is one of them.
    """
    text = text or ""
    if not text.strip():
        raise ValueError(f"{name} is empty; at least one word is expected.")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"{name} is expected to have at most {MAX_CHARACTERS:,} characters, but has "
            f"{len(text):,}."
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


def add_wrong_words(model: LoadedModel) -> None:
    """Words coloured by how wrong they look; a click shows what the generator would write."""
    analysed = gr.State()
    text = gr.Textbox(SENTENCE, label="Text", lines=3)
    button = gr.Button("Find wrong words", variant="primary")
    shown = gr.HighlightedText(
        label="How wrong words look",
        color_map=display.SHADES,
        show_legend=True,
        show_inline_category=False,
    )

    summary = gr.Markdown()

    def find(text: str) -> tuple[display.Spans, str, Any]:
        outputs = model.find_errors([checked(text)])
        words, threshold = display.words_of(text, outputs), outputs["threshold"][0]
        marks = [(w.start, w.end, display.shade_of(w.probability, threshold)) for w in words]
        parts = display.parts_of(text, marks)
        return display.spans_of(text, marks), display.findings(outputs), (text, parts, words)

    _on(button.click, find, [text], [shown, summary, analysed], "find_errors")
    if "fill_mask" not in model.signatures:
        return
    clicked = gr.Markdown("Click a word for the generator's replacements.")
    table = _table(["replacement", "probability"], "Replacements")

    def replace(text: str, start: int, end: int) -> display.Table:
        size = len(checked(text).encode())
        if not 0 <= start < end <= size:
            raise ValueError(
                f"start and end are expected to be bytes of the text, 0 to {size}, but are {start} "
                f"and {end}."
            )
        found = puzzle.replacements(model, text, Word(int(start), int(end), 0.0))
        return [[filling, display.percent(p)] for filling, p in found]

    def look(analysed: tuple[str, list, list], event: gr.SelectData) -> tuple[str, display.Table]:
        text, parts, words = analysed
        start, end, _ = parts[event.index]
        part = display.part_of(text, start, end)
        if not display.has_letters(part):
            return "This is no word.", []
        probability = next(w.probability for w in words if w.start == start)
        said = f"{html.escape(part)}: {display.percent(probability)} that it is an error."
        return said, replace(text, start, end)

    _on(shown.select, look, [analysed], [clicked, table])
    gr.api(_answering(replace), api_name="replacements")


def add_puzzle(model: LoadedModel) -> None:
    """The generator replaces words; a person and the discriminator guess which."""
    pieces, guesses = gr.State([]), gr.State([])
    text = gr.Textbox(ORIGINAL, label="Text", lines=3)
    with gr.Row():
        share = gr.Slider(5, 50, 15, step=5, label="Words to replace, in percent")
        seed = gr.Number(1, precision=0, minimum=0, label="Number of the next puzzle")
    start = gr.Button("Replace words", variant="primary")
    result = gr.Markdown()
    shown = gr.HighlightedText(
        label="Puzzle",
        color_map={"your guess": "#2563eb", "fake": "#dc2626"},
        show_inline_category=False,
        show_legend=True,
    )
    reveal = gr.Button("Show the fakes")
    table = _table(["word", "original", "you", "discriminator"], "Solution")

    def make(text: str, share: float, seed: float) -> tuple[Any, ...]:
        if seed is None or seed < 0:
            raise ValueError(f"The number is expected to be at least 0, but is {seed}.")
        made = puzzle.make_puzzle(model, checked(text), share / 100, int(seed))
        count = len(puzzle.fakes_of(made))
        task = (
            f"{count} {'word was' if count == 1 else 'words were'} replaced: which? Click on words."
        )
        return puzzle.marked(made, []), made, [], int(seed) + 1, task, []

    def guess(pieces: list, guesses: list[int], event: gr.SelectData) -> tuple[Any, ...]:
        guesses = puzzle.toggled(guesses, event.index, pieces)
        return puzzle.marked(pieces, guesses), guesses

    def show(pieces: list, guesses: list[int]) -> tuple[display.Spans, str, display.Table]:
        if not pieces:
            raise ValueError("There is no puzzle yet: replace words first.")
        spans, rows, sentence = puzzle.solution(model, pieces, guesses)
        return spans, sentence, rows

    made = [shown, pieces, guesses, seed, result, table]
    _on(start.click, make, [text, share, seed], made, "make_puzzle")
    _on(shown.select, guess, [pieces, guesses], [shown, guesses])
    _on(reveal.click, show, [pieces, guesses], [shown, result, table], "solve_puzzle")


def add_fill_mask(model: LoadedModel) -> None:
    """Gaps in a text, filled by the generator."""
    mask = puzzle.mask_of(model)
    text = gr.Textbox(f"The {mask} are good, but the story is {mask}.", label="Text", lines=3)
    button = gr.Button("Fill masks", variant="primary")
    shown = gr.HighlightedText(label=f"Each {mask} with the most probable token")
    table = _table(["mask", "token", "probability"], "Most probable tokens")

    def fill(text: str) -> tuple[display.Spans, display.Table]:
        outputs = model.fill_mask([checked(text)])
        if not outputs["num_masks"][0]:
            raise ValueError(f"The text is expected to have {mask} in it, but has none.")
        return display.filled_text(text, outputs), display.fillings_table(outputs)

    _on(button.click, fill, [text], [shown, table], "fill_mask")


def add_options(model: LoadedModel) -> None:
    """Fillings of a gap, ordered by how original the discriminator finds them."""
    text = gr.Textbox(
        "It was so boring that I fell asleep: {}!", label="Text with a gap {}", lines=2
    )
    options = gr.Textbox("wonderful\nterrible\nfunny", label="Options, one in a line", lines=4)
    rule = gr.Dropdown(list(RULES), value=RULES[0], label="Rule")
    button = gr.Button("Score options", variant="primary")
    table = _table(["option", *RULES], "Log-probabilities of being original, best first")

    def score(text: str, options: str, rule: str) -> display.Table:
        lines = lines_of(options, "The list of options")
        return display.options_table(lines, model.score_options([checked(text)], lines, rule=rule))

    _on(button.click, score, [text, options, rule], [table], "score_options")


# ---- Fine-tuned models


def add_labels(model: LoadedModel) -> None:
    """Labels of a text, or of a pair of texts, with their probabilities."""
    texts, button = _inputs(model)
    shown = gr.Label(label="Probabilities")

    def predict(*texts: str) -> dict[str, float]:
        return display.labels_of(model.predict(_rows(texts)))

    _on(button.click, predict, texts, [shown], "predict")


def add_score(model: LoadedModel) -> None:
    """The score of a text, or of a pair of texts."""
    texts, button = _inputs(model)
    shown = gr.Number(label="Score")

    def predict(*texts: str) -> float:
        return float(model.predict(_rows(texts))["score"][0])

    _on(button.click, predict, texts, [shown], "predict")


def add_tags(model: LoadedModel) -> None:
    """Entities in colour, or words with their tags."""
    texts, button = _inputs(model)
    shown = gr.HighlightedText(label="Tags", show_legend=True)

    def predict(text: str) -> display.Spans:
        return display.tagged_spans(text, model.predict(_rows([text])))

    _on(button.click, predict, texts, [shown], "predict")


def add_answers(model: LoadedModel) -> None:
    """The answer of a question, marked in its passage."""
    texts, button = _inputs(model)
    result = gr.Markdown()
    shown = gr.HighlightedText(label="Answer", color_map={"answer": "#16a34a"})
    table = _table(["answer", "probability"], "Candidates")

    def predict(question: str, context: str) -> tuple[str, display.Spans, display.Table]:
        outputs = model.predict(_rows([question, context]))
        is_answered = bool(outputs.get("is_answered", [True])[0])
        sentence = "" if is_answered else "The passage does not answer this, says the model."
        spans = display.answer_spans(context, outputs)
        return sentence, spans, display.answers_table(outputs)

    _on(button.click, predict, texts, [result, shown, table], "predict")


_PREDICTIONS = {
    "answers": ("Answers", add_answers),
    "tags": ("Tags", add_tags),
    "labels": ("Labels", add_labels),
    "score": ("Score", add_score),
}
"""Output by which a prediction is known -> its tab; the first that fits."""


def _prediction(model: LoadedModel) -> tuple[str, Callable[[LoadedModel], None]] | None:
    """The tab for what a fine-tuned model predicts; None for another model."""
    names = model.signatures.get("text")
    if not names:
        return None
    try:
        outputs = model.predict(_rows(["a"] * len(names)))
    except ValueError:  # it is not fine-tuned
        return None
    return next((tab for name, tab in _PREDICTIONS.items() if name in outputs), None)


def _inputs(model: LoadedModel) -> tuple[list[gr.Textbox], gr.Button]:
    names = [name.replace("_", " ").capitalize() for name in model.signatures["text"]]
    texts = [gr.Textbox(label=name, lines=1 if name == "Question" else 3) for name in names]
    return texts, gr.Button("Predict", variant="primary")


def _rows(texts: Sequence[str]) -> list[str] | list[tuple[str, ...]]:
    """One row for `LoadedModel.predict`, of a text or of several."""
    texts = tuple(checked(text, f"Text {number + 1}") for number, text in enumerate(texts))
    return [texts] if len(texts) > 1 else list(texts)


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


def _table(headers: list[str], label: str) -> gr.Dataframe:
    return gr.Dataframe(headers=headers, label=label, datatype="str", interactive=False, wrap=True)


def _on(
    event: Callable, function: Callable, inputs: list, outputs: list, api_name: str | None = None
) -> None:
    """Let a function answer an event; under a name it can be called by HTTP, too."""
    visibility = "private" if api_name is None else "public"
    event(_answering(function), inputs, outputs, api_name=api_name, api_visibility=visibility)


def _answering(function: Callable) -> Callable:
    """The function, whose errors that users can mend are shown on the page."""

    @functools.wraps(function)
    def answer(*args: Any) -> Any:
        try:
            return function(*args)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return answer
