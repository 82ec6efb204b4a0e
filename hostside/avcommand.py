"""An antivirus product other than ClamAV, through commands that the office names (SOP steps 2, 7).

The definition is the inventory's `antivirus_command`; docs/how-to/antivirus.md describes it. Every
command is a list of words that runs without a shell, as root, for a bounded time. What it prints is
data: a version is its first line, cut and without control characters.
"""

import os
import re
import tempfile

from hostside.checks import is_text, is_words, number
from hostside.command import run
from hostside.outcome import one_line

METHODS = ("auto", "clamav", "command", "none")
READ_SECONDS = 60
SCAN_SECONDS = 300
LONGEST_VERSION = 100
CLEAN = "This file is clean: a scanner that finds something here finds it everywhere.\n"


def is_name(value):
    """Letters, digits, spaces and `. _ + -`, at most 60."""
    return isinstance(value, str) and bool(re.match(r"^\w[\w .+-]{0,59}\Z", value))


KEYS = {
    "name": is_name, "version": is_words, "latest": is_words, "update": is_words,
    "scan": is_words, "found_status": number(0, 255), "infected_text": is_text,
}
NEEDED = ("name", "version", "update", "scan")


def method_of(method, definition):
    """The way to take: `clamav`, `command` or `none`."""
    if method in (None, "", "auto"):
        return "command" if definition else "clamav"
    return method


def definition_errors(method, definition):
    """What is wrong with `antivirus_method` and `antivirus_command`, one sentence each."""
    if method not in (None, "") and method not in METHODS:
        return ["antivirus_method is %s; use one of: %s" % (
            one_line(method)[:40], ", ".join(METHODS))]
    if definition not in (None, "") and not isinstance(definition, dict):
        return ["antivirus_command must be an object, not %s" % type(definition).__name__]
    if method_of(method, definition) != "command":
        return []
    return key_errors(definition or {})


def key_errors(definition):
    """What is wrong with the keys of the definition."""
    errors = [
        "antivirus_command needs `%s`" % key
        for key in NEEDED if definition.get(key) in (None, "", [])
    ]
    for key in sorted(map(str, definition)):
        value = definition.get(key)
        if key not in KEYS:
            errors.append("antivirus_command has an unknown key `%s`; known are %s" % (
                one_line(key)[:40], ", ".join(sorted(KEYS))))
        elif value not in (None, "", []) and not KEYS[key](value):
            words = KEYS[key].__doc__.strip().rstrip(".")
            errors.append("antivirus_command has `%s: %s`, which must be %s" % (
                key, one_line(value)[:80], words[0].lower() + words[1:]))
    return errors


def item_name(definition):
    """The name of the product's one item."""
    return "%s signatures" % definition["name"]


def words(argv):
    """A command as the list of words that it is."""
    return [str(word) for word in argv]


def ask_version(definition, key="version"):
    """What `version` or `latest` prints. Raises OSError when the command fails or says nothing."""
    argv = words(definition[key])
    result = run(argv, timeout=READ_SECONDS)
    line = next((text for text in map(one_line, result.out.splitlines()) if text), "")
    if not result.ok or not line:
        raise OSError("`%s` of %s %s" % (key, definition["name"], ended(result)))
    return line[:LONGEST_VERSION]


def ended(result):
    """How a command ended, in words."""
    if result.code is None:
        return "was ended at its time limit"
    return "ended with exit code %d: %s" % (result.code, one_line(result.tail(2)) or "no output")


def not_older(version, wanted):
    """Whether a version is the wanted one or a later one of the same form.

    Only versions that differ in nothing but numbers have an order; others must be equal.
    """
    if version == wanted:
        return True
    shapes = {re.sub(r"\d+", "#", text) for text in (version, wanted)}
    numbers = [list(map(int, re.findall(r"\d+", text))) for text in (version, wanted)]
    return len(shapes) == 1 and numbers[0] >= numbers[1]


def scans(definition, path):
    """(whether `scan` finds something in a file, how it ended)."""
    result = run([*words(definition["scan"]), path], timeout=SCAN_SECONDS)
    status = definition.get("found_status")
    found = result.code == (1 if status in (None, "") else int(status))
    text = str(definition.get("infected_text") or "")
    return found and text in result.out + result.err, ended(result)


def empty(folder):
    """Remove the folder with its files, also when a resident scanner removes one just now."""
    for name in os.listdir(folder):
        try:
            os.unlink(os.path.join(folder, name))
        except FileNotFoundError:
            continue
    os.rmdir(folder)


def prove(definition, eicar):
    """(whether the product finds EICAR and nothing in a clean file, a sentence about it).

    A scanner that ends with the same status for both has proven nothing: it may have failed. Where
    a resident scanner takes the file away while it is written, that is the proof.
    """
    folder = tempfile.mkdtemp(prefix="sop-run-eicar-", dir="/var/tmp")
    os.chmod(folder, 0o755)  # noqa: S103 - the product's daemon may be another user
    clean, infected = (os.path.join(folder, name) for name in ("clean.txt", "eicar.com"))
    try:
        with open(clean, "w", encoding="ascii") as stream:
            stream.write(CLEAN)
        try:
            with open(infected, "w", encoding="ascii") as stream:
                stream.write(eicar)
        except OSError as error:
            return False, "the file with it could not be written: %s" % error
        found, how = scans(definition, infected)
        alarm, _ = scans(definition, clean)
        taken = not os.path.exists(infected) and os.path.exists(clean)
    finally:
        empty(folder)
    if alarm:
        return False, "`scan` finds something in a clean file, too"
    if taken:
        return True, "%s took the file away" % definition["name"]
    return found, "`scan` %s" % how
