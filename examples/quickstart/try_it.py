# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What to do with the models that the quickstart has made: commands that work as they stand."""

import os
import pathlib
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

import electra_tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRONG_WORDS = (
    ("I have never seen such a bad film in my whole between.", "between"),
    ("The actors are good, but the story is very quickly and boring.", "quickly"),
    ("She plays a young woman who kitchen in a small town.", "kitchen"),
    ("It is a great movie and I would recommend its to everyone.", "its"),
    ("This is one of the best films I have ever carpet.", "carpet"),
    ("The plot make no sense and the ending was terrible.", "make"),
    ("There are many funny scenes, and the music green wonderful.", "green"),
    ("This movie made me laugh and because from beginning to end.", "because"),
)
"""Sentences and the word in each that does not belong there. They were chosen among some more, most
of them because a model of the quickstart found the word: they show what it can do, and measure
nothing."""
SWAPPED = "I have seen better many films than this one."
"""For the fine-tuned model."""


class Suspicion(NamedTuple):
    """What the discriminator holds for the word that was replaced."""

    text: str
    piece: str
    """The token with the highest probability."""
    probability: float
    is_right: bool
    """Whether it lies within the wrong word."""


def find_wrong_words(
    folder: str, texts: Sequence[tuple[str, str]] = WRONG_WORDS
) -> list[Suspicion]:
    """Let the discriminator of a model folder look for the wrong word of each text."""
    outputs = electra_tf.load(folder).replaced_tokens([text for text, _ in texts])
    found = []
    for row, (text, wrong) in enumerate(texts):
        probabilities = outputs["probabilities"][row][: outputs["num_tokens"][row]]
        place = int(probabilities.argmax())
        start, end = int(outputs["starts"][row][place]), int(outputs["ends"][row][place])
        first = text.encode().index(wrong.encode())
        is_right = first <= start and end <= first + len(wrong.encode())
        piece = text.encode()[start:end].decode()
        found.append(Suspicion(text, piece, float(probabilities[place]), is_right))
    return found


def commands(model_dir: str, task: str, text: str) -> list[tuple[str, str]]:
    """What each command does, and the command, to be pasted into a shell.

    Args:
        model_dir: folder of the pre-trained model.
        task: name of the task that it was fine-tuned on.
        text: one whose wrong word is found.
    """
    finetuned = os.path.join(model_dir, "finetuning_models", f"{task}_model_1")
    python = f"""python - <<'END'
import electra_tf
model = electra_tf.load({model_dir!r})
found = model.replaced_tokens([{text!r}])
for token, probability in zip(found["tokens"][0], found["probabilities"][0]):
    print(f"{{probability:4.0%}} {{token}}")
END"""
    rows = [
        (
            "were two words of this sentence swapped?",
            f"echo {shlex.quote(SWAPPED)} |\n"
            f"    electra predict --model-dir {shlex.quote(finetuned)}",
        ),
        ("which word does not belong here?", python),
        (
            "a page in the browser: wrong words, a guessing game, filled masks; needs gradio",
            f"pip install -q -c {shlex.quote(near(ROOT / 'constraints.txt'))} "
            f"-e {shlex.quote(near(ROOT) + '[demo]')} &&\n"
            f"    electra demo --model-dir {shlex.quote(model_dir)}",
        ),
        (
            "curves, and held-out examples with their fakes",
            f"tensorboard --logdir {shlex.quote(os.path.dirname(model_dir))}",
        ),
    ]
    activate = activation()
    return [("the environment, once per shell", activate), *rows] if activate else rows


def activation() -> str | None:
    """The command that activates this Python's environment; None outside of one."""
    if sys.prefix == sys.base_prefix:
        return None
    return f"source {shlex.quote(near(sys.prefix))}/bin/activate"


def near(path: str | os.PathLike[str]) -> str:
    """A path as seen from here, if it is not above."""
    relative = os.path.relpath(path)
    return os.fspath(path) if relative.startswith("..") else relative


def format_commands(rows: Sequence[tuple[str, str]]) -> str:
    """The commands, each below a comment that says what it does."""
    return "\n\n".join(f"# {what}\n{command}" for what, command in rows)


def format_suspicions(found: Sequence[Suspicion]) -> str:
    """How many wrong words were found."""
    right = sum(suspicion.is_right for suspicion in found)
    return (
        f"In {right} of {len(found)} sentences that were chosen to be easy the wrong word is the "
        "most suspicious one."
    )


def best_example(found: Sequence[Suspicion]) -> Suspicion:
    """The surest one that is right; the first one where none is."""
    right = [suspicion for suspicion in found if suspicion.is_right]
    return max(right, key=lambda suspicion: suspicion.probability) if right else found[0]
