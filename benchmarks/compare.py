"""Whether all contenders found, or did, the same: what is compared, and how each one says it."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import Found
from hostside import apt, aptpolicy
from orchestrator.model.errors import CannotRunError

ARCHITECTURE = "amd64"


def from_evidence(evidence: dict[str, Any]) -> dict[str, Any]:
    """The common form of what our host program says."""
    facts = evidence["facts"]
    if evidence["status"] != "ok":
        raise CannotRunError(f"benchmark: a check failed: {evidence['problems']}")
    return {
        "status": evidence["status"],
        "host name": facts["hostname"],
        "system": [facts["os"]["id"], facts["os"]["version"]],
        "kernel": facts["kernel"],
        "architecture": facts["arch"],
        "boot id": facts["boot_id"],
        "addresses": sorted(a for a in facts["addresses"] if ":" not in a),
        "pending packages": sorted(
            [i["name"], i["from"], i["to"], i["size"], i["sha256"]] for i in evidence["items"]
        ),
        "held packages": sorted(w["name"] for w in facts["withheld"] if w["reason"] == "held"),
        "packages without source": sorted(facts["without_source"]),
        "unfinished packages": facts["half_configured"],
        "restart wanted": facts["reboot_required"],
        "failed units": facts["failed_units"],
        "replaced code still runs": bool(facts["restart_pending"]),
        "antivirus": facts["antivirus"]["engine"],
        "files downloaded": facts["staged"]["files"] == len(evidence["items"]),
    }


def _from_texts(texts: dict[str, str]) -> dict[str, Any]:
    """The common form of what the rivals' commands print."""
    upgrades, *_ = apt.parse_simulation(texts["pending"])
    records = apt.parse_records(texts["offered"])
    pending = []
    for upgrade in upgrades:
        record = records[(upgrade["name"], upgrade["to"])]
        known = [int(record["Size"]), record["SHA256"]]
        pending.append([upgrade["name"], upgrade["from"], upgrade["to"], *known])
    return {
        "status": "ok",
        "boot id": texts["boot_id"].strip(),
        "pending packages": sorted(pending),
        "held packages": sorted(texts["held"].split()),
        "packages without source": sorted(aptpolicy.parse_without_source(texts["sources"])),
        "unfinished packages": texts["unfinished"].split(),
        "failed units": texts["failed_units"].split(),
        "replaced code still runs": bool(texts["outdated"].split()),
        "antivirus": texts["antivirus"].strip(),
        "files downloaded": "download only mode" in texts["staged"],
    }


def from_playbook(tasks: dict[str, Any]) -> dict[str, Any]:
    """The common form of the playbook's results."""
    facts = tasks["Facts"]["ansible_facts"]
    return {
        **_from_texts({name: task["stdout"] for name, task in tasks.items() if "stdout" in task}),
        "host name": facts["ansible_hostname"],
        "system": [
            facts["ansible_distribution"].lower(), facts["ansible_distribution_major_version"]
        ],
        "kernel": facts["ansible_kernel"],
        "architecture": facts["ansible_architecture"],
        # Not all_ipv4_addresses, which are read from /sys: thin hosts have none.
        "addresses": [facts["ansible_default_ipv4"]["address"]],
        "restart wanted": tasks["Restart wanted"]["stat"]["exists"],
    }  # fmt: skip


def from_pyinfra(found: dict[str, Any]) -> dict[str, Any]:
    """The common form of pyinfra's facts."""
    texts = {k: v or "" for k, v in found.items() if isinstance(v, str) or v is None}
    return {
        **_from_texts(texts),
        "host name": found["hostname"],
        "system": [found["os"]["name"].lower(), str(found["os"]["major"])],
        "kernel": found["kernel_version"],
        "architecture": found["arch"],
        "addresses": sorted(
            address for card, address in found["addresses"].items() if card != "lo" and address
        ),
        "restart wanted": found["reboot"],
    }


READERS = {
    "sop-run": from_evidence,
    "ssh": from_evidence,
    "tuned": from_playbook,
    "defaults": from_playbook,
    "pyinfra": from_pyinfra,
}


def checks_agree(contender: str, found: Found, reference: Found, names: list[str]) -> None:
    """Raise CannotRunError, naming host and fact, unless a check found what ours found."""
    for host in names:
        mine = READERS[contender](found[host])
        wanted = from_evidence(reference[host])
        if not wanted["pending packages"]:
            raise CannotRunError(f"benchmark: nothing is pending on {host}: no check worth it")
        for fact in wanted.keys() | mine.keys():
            if mine.get(fact) != wanted.get(fact):
                raise CannotRunError(
                    f"benchmark: {contender} and sop-run differ on {host}: {fact} is "
                    f"{mine.get(fact)!r} and {wanted.get(fact)!r}"
                )


def changes_agree(contender: str, after: dict[str, list[str]], reference: list[str]) -> None:
    """Raise CannotRunError unless every host is as a host that sop-run updated."""
    for host, lines in after.items():
        if lines != reference:
            odd = sorted(set(lines) ^ set(reference))[:8]
            raise CannotRunError(f"benchmark: after {contender}, {host} differs: {odd}")
