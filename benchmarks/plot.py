"""Small charts as SVG: lines over a logarithmic axis, and groups of bars. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 460, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 40, 44
INK, FAINT = "#1f2937", "#d1d5db"


@dataclass(frozen=True)
class Series:
    """A contender's name, colour and value for each number of hosts."""

    name: str
    colour: str
    values: Mapping[int, float]


@dataclass(frozen=True)
class Scale:
    """The vertical axis: from 0 (or `least`, when logarithmic) to `most`, with its marks."""

    marks: Sequence[float]
    logarithmic: bool

    def height(self, value: float) -> float:
        """Where a value stands."""
        low, high = self.marks[0], self.marks[-1]
        if self.logarithmic:
            share = math.log(max(value, low) / low) / math.log(high / low)
        else:
            share = (value - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def scale_for(values: Sequence[float], *, logarithmic: bool) -> Scale:
    """Marks that reach over all values; powers of ten and their halves when logarithmic."""
    if logarithmic:
        marks = [a * 10.0**n for n in range(-4, 6) for a in (1, 3)]
        below = [m for m in marks if m <= min(values)]
        above = [m for m in marks if m >= max(values)]
        return Scale([m for m in marks if below[-1] <= m <= above[0]], True)
    step = 10.0 ** math.floor(math.log10(max(values)))
    while max(values) / step < 4:
        step /= 2
    return Scale([n * step for n in range(math.ceil(max(values) / step) + 1)], False)


def text(x: float, y: float, words: str, *, anchor: str = "middle", size: int = 11) -> str:
    """A label."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{INK}">{escape(words)}</text>')  # fmt: skip


def _number(value: float) -> str:
    return f"{value:g}" if value < 1000 else f"{value:,.0f}"


def frame(title: str, scale: Scale) -> list[str]:
    """Title, grid and the marks of the vertical axis."""
    parts = [text(LEFT, 18, title, anchor="start", size=13)]
    for mark in scale.marks:
        y = scale.height(mark)
        line = f'x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"'
        parts.append(f'<line {line} stroke="{FAINT}"/>')
        parts.append(text(LEFT - 6, y + 4, _number(mark), anchor="end"))
    return parts


def lines(title: str, series: Sequence[Series]) -> list[str]:
    """Each series as a line over the number of hosts, both axes logarithmic."""
    sizes = sorted({size for one in series for size in one.values})
    scale = scale_for([v for one in series for v in one.values.values()], logarithmic=True)
    first, last = math.log(sizes[0]), math.log(max(sizes[-1], sizes[0] + 1))

    def place(size: int) -> float:
        return LEFT + 16 + (math.log(size) - first) / (last - first) * (WIDTH - LEFT - RIGHT - 32)

    parts = frame(title, scale)
    parts += [text(place(size), HEIGHT - BOTTOM + 16, str(size)) for size in sizes]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 34, "hosts"))
    for one in series:
        points = [(place(n), scale.height(v)) for n, v in sorted(one.values.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{one.colour}" '
                     'stroke-width="2"/>')  # fmt: skip
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{one.colour}"/>'
                  for x, y in points]  # fmt: skip
    return parts


def bars(title: str, series: Sequence[Series], *, logarithmic: bool) -> list[str]:
    """For each number of hosts one bar for each series, with its value above."""
    sizes = sorted({size for one in series for size in one.values})
    scale = scale_for([v for one in series for v in one.values.values()], logarithmic=logarithmic)
    group = (WIDTH - LEFT - RIGHT) / len(sizes)
    width = min(34.0, group * 0.88 / len(series))
    parts = frame(title, scale)
    for index, size in enumerate(sizes):
        middle = LEFT + group * (index + 0.5)
        parts.append(text(middle, HEIGHT - BOTTOM + 16, f"{size} hosts"))
        present = [one for one in series if size in one.values]
        for number, one in enumerate(present):
            x = middle + (number - len(present) / 2) * width
            y = scale.height(one.values[size])
            parts.append(f'<rect x="{x + 1:.1f}" y="{y:.1f}" width="{width - 2:.1f}" '
                         f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{one.colour}"/>')  # fmt: skip
            parts.append(text(x + width / 2, y - 4, f"{one.values[size]:.1f}", size=9))
    return parts


def legend(series: Sequence[Series]) -> Callable[[int], list[str]]:
    """The names beside their colours, two in a row, from height `y` on."""

    def draw(y: int) -> list[str]:
        parts = []
        for index, one in enumerate(series):
            x, line = LEFT + (index % 3) * 290, y + (index // 3) * 20
            box = f'x="{x}" y="{line - 10}" width="12" height="12"'
            parts.append(f'<rect {box} fill="{one.colour}"/>')
            parts.append(text(x + 18, line, one.name, anchor="start"))
        return parts

    return draw


def picture(words: str, charts: Sequence[Sequence[str]], series: Sequence[Series]) -> str:
    """Charts side by side with one legend; `words` describe it to those who cannot see it."""
    width = WIDTH * len(charts)
    height = HEIGHT + 20 + 20 * ((len(series) + 2) // 3)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" role="img">',
        f"<title>{escape(words)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index, chart in enumerate(charts):
        parts += [f'<g transform="translate({index * WIDTH} 0)">', *chart, "</g>"]
    parts += [*legend(series)(HEIGHT + 14), "</svg>"]
    return "\n".join(parts) + "\n"
