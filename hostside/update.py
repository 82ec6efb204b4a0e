"""Phase `update` (SOP step 7): exactly the approved versions, or nothing.

Nothing is installed before the backup is proven, the approved versions are still the offered
ones, and every file's SHA-256 is the approved one.
"""

import time

from hostside import (
    aptchange,
    backup,
    baseline,
    command,
    hostinfo,
    managers,
    packagelock,
    preflight,
    records,
    restore,
    roomwatch,
    services,
    state,
    systemd,
    wayin,
)
from hostside.answer import Answer, utc
from hostside.backends import BACKENDS

TIME_LIMIT_SECONDS = 3600
BOOT_SECONDS = 60
REBOOTS = ("never", "if-needed", "always")
UNTOUCHED = ("refused", "blocked", "superseded")


class Change:
    """One update: what was approved, what is still to do, and until when."""

    def __init__(self, request, answer):
        self.request = request
        self.answer = answer
        self.options = request.get("options", {})
        self.transaction = request["transaction"]
        self.items = baseline.package_items(request)
        self.keys = {id(item): baseline.package_key(item) for item in self.items}
        limit = float(self.options.get("time_limit_seconds", TIME_LIMIT_SECONDS))
        self.deadline = time.monotonic() + limit
        self.notes = state.notes(self.transaction)
        self.before = self.notes.get("before") or baseline.installed()
        self.now = self.before
        self.log = ""

    def key(self, item):
        """The item's key in `baseline.installed()`."""
        return self.keys[id(item)]

    def todo(self):
        """Items that are not at their approved version."""
        return [item for item in self.items if self.now.get(self.key(item)) != item["to"]]

    def remaining(self, least=30.0):
        """Seconds left of the time limit, at least `least` for what must not be left out."""
        return max(least, self.deadline - time.monotonic())

    def note(self, **values):
        """Note durably what a later attempt must know."""
        self.notes.update(values)
        state.note(self.transaction, **values)

    def begin_installing(self, new_names):
        """Note durably, here and with the backup, what is about to be installed."""
        active = self.notes.get("active")
        self.note(before=self.before, boot_id_before=hostinfo.boot_id(), installing=True,
                  active=systemd.active_units() if active is None else active)
        records.register_new(self.request["backup"]["id"], new_names)

    def watch(self):
        """Ends the package tools when the disk, or the room of the backup, runs out."""
        floor = roomwatch.floor_of(self.options.get("reserve_mb", preflight.RESERVE_MB))
        taken = self.request["backup"]
        backend = BACKENDS[taken["method"]]
        return roomwatch.Watch(
            self.transaction, lambda: roomwatch.shortest(floor),
            roomwatch.Seldom(lambda: backend.short(taken["id"])),
        )

    def out_of_room(self, reason, begun=True):
        """The update was ended since a file system filled up: `refused` if nothing had begun."""
        self.answer.stop("failed" if begun else "refused", "disk-filling",
                         "%s: the update was ended before that was full" % reason,
                         "Find out what fills it (see log_tail), make room, and update again.")

    def add_log(self, result):
        """Keep the last part of a command's output for the evidence."""
        self.log = (self.log + "\n" + result.out + "\n" + result.err)[-200000:]


def run(request, answer):
    """Carry out, or after an interruption finish, the update."""
    change = Change(request, answer)
    if not change.items:
        finish(change)
        return
    if change.notes.get("rebooting_from"):
        finish_after_reboot(change)
        return
    if change.notes.get("putting_back"):
        finish_putting_back(change)
        return
    begun = bool(change.notes.get("installing"))
    inhibitor = packagelock.Inhibitor(lambda names: change.note(
        stopped_timers=sorted(set(change.notes.get("stopped_timers", ())) | set(names))))
    try:
        if begun:
            recover(change)
        elif not may_begin(change):
            return
        if answer.status == "ok" and change.todo():
            inhibitor.start()
            managers.writer().carry_out(change)
    finally:
        inhibitor.stop(change.notes.get("stopped_timers", ()))
    if answer.status in UNTOUCHED and begun:
        answer.status = "failed"  # an earlier attempt did change the host
    finish(change)


def may_begin(change):
    """Preflight, a proven backup and unchanged starting versions; else `refused` or `blocked`."""
    answer = change.answer
    if not preflight.passed(change.request, answer):
        return False
    if change.options.get("reboot", "never") not in REBOOTS:
        answer.stop("refused", "bad-option", "reboot must be one of %s" % ", ".join(REBOOTS))
        return False
    try:
        backup.verify(change.request)
    except backup.DOUBTS as error:
        answer.stop("refused", "no-backup", str(error), "Make a backup first; nothing was changed.")
        return False
    differing = [
        "%s is %s, approved from %s" % (
            change.key(item), change.now.get(change.key(item), "not installed"), item["from"])
        for item in change.items
        if change.now.get(change.key(item)) not in (item["from"], item["to"])
    ]
    if differing:
        answer.stop("superseded", "installed-differs", "; ".join(differing),
                    "Check this host again; someone changed it since.")
        set_results(change)
        return False
    return True


def recover(change):
    """An earlier attempt was cut off while it installed: repair, then go on."""
    managers.writer().recover(change)
    change.now = baseline.installed()
    change.answer.problem(
        "recovered",
        "an earlier attempt of this transaction was cut off; the packages were repaired and the "
        "update went on", "Nothing to do; see packages_changed.")


