# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Line charts as SVG text: curves, points, a band, reference lines. No library, no script."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 52
"""Pixels around the plot, for title, ticks and legend."""
COLOURS = ("#1f6fb4", "#d1642c", "#2f8f4e", "#8a55b5", "#b5388b", "#777722")
BAND = "#1f6fb4"
REFERENCE = "#666"


class Curve(NamedTuple):
    """A line, or points."""

    name: str
    """In the legend; empty for the only one, which the title names."""
    steps: Sequence[float]
    values: Sequence[float]
    is_points: bool = False


class Area(NamedTuple):
    """What lies between two lines."""

    name: str
    steps: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Chart(NamedTuple):
    """One plot over the steps."""

    title: str
    curves: Sequence[Curve]
    area: Area | None = None
    lines: Sequence[tuple[str, float]] = ()
    """Horizontal reference lines: what each is, and its value."""


class _Plane(NamedTuple):
    """Where values are in the picture."""

    right: float
    """The last step."""
    low: float
    high: float

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.right

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def points(self, steps: Sequence[float], values: Sequence[float]) -> str:
        """Coordinates of a line; values that are infinite or NaN are left out."""
        pairs = ((s, v) for s, v in zip(steps, values, strict=True) if math.isfinite(v))
        return " ".join(f"{self.x(step):.1f},{self.y(value):.1f}" for step, value in pairs)


def draw(chart: Chart) -> str:
    """A chart as an `<svg>` element that needs nothing else."""
    plane = _plane(chart)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" font-family="sans-serif" font-size="11">',
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{escape(chart.title)}</text>',
        *_axes(plane),
    ]
    legend = []
    if chart.area is not None:
        area = chart.area
        outline = plane.points(
            [*area.steps, *reversed(area.steps)], [*area.low, *reversed(area.high)]
        )
        parts.append(f'<polygon points="{outline}" fill="{BAND}" fill-opacity="0.18"/>')
        legend.append((area.name, BAND, 0.3))
    for name, value in chart.lines:
        if plane.low <= value <= plane.high:
            y = plane.y(value)
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{REFERENCE}" stroke-dasharray="5 4"/>'
                f'<text x="{WIDTH - RIGHT - 2}" y="{y - 3:.1f}" text-anchor="end" '
                f'fill="{REFERENCE}">{escape(name)}</text>'
            )
    for number, curve in enumerate(chart.curves):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(_line(plane, curve, colour))
        if curve.name:
            legend.append((curve.name, colour, 1.0))
    return "\n".join([*parts, *_legend(legend), "</svg>"])


def _plane(chart: Chart) -> _Plane:
    """Room for the curves and what of the band is near; reference lines where they fit in."""
    steps = [step for curve in chart.curves for step in curve.steps]
    values = [v for curve in chart.curves for v in curve.values if math.isfinite(v)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = high - low or abs(high) or 1.0
    if chart.area is not None:
        low = min(low, max(min(chart.area.low), low - room))
        high = max(high, min(max(chart.area.high), high + room))
    for _, value in chart.lines:
        if low - room <= value <= high + room:
            low, high = min(low, value), max(high, value)
    pad = 0.06 * (high - low or abs(high) or 1.0)
    return _Plane(max([*steps, 1]), low - pad if low < 0 or low > pad else 0.0, high + pad)


def _axes(plane: _Plane) -> list[str]:
    parts, bottom = [], HEIGHT - BOTTOM
    for value in ticks(plane.low, plane.high):
        y = plane.y(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        )
    for step in ticks(0, plane.right):
        x = plane.x(step)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" stroke="#eee"/>'
            f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{_short(step)}</text>'
        )
    parts.append(
        f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="#444"/>'
        f'<text x="{WIDTH - RIGHT}" y="{bottom + 28}" text-anchor="end" fill="#444">step</text>'
    )
    return parts


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About so many round numbers between two: `ticks(0, 3500)` is [0, 1000, 2000, 3000]."""
    rough = (high - low) / count
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    """1500000 -> "1.5M"."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.4g}{letter}"
    return f"{value:.4g}"


def _line(plane: _Plane, curve: Curve, colour: str) -> str:
    points = plane.points(curve.steps, curve.values)
    if not curve.is_points and len(points.split()) > 1:
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.7"/>'
    pairs = (point.split(",") for point in points.split())
    return "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in pairs)


def _legend(entries: Sequence[tuple[str, str, float]]) -> list[str]:
    """Below the plot: name, colour and opacity of each."""
    parts, x = [], float(LEFT)
    for name, colour, opacity in entries:
        parts.append(
            f'<rect x="{x:.0f}" y="{HEIGHT - 15}" width="12" height="8" fill="{colour}" '
            f'fill-opacity="{opacity}"/>'
            f'<text x="{x + 16:.0f}" y="{HEIGHT - 7}">{escape(name)}</text>'
        )
        x += 30 + 6.2 * len(name)
    return parts
