"""YAML with line numbers and without duplicate keys, so that an error can say where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

PathKey = tuple[str | int, ...]


@dataclass
class Located:
    """A document's plain value, the line (from 1) of every path, and duplicate keys found."""

    value: Any = None
    lines: dict[PathKey, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)  # (line, what is wrong)


def load_located(text: str) -> Located:
    """Parse YAML text; syntax errors and duplicate keys become problems, never exceptions."""
    located = Located()
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        located.problems.append((line, f"not valid YAML: {error.problem or error.context}"))
        return located
    except yaml.YAMLError as error:
        located.problems.append((1, f"not valid YAML: {error}"))
        return located
    if node is not None:
        located.value = _value(node, (), located)
    return located


def _value(node: yaml.Node, path: PathKey, located: Located) -> Any:
    located.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        out: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if not isinstance(key, str | int):
                located.problems.append((line, "a key must be plain text"))
                continue
            if key in out:
                located.problems.append((line, f"{key!r} stands twice"))
            out[key] = _value(value_node, (*path, key), located)
            located.lines[(*path, key)] = line
        return out
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, i), located) for i, child in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node)
    finally:
        loader.dispose()
    # NIP, dates and phone numbers are text to an office, whatever YAML takes them for.
    if isinstance(node, yaml.ScalarNode) and not isinstance(value, bool | type(None)):
        return value if isinstance(value, int) and str(value) == node.value else node.value
    return value


def line_of(located: Located, path: PathKey) -> int:
    """The line of a path, or of its nearest parent that the document has."""
    while path and path not in located.lines:
        path = path[:-1]
    return located.lines.get(path, 1)
