"""Tables: rich on a terminal, aligned lines elsewhere, one block for each row where it is narrow.

Cells may hold what a host said: they are made printable here, and never read as markup.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click
from rich.cells import cell_len

from orchestrator.cli.words import t
from orchestrator.model.text import printable

CELL = 60
"""Longest cell; what is longer ends in '…'."""


def width() -> int | None:
    """Columns of the terminal on standard output; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def plain() -> bool:
    """Whether colours are unwanted (no-color.org) or the terminal has none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def colours() -> bool:
    """Whether colours are wanted: on a terminal that has them."""
    return sys.stdout.isatty() and not plain()


def styled(text: str, colour: str) -> str:
    """The text in a colour, where colours are wanted."""
    return click.style(text, fg=colour) if colours() else text


def table(header: Sequence[str], rows: Sequence[Sequence[str]], columns: int | None) -> str:
    """Header and rows, for a terminal of so many columns (None: no terminal).

    Where the table is wider than the terminal each row becomes a block of lines `HEADER value`.
    """
    header = [t(name) for name in header]
    cells = [[printable(cell, CELL) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(header, *cells, strict=True)]
    if columns is not None and sum(widths) + 3 * len(widths) + 1 > columns:
        return _blocks(header, cells)
    if columns is not None:
        return _rich(header, cells, columns)
    lines = [
        "  ".join(
            f"{cell}{' ' * (w - cell_len(cell))}" for cell, w in zip(row, widths, strict=True)
        )
        for row in ([*header], *cells)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _blocks(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first cell as a heading, the others below it, one a line."""
    indent = max(map(len, header[1:]))
    blocks = [
        "\n".join(
            [row[0]]
            + [
                f"  {name:<{indent}}  {cell}"
                for name, cell in zip(header[1:], row[1:], strict=True)
            ]
        )
        for row in rows
    ]
    return "\n".join(blocks)


def _rich(header: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(*header, box=box.SQUARE)
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    console = Console(width=columns, highlight=False, no_color=not colours(), color_system=None)
    with console.capture() as capture:
        console.print(grid)
    return capture.get().rstrip("\n")


def hang(line: str, indent: int, columns: int | None) -> str:
    """A line that is wider than the terminal goes on below, indented; elsewhere it stays whole."""
    if columns is None or cell_len(line) <= columns:
        return line
    indent = indent if indent <= columns // 2 else 4
    lines, current, bare = [], line[:indent], True
    for word in line[indent:].split():
        if not bare and cell_len(f"{current} {word}") > columns:
            lines.append(current)
            current, bare = " " * indent, True
        current += word if bare else f" {word}"
        bare = False
    return "\n".join([*lines, current])


def fitted(
    rows: Sequence[Sequence[str]],
    forms: Sequence[str],
    spare: Sequence[int],
    columns: int | None,
) -> str:
    """Aligned lines; where the terminal is too narrow, without the spare columns, one by one.

    `forms` aligns each column (`>4`, `<20`, the last as it is), which is wider where a cell is, as
    in another language. What is still too wide goes on below. Without a terminal (None) nothing
    is left out.
    """
    widths = [
        max(int(form[1:]), *(cell_len(row[n]) for row in rows)) if form else 0
        for n, form in enumerate(forms)
    ]
    aligned = [[_aligned(*one) for one in zip(row, forms, widths, strict=True)] for row in rows]
    kept = list(range(len(forms)))
    for left_out in (None, *spare):
        kept = [n for n in kept if n != left_out]
        lines = ["  ".join(row[n] for n in kept).rstrip() for row in aligned]
        if columns is None or max(map(cell_len, lines)) <= columns:
            break
    indent = sum(widths[n] + 2 for n in kept if forms[n])
    return "\n".join(hang(line, indent, columns) for line in lines)


def _aligned(cell: str, form: str, width: int) -> str:
    room = " " * (width - cell_len(cell))
    return f"{room}{cell}" if form.startswith(">") else f"{cell}{room}"
