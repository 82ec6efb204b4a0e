#!/usr/bin/env python3
"""Collects the messages and helps of the program and writes them into the catalogues (.po).

    .venv/bin/python docs/words.py            # adds new messages, drops those that are gone
    .venv/bin/python docs/words.py --missing  # lists what has no translation; exit code 1 if any

A message is found by reading the code, not by a mark beside it, so that none is forgotten: what
errors are raised with, every text of several words in modules that print, helps of commands and
options, and click's own messages. How to translate them: docs/how-to/language.md.
"""

from __future__ import annotations

import ast
import io
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "orchestrator/locale"
ERRORS = ("UsageError", "CannotRunError", "OfficeError", "Stopped", "SopRunError", "ValueError")
SAYING = ("t", "say", "told")
"""Whose first argument is a message: orchestrator/cli/words.py."""
PRINTING = ("cli", "workflow/doctor", "office/", "workflow/schedule.py",
            "workflow/again.py", "workflow/recap.py", "model/schedule.py",
            "sop/machine.py")  # fmt: skip
"""Where every text is for people: modules that print, and those that make their words."""
NO_MESSAGES = ("cli/junit.py", "cli/lab.py", "cli/words.py", "cli/catalogue.py")
"""Read by programs, or the lab's own reports to testers."""
OTHERS = ("lab/",)
"""The lab is for testers of the program and speaks English."""
CLICK = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")
"""Modules of click with messages that sop-run can show."""
PYDANTIC = ("missing", "extra_forbidden", "literal_error", "string_pattern_mismatch",
            "string_too_long", "string_too_short", "string_type", "int_parsing", "int_type",
            "int_from_float", "greater_than_equal", "less_than_equal", "bool_parsing", "bool_type",
            "dict_type", "tuple_type", "model_type", "date_from_datetime_parsing")  # fmt: skip
