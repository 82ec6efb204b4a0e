"""Phase `doctor`: whether a host is fit for the procedure; fast, and changes nothing on it.

Nothing is refreshed, downloaded, mounted or locked. What it finds uses the codes of the check.
"""

import os
import pwd
import re
import sys

from hostside import (
    check,
    checkantivirus,
    checks,
    clocksync,
    durable,
    hostinfo,
    hypervisor,
    managers,
    naming,
    preflight,
    room,
    state,
    systemd,
    untested,
)
from hostside.answer import utc
from hostside.backends import AUTOMATIC, BACKENDS, METHODS
from hostside.command import run as command
from hostside.command import which
from hostside.findings import decided, told

NOPASSWD = re.compile(r"^\s+\((?:root|ALL)\b[^)]*\) .*\bNOPASSWD: (?:\w+: )*ALL\s*$", re.MULTILINE)


def run(request, answer):
    """Fill `answer` with what this host is and what stands in the way of an update."""
    options = request["options"]
    answer.facts.update(hostinfo.facts())
    answer.facts["python_path"] = sys.executable
    answer.facts["systemd"] = systemd.available()
    check_login(answer)
    check.check_release(answer)
    check.check_clock(answer, clocksync.offset_of(request))
    check_packages(answer)
    check_room(answer, options)
    check_backup(answer, options)
    checkantivirus.check(answer, options, offers=False)
    for error in checks.definition_errors(options.get("checks") or []):
        told(answer, "bad-check", error)


def check_login(answer):
    """`facts.login`: {user, root, by, password}: as whom we work, how we became that, and whether
    sudo asks for a password (null where nobody knows)."""
    login = answer.facts["login"] = {
        "user": user_name(), "root": os.geteuid() == 0, "by": "login", "password": None,
    }
    if login["root"]:
        user = os.environ.get("SUDO_USER", "")
        if user:
            login.update(user=user, by="sudo", password=asks_password(user))
        return
    if not which("sudo"):
        told(answer, "not-root", "the login %s is not root, and sudo is not on the host"
             % login["user"])
        return
    login["password"] = not command(["sudo", "-n", "true"], timeout=20).ok
    told(answer, "not-root", "the login %s is not root; sudo %s" % (
        login["user"], "asks for a password or refuses" if login["password"] else
        "would let it in without a password"))


def user_name():
    """Who this process is; its number where it has no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def asks_password(user):
    """Whether sudo asks this user for a password, by its own list; None when it does not say."""
    listed = command(["sudo", "-n", "-l", "-U", user], timeout=20)
    return not NOPASSWD.search(listed.out) if listed.ok else None


def check_packages(answer):
    """The package manager, and packages that dpkg has not finished."""
    reader = managers.reader()
    if reader is None:
        decided(answer, "failed", "no-package-manager", "neither apt, dnf nor zypper is here")
        return
    unfinished = reader.half_configured()
    if unfinished:
        told(answer, "half-configured", "dpkg has not finished: %s" % check.named(unfinished))


def check_room(answer, options):
    """Disks and inodes, as an update without any package would need them."""
    found = [sentence for disk in answer.facts["disk"] for sentence in room.low(disk)]
    reason = preflight.space([], check.reserve_of(options))
    if reason:
        found.append(reason[1])
    if found:
        told(answer, "disk-low", "; ".join(found))


def check_backup(answer, options):
    """`facts.backup`: {asked, method, against, last}: the back end that would be used ("" for
    none), why not the better ones, and the newest backup that this host has on record."""
    asked = options.get("backup_method") or "auto"
    fact = answer.facts["backup"] = {
        "asked": str(asked)[:40], "method": "", "against": {}, "last": last_backup(),
    }
    if asked not in METHODS:
        told(answer, "no-backup", "backup_method %r is not one of %s" % (
            fact["asked"], ", ".join(METHODS)))
        return
    if asked in hypervisor.BACKENDS:
        check_hypervisor(answer, asked, {"untested": options.get("backup_untested")})
        return
    request = {"items": [], "options": {"method": asked, "command": options.get("backup_command")}}
    for name in AUTOMATIC if asked == "auto" else (asked,):
        reason = BACKENDS[name].reason_against(request)
        if not reason:
            fact["method"] = name
            return
        fact["against"][name] = reason
    told(answer, "no-backup", "backup_method is %s, but %s" % (asked, fact["against"].get(asked)))


def check_hypervisor(answer, asked, options):
    """A back end of hypervisors: whether this one can is asked by the backup phase only."""
    fact, against = answer.facts["backup"], untested.reason_against(asked, options)
    if against:
        fact["against"][asked] = against
        told(answer, "no-backup", "backup_method is %s, but %s" % (asked, against))
        return
    fact["method"] = asked
    if untested.words(asked):
        told(answer, "untested-backup", untested.words(asked))


def last_backup():
    """{method, created} of the newest backup on record; None for none. Only root can read it."""
    found, folder = [], os.path.join(state.ROOT, "backups")
    try:
        names = [name[:-5] for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return None
    for name in filter(naming.NAME.match, names):
        try:
            record = durable.read_sealed(os.path.join(folder, name + ".json"))
        except (OSError, durable.Damaged):
            continue  # the backup phase tells of damaged records
        found.append((float(record["created"]), str(record["method"])))
    if not found:
        return None
    created, method = max(found)
    return {"method": method, "created": utc(created)}
