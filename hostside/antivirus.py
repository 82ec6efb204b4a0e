"""Phase `antivirus` (SOP step 7): databases brought up to date by freshclam, proven with EICAR.

Another product is updated by the office's own commands (hostside/avproduct.py).

freshclam checks signatures and tests a database before it replaces the old one; a database that it
rejects leaves the old one in place, and the item says `failed` with the reason.
"""

import os
import re
import shutil
import tempfile
import time

from hostside import avcommand, avproduct, clamav, clamd, state, systemd
from hostside.command import run as command
from hostside.command import which

FRESHCLAM_SECONDS = 900
RELOAD_SECONDS = 120
SCAN_SECONDS = 300
# freshclam's own marks before what it says.
STAMP = re.compile(r"^((WARNING|ERROR): )?(\w{3} \w{3} +\d+ [\d:]{8} \d{4} -> )?(\[LibClamAV\] )?")
UPDATERS = ("clamav-freshclam.service", "freshclam.service", "clamav-freshclam-once.timer")
LOCKED = re.compile(r"is locked by another process")
# What freshclam says, most telling first: (what to look for, problem code, what to do).
CAUSES = (
    (re.compile(r"HTTP/\S+ 403|HTTP code: 403|error code 403", re.IGNORECASE),
     "av-mirror-forbidden", "The mirror refuses this address; use a private mirror."),
    (re.compile(r"HTTP/\S+ 429|HTTP code: 429|error code 429|cool-?down", re.IGNORECASE),
     "av-cool-down", "The mirror asks to wait; freshclam keeps the time. Use a private mirror."),
    (re.compile(r"Verification: |digital signature|Can't verify|verification failed"
                r"|failed to load (?!freshclam)|Corrupted database|Database test FAILED"
                r"|Broken or not a CVD"
                r"|MD5 verification|not a CVD|Invalid CVD", re.IGNORECASE),
     "av-database-rejected", "The mirror's file is damaged or was altered; the old one stays."),
    (re.compile(r"Can't resolve|Could ?n.t (connect|resolve)|Connection (refused|timed out)"
                r"|Failed to connect|Can't connect|Operation timed out|HTTP GET failed",
                re.IGNORECASE),
     "av-mirror-unreachable", "Look at the mirror in freshclam.conf and the way to it."),
)
EXITS = {
    7: "av-database-rejected", 8: "av-database-rejected", 5: "av-mirror-unreachable",
    11: "av-mirror-unreachable", 17: "av-mirror-forbidden", 18: "av-cool-down",
}


def run(request, answer):
    """Update the approved databases, load them, find EICAR with them."""
    items = [item for item in request.get("items", []) if item.get("class") == "antivirus"]
    if not items:
        answer.facts.update(eicar="not-tested", daemon=clamav.daemon(), log_tail="")
        return
    options = request.get("options", {})
    method, definition = options.get("method"), options.get("command")
    limit = float(options.get("freshclam_seconds", FRESHCLAM_SECONDS))
    refusal = refused(method, definition)
    if refusal:
        answer.stop("refused", *refusal)
        answer.items = [dict(item, result="not-attempted", after="") for item in items]
        return
    if avcommand.method_of(method, definition) == "command":
        avproduct.carry_out(items, definition, limit, eicar(), answer)
        return
    before = versions()
    result = with_updater_stopped(request["transaction"], limit)
    answer.facts["log_tail"] = "\n".join(told(result)[-40:])[-6000:]
    after = versions()
    code, message, hint = cause(result)
    answer.items = [judge(item, before, after, code, message) for item in items]
    failed = [item for item in answer.items if item["result"] == "failed"]
    if failed:
        answer.stop("failed", code or "av-not-updated", "%s: %s" % (
            ", ".join(item["name"] for item in failed), message), hint)
    elif code:
        answer.problem(code, message, hint)
    load(after, answer)
    prove(answer)
    answer.facts["daemon"] = clamav.daemon()


def refused(method, definition):
    """Why nothing is done: (code, message, hint), or None."""
    errors = avcommand.definition_errors(method, definition)
    if errors:
        return ("bad-antivirus-command", "; ".join(errors),
                "Correct antivirus_method and antivirus_command in the inventory.")
    method = avcommand.method_of(method, definition)
    if method == "none":
        return ("no-antivirus", "antivirus_method is none, but databases were approved",
                "Check this host again.")
    if method == "clamav" and not which("freshclam"):
        return "no-antivirus", "freshclam is not on this host", "Install clamav-freshclam."
    return None


def versions():
    """{name: version} of the databases on the host."""
    return {database["name"]: database["version"] for database in clamav.databases()}


def database_of(item):
    """`daily` for the item `clamav-db (daily)`."""
    match = re.match(r"^clamav-db \(([\w.-]+)\)$", item["name"])
    return match.group(1) if match else item["name"]


def with_updater_stopped(transaction, seconds):
    """Run freshclam once, with the host's own updater out of the way and back afterwards.

    Which units to start again is noted before they are stopped, so a killed attempt is put right.
    """
    units = list(state.notes(transaction).get("updaters", []))
    if systemd.available():
        shown = systemd.show(UPDATERS)
        units += [n for n, p in shown.items() if p.get("ActiveState") == "active"]
        units = sorted(set(units))
        if units:
            state.note(transaction, updaters=units)
            command(["systemctl", "stop", *units], timeout=60)
    try:
        return freshclam(seconds)
    finally:
        if units:
            command(["systemctl", "start", *units], timeout=60)


