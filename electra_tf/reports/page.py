# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A page of HTML that needs no other file and no network: heading, parts, tables."""

from collections.abc import Sequence
from html import escape

BEGINNING = '<!DOCTYPE html>\n<html><head><meta name="generator" content="electra_tf">'
"""Of every page, by which this program knows its own."""
STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; } td, th { padding: .2em .8em; text-align: left; }
td.number { text-align: right; } tr { border-bottom: 1px solid #ddd; }
pre { background: #f4f4f4; padding: .8em; overflow-x: auto; } img, svg { max-width: 100%; }
p.finding { border-left: 4px solid #d1642c; padding-left: .8em; }
p.healthy { border-left: 4px solid #2f8f4e; padding-left: .8em; }
"""


def page(title: str, parts: Sequence[str], style: str = "") -> str:
    """A whole page.

    Args:
        title: plain text, also its heading.
        parts: HTML.
        style: CSS beside `STYLE`.
    """
    name = escape(title)
    head = f'<meta charset="utf-8"><title>{name}</title><style>{STYLE}{style}</style>'
    body = "\n".join([f"<h1>{name}</h1>", *parts])
    return f"{BEGINNING}{head}</head><body>\n{body}\n</body></html>\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, plain text; those that are numbers stand to the right."""
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>"]
    for row in rows:
        cells = [
            f'<td class="number">{cell}</td>'
            if cell.replace(".", "", 1).isdigit()
            else f"<td>{escape(cell)}</td>"
            for cell in row
        ]
        lines.append("<tr>" + "".join(cells) + "</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def paragraph(text: str, kind: str = "") -> str:
    """Plain text as a paragraph of a class of the style."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"
