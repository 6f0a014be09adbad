# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The quickstart's report as one HTML file that needs no other: tables, picture, sentences."""

import base64
import pathlib
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import quickstart_comparison
import quickstart_report
from quickstart_comparison import Comparison
from quickstart_report import Example

from electra_tf.reports.page import page, table

STYLE = """
span.token { padding: .1em; border-radius: .2em; } span.fake { border-bottom: 3px solid #06c; }
"""
"""Beside that of all reports."""


def make_page(
    title: str,
    metrics: Mapping[str, float],
    comparison: Comparison,
    share: float,
    examples: Sequence[Example],
    picture: pathlib.Path,
    try_it: str,
) -> str:
    """The report as HTML.

    Args:
        title: its heading.
        metrics: on held-out text.
        comparison: of fine-tuned models.
        share: of the whole run's steps.
        examples: sentences with fakes.
        picture: PNG file of the losses.
        try_it: what to do next, plain text.
    """
    image = base64.b64encode(picture.read_bytes()).decode()
    parts = [
        f'<img alt="losses" src="data:image/png;base64,{image}">',
        "<h2>On held-out reviews</h2>",
        table(
            ("", "model", "trivial", "what is trivial"),
            [
                (name, f"{value:.3f}", f"{trivial:.3f}", how)
                for name, value, trivial, how in quickstart_report.metric_rows(metrics)
            ],
        ),
        "<h2>Held-out sentences</h2>",
        "<p>Underlined words are the generator's fakes; hovering shows what stood there. The "
        "redder a word, the more probable the discriminator holds it to be a fake; it saw no "
        "underlines.</p>",
        *(f"<p>{sentence(example)}</p>" for example in examples),
        "<h2>Were two neighbouring words of a sentence swapped?</h2>",
        table(
            ("accuracy in percent", "median", "seeds"),
            [
                (
                    name,
                    f"{np.median(seeds):.1f}",
                    ", ".join(f"{s:.1f}" for s in seeds) if len(seeds) > 1 else "",
                )
                for name, seeds in quickstart_comparison.rows_of(comparison)
            ],
        ),
        f"<p>{escape(' '.join(quickstart_comparison.verdict(comparison, share)))}</p>",
        "<h2>Try it</h2>",
        f"<pre>{escape(try_it)}</pre>",
    ]
    return page(title, parts, STYLE)


def sentence(example: Example) -> str:
    """The tokens of a corrupted sentence, coloured by how fake each looks."""
    text = ""
    for original, token, probability in zip(*example, strict=True):
        space = "" if token.startswith("##") or not text else " "
        kind, hint = "token", f"{probability:.0%} fake"
        if token != original:
            kind, hint = "token fake", f"{hint}; was: {original.removeprefix('##')}"
        text += (
            f'{space}<span class="{kind}" title="{escape(hint)}" '
            f'style="background: rgba(220, 40, 40, {probability:.2f})">'
            f"{escape(token.removeprefix('##'))}</span>"
        )
    return text
