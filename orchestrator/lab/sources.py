"""The machine's own package sources, so that the lab uses the mirrors that the machine uses."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.model.errors import CannotRunError


@dataclass(frozen=True)
class Source:
    """One package source in deb822 terms."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""  # path of a keyring, or an inline key with its continuation lines

    def deb822(self, types: str = "deb") -> str:
        """The stanza of a `.sources` file; `types` is `deb`, `deb-src` or both."""
        lines = [
            f"Types: {types}",
            "URIs: " + " ".join(self.uris),
            "Suites: " + " ".join(self.suites),
            "Components: " + " ".join(self.components),
        ]
        if self.signed_by:
            lines.append("Signed-By: " + self.signed_by)
        return "\n".join(lines) + "\n"


def read_sources(folder: Path = Path("/etc/apt")) -> list[Source]:
    """Every enabled binary source under `folder`, of both file formats."""
    found: list[Source] = []
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        found += parse_deb822(path.read_text(encoding="utf-8"))
    one_line = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]
    for path in one_line:
        if path.exists():
            found += parse_one_line(path.read_text(encoding="utf-8"))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Sources of a `.sources` file; continuation lines are kept, as inline keys need them."""
    found = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in "\n".join(lines).split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t"):
                fields[key] = fields.get(key, "") + "\n" + line
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            found.append(
                Source(
                    tuple(fields.get("uris", "").split()),
                    tuple(fields.get("suites", "").split()),
                    tuple(fields.get("components", "").split()),
                    fields.get("signed-by", ""),
                )
            )
    return found


def parse_one_line(text: str) -> list[Source]:
    """Sources of a `sources.list` file."""
    found = []
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] != "deb":
            continue
        signed_by = ""
        rest = words[1:]
        if rest and rest[0].startswith("["):
            end = next((i for i, word in enumerate(rest) if word.endswith("]")), 0)
            options = " ".join(rest[: end + 1]).strip("[] ").split()
            pairs = dict(option.split("=", 1) for option in options if "=" in option)
            signed_by = pairs.get("signed-by", "")
            rest = rest[end + 1 :]
        if len(rest) >= 2:
            found.append(Source((rest[0],), (rest[1],), tuple(rest[2:]), signed_by))
    return found


def source_of(suite: str, sources: list[Source]) -> Source:
    """The machine's source of a suite, narrowed to it. Raises CannotRunError when it has none."""
    components = {c for s in sources if suite in s.suites for c in s.components}
    for source in sources:
        if suite in source.suites:
            return replace(
                source,
                uris=source.uris[:1],
                suites=(suite,),
                components=tuple(sorted(components & {"main", "universe"})) or ("main",),
            )
    raise CannotRunError(
        f"lab: the machine has no package source for {suite}",
        f"Add {suite} to a file in /etc/apt/sources.list.d/ and run `apt-get update`.",
    )
