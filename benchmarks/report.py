"""Writes the measured parts of docs/explanation/speed.md, and its pictures, from results.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders import CHANGE, CHECK, ROOT, Contender
from benchmarks.documents import DOCUMENTS
from benchmarks.plot import Series, bars, lines, picture
from benchmarks.results import Part, load, medians
from benchmarks.targets import Judged, Medians, judge_change, judge_check, judge_documents

DOCUMENT_WORDS = dict(zip(DOCUMENTS, ("check list", "draft report"), strict=True))
PAGE = ROOT / "docs/explanation/speed.md"
PICTURES = ROOT / "docs/pictures"
COLOURS = {
    "sop-run": "#1d4ed8", "canary": "#93c5fd", "ssh": "#6b7280", "pyinfra": "#0f766e",
    "tuned": "#d97706", "defaults": "#b91c1c",
}  # fmt: skip


def write_page() -> list[Path]:
    """Write page and pictures; returns what was written. Parts not measured stay as they are."""
    text = PAGE.read_text(encoding="utf-8")
    written = [PAGE]
    check, change = medians("check"), medians("change")
    documents = load()["documents"]
    judged = [*judge_check(check), *judge_change(change), *judge_documents(documents)]
    text = put(text, "targets", targets_table(judged))
    if check:
        text = put(text, "check", table("check", CHECK, check) + beyond(check))
        written.append(check_picture(check))
    if change:
        text = put(text, "change", table("change", CHANGE, change))
        written.append(change_picture(change))
    if documents:
        text = put(text, "documents", documents_table(documents))
    PAGE.write_text(text, encoding="utf-8")
    return written


def put(page: str, name: str, content: str) -> str:
    """The page with the part between its markers replaced."""
    begin, end = f"<!-- begin measured: {name} -->", f"<!-- end measured: {name} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE} has no markers for {name}")
    return pattern.sub(lambda _: f"{begin}\n\n{content}\n\n{end}", page)


def targets_table(judged: Sequence[Judged]) -> str:
    """Each target at each size: met or missed, and by how much."""
    missed = [one for one in judged if not one.met]
    rows = [
        f"{len(judged) - len(missed)} of {len(judged)} are met.",
        "",
        "| Target | Hosts | Measured | Limit | |",
        "|---|---|---|---|---|",
    ]
    for one in judged:
        verdict = "met" if one.met else f"**missed** by {one.by:.0f} %"
        sign = "≤" if one.most else "≥"
        digits = 2 if one.unit == "×" else 1
        rows.append(f"| {one.target} | {one.hosts} | {one.measured:.{digits}f}{one.unit} "
                    f"| {sign} {one.limit:.{digits}f}{one.unit} | {verdict} |")  # fmt: skip
    return "\n".join(rows)


def table(part: Part, contenders: Sequence[Contender], found: Medians) -> str:
    """All contenders at all sizes, and the machine."""
    rows = [
        "| Hosts | | Wall s | × sop-run | CPU s | ms wall per host | MB | Runs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for hosts in sorted({hosts for _, hosts in found}):
        ours = found[("sop-run", hosts)]["wall_s"]
        for contender in (c for c in contenders if (c.id, hosts) in found):
            one = found[(contender.id, hosts)]
            rows.append(
                f"| {hosts} | {contender.words} | {one['wall_s']:.1f} | {one['wall_s'] / ours:.2f} "
                f"| {one['cpu_s']:.1f} | {one['wall_s'] / hosts * 1000:.0f} "
                f"| {one['largest_kb'] / 1024:.0f} | {one['runs']:.0f} |"
            )
    return "\n".join([*rows, "", machine_words(part)])


def documents_table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Each document at each size, and the machine."""
    rows = [
        "| Hosts × 40 | Document | Journal read in | MB after it | Rendered in | Peak MB | File |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        rows.append(
            f"| {run['hosts']:,} | {DOCUMENT_WORDS[run['contender']]} | {run['fold_s']:.1f} s "
            f"| {run['fold_mb']:.0f} | {run['render_s']:.1f} s | {run['peak_mb']:.0f} "
            f"| {run['file_mb']:.1f} MB |"
        )
    return "\n".join([*rows, "", machine_words("documents")])


def machine_words(part: Part) -> str:
    """When and on what a part was measured."""
    machine = load()["machine"][part]
    return (
        f"Measured on {machine['measured']}: {machine['processor']}, {machine['memory']}, "
        f"{machine['system']}, Linux {machine['kernel']}; {machine['versions']}."
    )


def beyond(found: Medians) -> str:
    """What controllers add to the hosts' own work, at the largest size that all share."""
    wanted = ("sop-run", "ssh", "tuned")
    sizes = [n for who, n in found if who == "ssh" and all((w, n) in found for w in wanted)]
    if not sizes:
        return ""
    hosts = max(sizes)
    ours, bare, tuned = (found[(who, hosts)]["wall_s"] for who in wanted)
    words = (
        f"\n\nAt {hosts} hosts bare SSH takes {bare:.1f} s, next to all of it the hosts' own work "
        "on the same cores. "
        f"It is {tuned / bare:.1f} times faster than the tuned playbook. Beyond it sop-run adds "
        f"{ours - bare:.1f} s, the tuned playbook {tuned - bare:.1f} s"
    )
    return words + (
        f", {(tuned - bare) / (ours - bare):.0f} times as much." if ours > bare else "."
    )


def series_of(
    contenders: Sequence[Contender], found: Medians, figure: str, *, each: bool = False
) -> list[Series]:
    """A figure of every contender, as it is or for each host in milliseconds."""
    made = []
    for contender in contenders:
        values = {
            hosts: one[figure] / hosts * 1000 if each else one[figure]
            for (who, hosts), one in found.items() if who == contender.id
        }  # fmt: skip
        if values:
            made.append(Series(contender.words, COLOURS[contender.id], values))
    return made


def check_picture(found: Medians) -> Path:
    """Cost per host over the number of hosts, wall and processor."""
    wall = series_of(CHECK, found, "wall_s", each=True)
    cpu = series_of(CHECK, found, "cpu_s", each=True)
    charts = [
        lines("Check: milliseconds per host, wall", wall),
        lines("Check: milliseconds per host, controller's CPU", cpu),
    ]
    path = PICTURES / "speed-check.svg"
    words = "Cost of a check for each host, over the number of hosts"
    path.write_text(picture(words, charts, wall), encoding="utf-8")
    return path


def change_picture(found: Medians) -> Path:
    """Wall and processor seconds of a whole change."""
    wall, cpu = series_of(CHANGE, found, "wall_s"), series_of(CHANGE, found, "cpu_s")
    charts = [
        bars("Backup to test: seconds, wall", wall, logarithmic=False),
        bars("Backup to test: seconds, controller's CPU", cpu, logarithmic=False),
    ]
    path = PICTURES / "speed-change.svg"
    words = "Seconds from backup to test, beside what others take for an update"
    path.write_text(picture(words, charts, wall), encoding="utf-8")
    return path