def set_results(change):
    """Give every item its result by the version that is found now."""
    unfinished = set(baseline.half_configured()) if change.notes.get("installing") else ()
    change.answer.items = [result_of(change, item, unfinished) for item in change.items]


def result_of(change, item, unfinished=()):
    """The item with `result` and `after`; one that dpkg has not finished is `failed`."""
    key = change.key(item)
    before, after = change.before.get(key, ""), change.now.get(key, "")
    if key in unfinished:
        return dict(item, result="failed", after=after, message="dpkg has not finished it")
    if after == item["to"]:
        result = "unchanged" if before == after else "updated"
    elif change.answer.status == "superseded":
        result = "superseded" if key in change.notes.get("superseded", (key,)) else "not-attempted"
    else:
        result = "failed" if change.notes.get("installing") else "not-attempted"
    return dict(item, result=result, after=after)


def changed_packages(before, after):
    """{name: [before, after]} of everything that differs; "" where there was or is none."""
    return {
        name: [before.get(name, ""), after.get(name, "")]
        for name in sorted(set(before) | set(after)) if before.get(name) != after.get(name)
    }


def needs_reboot():
    """Whether the host asks for a restart now."""
    return managers.reader().reboot_required()


def finish(change):
    """Versions found, services restarted, way in kept open, restart by policy, evidence."""
    answer, facts = change.answer, change.answer.facts
    look(change)
    if answer.status == "ok" and any(item["result"] == "failed" for item in answer.items):
        answer.stop("failed", "not-updated", "not every approved version was reached",
                    "Restore the host.")
    well = answer.status == "ok" and change.before != change.now
    reboot = well and wants_reboot(change)
    if well and not reboot and change.options.get("restart_services", True):
        services.after_update(answer)
    if change.notes.get("installing") and change.request.get("way_in") and wayin.guard(
        change.request["way_in"], change.notes.get("active") or [], answer,
        lambda: put_back(change),
    ):
        reboot = False
        look(change)
    facts["boot_id_before"] = change.notes.get("boot_id_before") or hostinfo.boot_id()
    facts["boot_id_after"] = hostinfo.boot_id()
    facts["rebooted"] = facts["boot_id_before"] != facts["boot_id_after"]
    facts["reboot_required"] = needs_reboot()
    facts["log_tail"] = "\n".join(change.log.strip().splitlines()[-40:])[-6000:]
    facts["kept_conffiles"] = aptchange.kept_conffiles(change.log)
    facts["packages_changed"] = changed_packages(change.before, change.now)
    if reboot:
        keep = {name: facts[name] for name in ("log_tail", "kept_conffiles")}
        change.note(rebooting_from=facts["boot_id_before"], keep=keep, problems=answer.problems)
        answer.status = "rebooting"


def look(change):
    """Take in which versions are there now, and every item's result with them."""
    change.now = baseline.installed() if change.notes.get("installing") else change.before
    set_results(change)


def wants_reboot(change):
    """Whether the host is to restart now: by the order's policy, and within its window."""
    policy = change.options.get("reboot", "never")
    if change.notes.get("boot_id_before", hostinfo.boot_id()) != hostinfo.boot_id():
        return False  # a restart came in between: it has happened
    if not (policy == "always" or (policy == "if-needed" and needs_reboot())):
        return False
    end = change.options.get("not_after")
    if end is None or time.time() < float(end):
        return True
    change.answer.problem(
        "reboot-deferred", "the ordered window ended at %s: the host was not restarted" % (
            utc(float(end))),
        "Order a restart in a window of its own; until then parts of the update do not work yet.")
    return False


def put_back(change):
    """Restore the host from its backup, without the control node; returns "" or what failed."""
    own = Answer("restore", change.transaction)
    change.note(putting_back=True)  # from here on no attempt goes on to the approved versions
    state.give_reserve_up()
    restore.run(dict(change.request, baseline={"active_units": change.notes.get("active")}), own)
    if own.status == "ok":
        return ""
    return "; ".join(problem["message"] for problem in own.problems) or own.status


def finish_putting_back(change):
    """An earlier attempt was cut off while it put the host back: do that to its end."""
    failure = put_back(change)
    change.answer.stop(
        "failed", "way-in-lost",
        "after the update nobody could reach the host any more; %s" % (
            "restoring it failed: %s" % failure if failure else "the host was put back by itself"),
        "Find out which package does that before it is approved again.")
    finish(change)


def finish_after_reboot(change):
    """The host is up again: the proof by boot_id, and the versions once more."""
    answer, facts = change.answer, change.answer.facts
    settle()
    change.now = baseline.installed()
    set_results(change)
    facts.update(change.notes.get("keep", {}))
    answer.problems += change.notes.get("problems", [])
    facts["boot_id_before"] = change.notes["rebooting_from"]
    facts["boot_id_after"] = hostinfo.boot_id()
    facts["rebooted"] = facts["boot_id_before"] != facts["boot_id_after"]
    facts["reboot_required"] = needs_reboot()
    facts["packages_changed"] = changed_packages(change.before, change.now)
    if any(item["result"] == "failed" for item in answer.items):
        answer.stop("failed", "not-updated", "an approved version is missing after the restart",
                    "Restore the host.")


def settle():
    """Wait, bounded, until systemd has started what it starts at boot."""
    deadline = time.monotonic() + BOOT_SECONDS
    while systemd.available() and time.monotonic() < deadline:
        now = command.run(["systemctl", "is-system-running"], timeout=20).out.strip()
        if now not in ("initializing", "starting"):
            return
        time.sleep(0.2)