"""Kinds of mistakes that office.yml can hold."""
WORDS = re.compile(r"[A-Za-z]{2,}[,.:;]? [A-Za-z(]")
WORD = re.compile(r"(?<![-\w])[A-Za-z]{3,}")
SINGLE = (
    "{count} host", "{count} hosts",
    "first", "second", "third", "fourth", "fifth", "last", "needs:", "gives:", "remark:", "ok",
    "All of them", "Hosts", "Documents:", "Archive:", "took", "closed", "working", "FAIL", "HOST",
    "STATE", "ROOT", "PYTHON", "PACKAGES", "FREE", "CLOCK", "BACKUP", "ANTIVIRUS", "VERDICT",
    "REASON", "finding", "findings", "note", "unreachable", "none", "login", "Monday", "Tuesday",
    "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
"""Words that stand alone where they are printed: headings, states."""
MOST_VARIANTS = 32
NO_WORDS = re.compile(
    r"\(\?P|Value error,|\| |orchestrator\.cli\.|.*[a-z]\|[A-Za-z]|doctor namespaces="
)
"""Texts of several words that nobody reads: names of modules, patterns."""


def texts(node: ast.expr, known: dict[str, list[ast.expr]], depth: int = 3) -> list[str] | None:
    """The texts that an expression may be, with {placeholders}; None where it is no text."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [_part(value, known, depth) for value in node.values]
        return ["".join(p) for p in itertools.islice(itertools.product(*parts), MOST_VARIANTS)]
    if isinstance(node, ast.IfExp):
        both = [texts(side, known, depth) for side in (node.body, node.orelse)]
        return [text for side in both for text in side or []] or None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [texts(s, known, depth) or [place(s)] for s in (node.left, node.right)]
        return ["".join(p) for p in itertools.islice(itertools.product(*sides), MOST_VARIANTS)]
    if isinstance(node, ast.Name) and node.id in known and depth:
        found = [texts(value, known, depth - 1) or [] for value in known[node.id]]
        return [text for value in found for text in value] or None
    return None


def _part(node: ast.expr, known: dict[str, list[ast.expr]], depth: int) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    assert isinstance(node, ast.FormattedValue)
    value = node.value
    if isinstance(value, ast.IfExp | ast.Constant | ast.JoinedStr) and node.format_spec is None:
        inner = texts(value, known, depth)
        complete = not isinstance(value, ast.IfExp) or all(
            texts(side, known, depth) for side in (value.body, value.orelse)
        )
        if inner and complete:
            return inner
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, ast.Name) and value.id in known and node.format_spec is None and depth:
        each = [texts(one, known, depth - 1) for one in known[value.id]]
        if all(each):
            return [text for one in each for text in one or []][:MOST_VARIANTS]
    return [place(value)]


def place(node: ast.expr) -> str:
    """The placeholder of a value: `{name}`."""
    return "{" + name_of(node) + "}"


def name_of(node: ast.expr) -> str:
    """A name for a placeholder: the last name within the expression."""
    names = [n.attr if isinstance(n, ast.Attribute) else n.id
             for n in ast.walk(node) if isinstance(n, ast.Attribute | ast.Name)]  # fmt: skip
    if isinstance(node, ast.Call) and not node.args:
        names = names[1:]
    if isinstance(node, ast.Call) and node.args:
        return name_of(node.args[0])
    return (names[0] if names else "value").strip("_") or "value"


def distinct(text: str) -> str:
    """The same text with placeholders of the same name numbered: {day} … {day2}."""
    seen: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        name = match.group(1)
        seen[name] = seen.get(name, 0) + 1
        return "{%s}" % (name + (str(seen[name]) if seen[name] > 1 else ""))

    return re.sub(r"\{([A-Za-z_]+)\}", numbered, text)


def cells(line: str) -> list[str]:
    """The headings of a line that is the head of a table; else the line itself."""
    heads = re.split(r" {2,}", line.strip())
    return heads if len(heads) > 2 and line.isupper() else [line]


def module_files(under: Path) -> Iterator[Path]:
    yield from sorted(under.rglob("*.py"))


def messages() -> Found:
    """Every line of every message → the files that have it."""
    found: Found = {}
    for path in module_files(ROOT / "orchestrator"):
        name = path.relative_to(ROOT / "orchestrator").as_posix()
        if name.startswith(OTHERS) or name in NO_MESSAGES:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for text in _of_module(
            tree, printing=next((p for p in PRINTING if name.startswith(p)), "")
        ):
            for line in itertools.chain.from_iterable(map(cells, text.split("\n"))):
                message = distinct(line.strip())
                bare = re.sub(r"\{\w+\}", "", message)
                if re.search(r"[A-Za-z]{2}", bare) and not NO_WORDS.match(message):
                    found.setdefault(message, set()).add(f"orchestrator/{name}")
    for text in helps():
        found.setdefault(text, set()).add("help")
    from orchestrator.sop.procedure import DEFAULT

    for word in (*SINGLE, *(step.title for step in DEFAULT)):
        found.setdefault(word, set()).add("words")
    from pydantic_core import _pydantic_core

    for kind in _pydantic_core.list_all_errors():
        if kind["type"] in PYDANTIC:
            found.setdefault(kind["message_template_python"], set()).add("pydantic")
    return found


def _of_module(tree: ast.Module, *, printing: str) -> Iterator[str]:
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.Module | ast.ClassDef):
            yield from _of_scope(scope, printing=printing)


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands within a function or module, but not within functions in it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            continue
        yield child
        yield from _own(child)


def _of_scope(scope: ast.AST, *, printing: str) -> Iterator[str]:
    own = list(_own(scope))
    known = _variables(own)
    for node in own:
        if isinstance(node, ast.Call):
            count = 2 if _called(node) in ERRORS else 1 if _called(node) in SAYING else 0
            for argument in node.args[:count]:
                yield from texts(argument, known) or []
    if printing:
        skip = _no_messages(own)
        for node in own:
            if id(node) not in skip and isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
                loose = printing == "cli" and isinstance(node, ast.JoinedStr)
                for text in texts(node, known) or []:
                    if (WORD if loose else WORDS).search(re.sub(r"\{\w+\}", "", text)):
                        yield text


def _variables(own: list[ast.AST]) -> dict[str, list[ast.expr]]:
    """What is assigned to each name, for names that stand in messages."""
    known: dict[str, list[ast.expr]] = {}
    for node in own:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _assigned(target, node.value, known)
    for node in own:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            known.pop(node.target.id, None)  # pieced together: its parts are messages, if any
    return known


def _no_messages(own: list[ast.AST]) -> set[int]:
    """Docstrings, options' own words (helps are read elsewhere), and parts of longer texts."""
    skip: set[int] = set()
    for node in own:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skip.add(id(node.value))
        elif isinstance(node, ast.JoinedStr | ast.BinOp):
            skip |= {id(n) for n in ast.walk(node) if n is not node and isinstance(n, ast.Constant)}
        elif isinstance(node, ast.keyword) and node.arg in ("help", "metavar", "epilog"):
            skip |= {id(n) for n in ast.walk(node)}
    return skip


def _assigned(target: ast.expr, value: ast.expr, known: dict[str, list[ast.expr]]) -> None:
    if isinstance(target, ast.Name):
        known.setdefault(target.id, []).append(value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            _assigned(one, its, known)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def helps() -> Iterator[str]:
    """Paragraphs of the helps of commands, and the helps of options."""
    from orchestrator.cli import cli
    from orchestrator.cli.catalogue import paragraphs

    waiting: list[click.Command] = [cli]
    while waiting:
        command = waiting.pop()
        yield from (p for p in paragraphs(command.help or "") if p)
        yield from (p.help for p in command.params if isinstance(p, click.Option) and p.help)
        if isinstance(command, click.Group):
            context = click.Context(command)
            found = (command.get_command(context, n) for n in command.list_commands(context))
            waiting += [one for one in found if one is not None]


def click_messages() -> Found:
    """What click itself says, from its source."""
    found: Found = {"required": {"click"}}
    for module in CLICK:
        path = Path(str(click.__file__)).parent / f"{module}.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in ("_", "ngettext"):
                given = [a.value for a in node.args if isinstance(a, ast.Constant)]
                words = tuple(w for w in given if isinstance(w, str))
                if words:
                    key = words[0] if len(words) == 1 else (words[0], words[1])
                    found.setdefault(key, set()).add("click")
    return found


Found = dict[str | tuple[str, str], set[str]]
DOMAINS: dict[str, Callable[[], Found]] = {"sop-run": messages, "click": click_messages}
HEAD = """# {domain} in Indonesian; how to correct it: docs/how-to/language.md
msgid ""
msgstr ""
"Language: id\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def known(path: Path) -> dict[str, str]:
    """Message → translation, as the catalogue has them now."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for message in read_po(io.BytesIO(path.read_bytes()), locale="id"):
        one, text = message.id, message.string
        if one and text:
            found[one if isinstance(one, str) else one[0]] = (
                text if isinstance(text, str) else text[0]
            )
    return found


def written(domain: str, found: Found, have: dict[str, str]) -> str:
    """The catalogue as text: messages by where they stand, each with its translation if any."""
    catalogue = Catalog(locale="id", fuzzy=False)
    catalogue.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]
    for words, places in sorted(found.items(), key=lambda one: (sorted(one[1]), str(one[0]))):
        text = have.get(words if isinstance(words, str) else words[0], "")
        catalogue.add(
            words, text if isinstance(words, str) else (text,), auto_comments=sorted(places)
        )
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, omit_header=True)
    return HEAD.replace("{domain}", domain) + buffer.getvalue().decode().lstrip("\n")


def main() -> int:
    """Write the catalogues, or only look; returns 1 where a translation is missing."""
    only_look = "--missing" in sys.argv
    missing = 0
    for domain, collect in DOMAINS.items():
        path = LOCALE / f"id/LC_MESSAGES/{domain}.po"
        found, have = collect(), known(path)
        for words in found:
            if not have.get(words if isinstance(words, str) else words[0]):
                missing += 1
                print(f"{domain}: {words!r}")
        if not only_look:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written(domain, found, have), encoding="utf-8")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