def freshclam(seconds):
    """One run of freshclam; waits, bounded, for another one that holds its log.

    A log file of our own would let two of them write the same folder, so its lock is respected.
    """
    deadline = time.monotonic() + min(seconds, 120)
    while True:
        result = command(["freshclam", "--stdout", "--verbose"], timeout=seconds)
        result.out = result.out + "\n" + result.err
        if not LOCKED.search(result.out) or time.monotonic() >= deadline:
            return result
        time.sleep(2)


def told(result):
    """freshclam's own lines, without those of its HTTP library."""
    lines = (line.strip() for line in result.out.splitlines())
    return [line for line in lines if line and line[0] not in "*<>{}"]


def cause(result):
    """(code, message, hint) of what went wrong; ("", "", "") for a good run."""
    if result.ok and not CAUSES[1][0].search(result.out):
        return "", "", ""
    lines = [line.strip() for line in result.out.splitlines() if line.strip()]
    if LOCKED.search(result.out):
        return "av-updater-busy", "another freshclam runs", "Wait for it to end."
    if result.code is None:
        return "av-timeout", "freshclam was ended at its time limit", "Look at the mirror."
    for pattern, code, hint in CAUSES:
        matching = [line for line in lines if pattern.search(line)]
        if matching:
            return code, STAMP.sub("", matching[-1].lstrip("<> "))[:300], hint
    code = EXITS.get(result.code, "av-not-updated")
    return code, "freshclam ended with exit code %s: %s" % (
        result.code, lines[-1][:300] if lines else ""), "See log_tail."


def number(text):
    """A version as a number; -1 when it is none."""
    return int(text) if str(text).isdigit() else -1


def judge(item, before, after, code, message):
    """The item with `result` and `after`: approved version or later, or failed with the reason."""
    name = database_of(item)
    old, new = before.get(name, ""), after.get(name, "")
    if item["to"] == "latest":
        reached = new != "" and not code
    else:
        reached = number(new) >= number(item["to"]) >= 0
    if not reached:
        return dict(item, result="failed", after=new, message=message or code or
                    "the mirror gave version %s" % (new or "none"))
    changed = new != old or number(new) > number(item.get("from", ""))
    return dict(item, result="updated" if changed else "unchanged", after=new)


def load(after, answer):
    """Have the daemon load the new databases, and start it when it waited for the first ones."""
    daemon = clamav.daemon()
    if daemon == "inactive" and systemd.available():
        start_enabled()
        daemon = clamav.daemon()
    if daemon != "active":
        return
    wanted = after.get("daily", "")
    try:
        if loaded() == wanted:
            return
        clamd.ask("RELOAD")
        deadline = time.monotonic() + RELOAD_SECONDS
        while loaded() != wanted and time.monotonic() < deadline:
            time.sleep(0.2)
        if loaded() != wanted:
            answer.problem("av-reload", "clamd still has daily %s, not %s" % (loaded(), wanted),
                           "Restart the daemon.")
    except OSError as error:
        answer.problem("av-reload", "clamd does not answer: %s" % error, "Restart the daemon.")


def loaded():
    """Version of the daily database in clamd's memory."""
    return clamd.daily_version(clamd.ask("VERSION"))


def start_enabled():
    """Start the scanner's daemon where it is enabled but waited for its first databases."""
    for unit, properties in systemd.show(clamav.UNITS).items():
        if properties.get("UnitFileState") == "enabled":
            command(["systemctl", "start", unit], timeout=120)


def eicar():
    """The EICAR test string, put together at run time so that no file of ours trips a scanner."""
    return "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


def prove(answer):
    """Scan a file that holds EICAR; `facts.eicar` is found, not-found or not-tested."""
    active = clamav.daemon() == "active"
    if active and which("clamdscan"):
        argv = ["clamdscan", "--fdpass", "--no-summary"]
    elif which("clamscan"):
        argv = ["clamscan", "--no-summary"]
    else:
        answer.facts["eicar"] = "not-tested"
        answer.problem("av-no-scanner", "neither clamdscan nor clamscan is on this host",
                       "Install clamdscan.")
        return
    folder = tempfile.mkdtemp(prefix="sop-run-eicar-", dir="/var/tmp")
    path = os.path.join(folder, "eicar.com")
    try:
        with open(path, "w", encoding="ascii") as stream:
            stream.write(eicar())
        result = command([*argv, path], timeout=SCAN_SECONDS)
    finally:
        shutil.rmtree(folder)
    line = next((x for x in result.out.splitlines() if x.rstrip().endswith("FOUND")), "")
    if result.code == 1 and re.search(r"eicar", line, re.IGNORECASE):
        answer.facts["eicar"] = "found"
        answer.facts["eicar_proof"] = "%s: %s" % (argv[0], line.split(": ", 1)[-1][:200])
        return
    answer.facts["eicar"] = "not-found"
    answer.stop("failed", "av-eicar-not-found", "%s did not find EICAR (exit code %s): %s" % (
        argv[0], result.code, result.tail(2)), "The scanner does not protect this host.")
