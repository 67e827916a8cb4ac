"""Small plots as inline SVG: no library, no network, readable in print and in dark mode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

#: Okabe and Ito's colours, which colour-blind people can tell apart
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00")
GREY = "#888888"  #: of baselines
CHANCE = "#bbbbbb"  #: of lines that a plot is read against: chance, the ideal

WIDTH, HEIGHT = 340, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 40


@dataclass(frozen=True)
class Line:
    """One line of a plot."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dash: str = ""  #: an SVG dash pattern; empty: solid
    dots: bool = False


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis."""

    label: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Position of a value between the ends: 0 to 1, clipped.

        Args:
            value: Number in the unit of the axis.
        """
        if self.log:
            value, low, high = (math.log10(max(v, 1e-12)) for v in (value, self.low, self.high))
        else:
            low, high = self.low, self.high
        return min(1.0, max(0.0, (value - low) / (high - low) if high > low else 0.0))

    def ticks(self) -> list[float]:
        """Round numbers between the ends."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = _round_step((self.high - self.low) / 5.0)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def line_plot(title: str, lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """A plot of lines with axes, ticks and a legend below it, as an HTML figure.

    Args:
        title: Text above the plot, also read by screen readers.
        lines: Drawn in this order, the last on top.
        x: Horizontal axis.
        y: Vertical axis.
    """
    inside = "".join(_line(line, x, y) for line in lines)
    legend = "".join(_key(line) for line in lines)
    return (
        f'<figure class="plot"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f'{_axes(x, y)}{inside}</svg><ul class="legend">{legend}</ul></figure>'
    )


def interval_bar(value: float, low: float, high: float, axis: Axis, baseline: bool) -> str:
    """A dot with its 95 % interval on a common axis, 110 x 14.

    Args:
        value: Number in the unit of the axis.
        low: Lower end of the interval, in the unit of the axis; NaN: no bar.
        high: Upper end of the interval, likewise.
        axis: Range that the rail stands for.
        baseline: Draw in the colour of baselines.
    """
    if not math.isfinite(value):
        return ""
    at = 5 + 100 * axis.place(value)
    kind = "baseline" if baseline else "model"
    bar = ""
    if math.isfinite(low) and math.isfinite(high):
        ends = 5 + 100 * axis.place(low), 5 + 100 * axis.place(high)
        bar = f'<line x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="7" y2="7"/>'
    return (
        f'<svg class="bar {kind}" viewBox="0 0 110 14" aria-hidden="true">'
        f'<line class="rail" x1="5" x2="105" y1="7" y2="7"/>{bar}<circle cx="{at:.1f}" cy="7" r="3.2"/></svg>'
    )


def _point(x: float, y: float, x_axis: Axis, y_axis: Axis) -> tuple[float, float]:
    across = LEFT + (WIDTH - LEFT - RIGHT) * x_axis.place(x)
    return across, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y_axis.place(y)


def _line(line: Line, x: Axis, y: Axis) -> str:
    points = [_point(a, b, x, y) for a, b in zip(line.x, line.y, strict=True) if math.isfinite(a + b)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{line.colour}"/>' for a, b in points)
    return (
        f'<g><title>{escape(line.name)}</title><polyline points="{path}" fill="none" stroke="{line.colour}" '
        f'stroke-width="1.8"{dash}/>{dots if line.dots else ""}</g>'
    )


def _key(line: Line) -> str:
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    sample = f'<line x1="0" x2="24" y1="5" y2="5" stroke="{line.colour}" stroke-width="2"{dash}/>'
    return f'<li><svg viewBox="0 0 24 10" aria-hidden="true">{sample}</svg>{escape(line.name)}</li>'


def _axes(x: Axis, y: Axis) -> str:
    parts: list[str] = []
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in x.ticks():
        at, _ = _point(tick, y.low, x, y)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 14}" text-anchor="middle">{tick:g}</text>')
    for tick in y.ticks():
        _, at = _point(x.low, tick, x, y)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{tick:.6g}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.label)}</text>')
    up = (TOP + bottom) / 2
    parts.append(
        f'<text x="12" y="{up}" text-anchor="middle" transform="rotate(-90 12 {up})">{escape(y.label)}</text>'
    )
    return "".join(parts)


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(n * power for n in (1.0, 2.0, 5.0, 10.0) if n * power >= rough * (1 - 1e-9))
