"""Runs zypper and reads its XML: messages, questions that nobody answered, what it would change.

zypper takes the default answer to every question (`--non-interactive`), which for keys, signatures,
checksums and solver problems is no.
"""

import re
from xml.etree import ElementTree

from hostside.command import Result, run

LIMIT = 64 * 1024 * 1024
LOCKED, NOT_FOUND, SCRIPT_FAILED = 7, 104, 107
# After these zypper has done what it was asked to: restart of the host or of zypper is wanted.
DONE = (0, 102, 103)
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# What follows from an error that was named before, and advice to a human at the keyboard.
FOLLOWS = re.compile(r"^(Skipping repository |Some of the repositories |Could not refresh )")
ADVICE = re.compile(r"\s*Please check if the URIs defined for this repository are pointing.*",
                    re.DOTALL)
NAMED_REPOSITORY = re.compile(
    r"^Repository '.*' is invalid\.\s*\[(?P<alias>[^|\n]*)\|[^\]\n]*\]\s*"
)


class Said:
    """What zypper said: exit `code` (None at the time limit), `messages` [(type, text)],
    `questions` [text], `root` (the XML), `result` (how the command ended).

    Raises ValueError when a zypper that claims success did not answer in whole XML.
    """

    def __init__(self, result):
        self.result = result
        self.code = result.code
        try:
            self.root = parse(result.out)
        except ValueError:
            if result.code in DONE:
                raise
            self.root = unfinished(result.out)
        self.messages = [
            (node.get("type", ""), (node.text or "").strip()) for node in self.root.iter("message")
        ]
        self.questions = [
            (node.findtext("description") or node.findtext("text") or "").strip()
            for node in self.root.iter("prompt")
        ]

    def texts(self, *kinds):
        """Messages of these types, each on one line."""
        return [one_line(text) for kind, text in self.messages if kind in kinds]

    def log(self):
        """Its messages and problems as plain text, as a command's result."""
        lines = [text for _, text in self.messages] + [
            text for text in self.questions if text.startswith("Problem")]
        return Result(self.result.argv, self.code, "\n".join(lines), self.result.err)


def why(said):
    """Why zypper did not do what it was asked to, in words for the report."""
    if said.code is None:
        return "zypper did not end in time"
    found = said.texts("error")
    found += [one_line(text) for text in said.questions if text.startswith("Problem")]
    if not found and not said.messages:
        found = [said.result.tail(3)]
    return "; ".join(found)[:2000] or "it gave no reason"


def one_line(text):
    """Text with every run of white space as one space."""
    return " ".join(text.split())


def parse(text):
    """The XML that zypper printed. Raises ValueError for what is none, such as a part of it."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("zypper's answer declares entities")
    try:
        return ElementTree.fromstring(NOT_XML.sub(" ", text[max(text.find("<?xml"), 0):]))
    except ElementTree.ParseError as error:
        raise ValueError("zypper's answer is no XML: %s" % error) from None


def unfinished(text):
    """What a zypper that failed or was killed had said: its complete messages."""
    stream = ElementTree.Element("stream")
    for words in re.findall(r'<message type="\w+">[^<]*</message>', NOT_XML.sub(" ", text)):
        stream.append(ElementTree.fromstring(words))
    return stream


def call(words, *, cache="", packages="", refresh=False, lock_seconds=None, seconds=600, log=""):
    """Run `zypper WORDS`; returns what it Said. Raises ValueError for an answer that is no XML.

    `cache`: folder for metadata instead of the host's; `packages`: folder for package files;
    `refresh`: whether zypper may fetch metadata; `lock_seconds`: how long it waits for its lock,
    None when it only reads and is to leave the lock alone; `log`: file for zypper's own log.
    """
    argv = ["zypper", "--xmlout", "--non-interactive"]
    argv += [] if refresh else ["--no-refresh"]
    argv += ["--cache-dir", cache] if cache else []
    argv += ["--pkg-cache-dir", packages] if packages else []
    environment = {"DISABLE_SNAPPER_ZYPP_PLUGIN": "yes"}
    if lock_seconds is None:
        environment["ZYPP_READONLY_HACK"] = "1"
    else:
        environment["ZYPP_LOCK_TIMEOUT"] = "%d" % lock_seconds
    if log:
        environment["ZYPP_LOGFILE"] = log
    return Said(run(argv + list(words), timeout=seconds, limit=LIMIT, env=environment))


def causes(said):
    """Why a refresh failed: one line for each repository; [] when it did not."""
    if said.code == 0 and not said.texts("error"):
        return []
    found = []
    for kind, text in said.messages:
        if kind in ("warning", "error") and not FOLLOWS.match(text):
            plain = ADVICE.sub("", text)
            named = NAMED_REPOSITORY.match(plain)
            if named:
                plain = "%s: %s" % (named.group("alias"), plain[named.end():])
            found.append(one_line(plain))
    return found or [why(said)]


def changes(said):
    """{section: [{name, arch, to, from}]} of the packages in zypper's summary of what it would do.

    Sections are zypper's own: to-upgrade, to-install, to-remove, to-downgrade …; those that only
    inform (not-upgraded, locked …) are left out.
    """
    found = {}
    for summary in said.root.iter("install-summary"):
        for section in summary:
            rows = [
                {"name": node.get("name", ""), "arch": node.get("arch", ""),
                 "to": node.get("edition", ""), "from": node.get("edition-old", "")}
                for node in section.iter("solvable") if node.get("type") == "package"
            ]
            if rows and section.tag.startswith("to-"):
                found.setdefault(section.tag, []).extend(rows)
    return found


def incoming(found):
    """Packages that `changes` brings in a newer version, new ones among them."""
    return found.get("to-upgrade", []) + found.get("to-install", [])


def updates(said):
    """[{name, arch, from, to, repo}] of `list-updates`."""
    return [
        {"name": node.get("name", ""), "arch": node.get("arch", ""),
         "from": node.get("edition-old", ""), "to": node.get("edition", ""),
         "repo": source.get("alias", "") if source is not None else ""}
        for node in said.root.iter("update") if node.get("kind") == "package"
        for source in [node.find("source")]
    ]


def repositories(said):
    """The enabled repositories of `repos --details`, as zypper's attributes."""
    return [dict(node.attrib) for node in said.root.iter("repo") if node.get("enabled") == "1"]


def locked(said):
    """Names of installed packages that a lock of `locks --solvables` matches."""
    return sorted({
        node.get("name", "") for node in said.root.iter("match")
        if node.get("kind") == "package" and node.get("installed") == "true"
    })
